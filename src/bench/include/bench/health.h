// What the readers of a Chorus say in their /health of the work they have done, added up.
#pragma once

#include <stdbool.h>

#include "bench/endpoint.h"

struct reader_health {
    double wakeups, sends, sent; // of workers; send calls; events to viewers
    double slow_gaps, stalled;   // gaps for those who fell behind; viewers closed for taking nothing
    double shed;                 // viewers refused by closing
    bool known;                  // every one answered, with all of these
};

// Asks each of the endpoints. Blocks until all have answered, for a few seconds at most.
struct reader_health reader_health_fetch(const struct endpoints *);
