// Totals over all simulated clients of one process.
#pragma once

#include <stdint.h>

#include "base/histogram.h"

struct tally {
    uint64_t connected;              // viewers that have a stream now
    uint64_t cuts;                   // streams that ended
    uint64_t refused;                // attempts to connect that failed
    uint64_t comments, failed;       // posts answered 201, and all others
    uint64_t deliveries;             // comments received, counted at each viewer
    uint64_t lost, duplicated, late; // numbers missing, received twice, out of order
    uint64_t left_out;               // numbers missing that a comment says were left out: not lost
    uint64_t gaps, missed;           // `gap` events, and the numbers they announce as missed
    struct histogram latency;        // microseconds from posting to arrival of our own comments
};
