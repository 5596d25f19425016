// Private to placement: keeps the list of readers up to date by asking the engine for their leases. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "placement/readers.h"

struct loop;

struct listing {
    struct loop *loop;
    struct engine *engine;
    // An attempt to read the list for the first time has ended, well or badly.
    void (*on_attempt)(struct listing *, enum engine_status);
    struct readers readers;
    bool complete; // it has been read
    bool asking;
    int64_t asked_ms;
    int64_t away_ms; // since when the engine has not given it; 0: it has
};

// Asks for the list, unless an answer is still to come.
void listing_refresh(struct listing *);
