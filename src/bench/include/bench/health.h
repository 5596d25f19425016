// Sums over the readers of a Chorus: the work they have done, from their /health.
#pragma once

#include <stdbool.h>

#include "bench/endpoint.h"

struct reader_health {
    double wakeups, sends, sent; // of workers; send calls; events sent to viewers
    double slow_gaps, stalled;   // gaps for slow viewers; viewers disconnected for accepting no data
    double shed;                 // viewers refused by closing the connection
    bool known;                  // whether every reader answered with all of these
};

// Requests /health from each of the endpoints. Blocks until all have responded, a few seconds at most.
struct reader_health reader_health_fetch(const struct endpoints *);
