// Private to placement: keeps the table of readers up to date by listing the leases in the engine. Control
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
    // The first attempt to list the leases has ended, with success or without.
    void (*on_attempt)(struct listing *, enum engine_status);
    struct readers readers;
    bool complete; // the leases have been listed
    bool running;
    int64_t sent_ms;
    int64_t away_ms; // since when the engine does not answer; 0: it does
};

// Lists the leases, unless an answer is still due.
void listing_refresh(struct listing *);
