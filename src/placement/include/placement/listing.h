// Keeps a table of readers up to date by listing the leases in the engine. Embedded in its owner, which
// lives until the engine is closed. Control loop only.
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
    void (*on_listed)(struct listing *); // the table is up to date; may be NULL
    struct readers readers;
    bool complete; // the leases have been listed
    bool running;
    int64_t sent_ms;
    int64_t away_ms; // since when the engine does not answer; 0: it does
};

// Lists the leases, unless an answer is still due.
void listing_refresh(struct listing *);
