// One run: the world of a seed from its beginning to its end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cluster.h"

struct run_plan {
    uint64_t seed;
    enum cluster_engine engine;
    int64_t seconds; // simulated
    bool trace;
    bool hot; // some seeds have hot videos, some an operator (hot.h)
};

// Without pointers: it comes from another process through a pipe.
struct run_result {
    uint64_t seed, hash, comments, deliveries, faults, reconnects, connections, turns;
    uint64_t gaps[3]; // by reason: expired, slow, epoch
    int64_t seconds;
    bool failed, complete;
    char failure[400];
};

// Runs in this process, which can have only one world.
void run_seed(const struct run_plan *, struct run_result *);
