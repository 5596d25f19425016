// How many readers, comment APIs and Redis an audience needs: the formula of docs/scaling.md. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "simulate/costs.h"

struct audience;

// What they do together. Comments are spread over the videos as viewers are.
struct plan_load {
    uint64_t videos, viewers;
    double comments;            // a second
    double deliveries;          // a second: each comment to each viewer of its video
    double sending, heartbeats; // in cores
    uint64_t largest_viewers;   // of the video with the most
    double largest;             // what it takes, in cores
};

struct plan_load plan_load_of(const struct audience *, double comments);

struct plan_machine {
    double cores;
    uint64_t max_viewers; // of a reader
    double redis_rate;    // comments a second
};

enum plan_setup {
    PLAN_ONE_MACHINE, // `chorus up`, which is enough
    PLAN_ONE_REDIS,   // services on several machines, on one Redis
    PLAN_CLUSTER      // and on several
};

struct plan {
    enum plan_setup setup;
    double box_used; // of the machine, if `up` did it all: 1 is all that is planned with
    uint64_t readers_by_cores, readers_by_viewers, readers; // the last: and one that may be lost
    uint64_t set;       // readers that serve the largest video together; 1: no set
    bool set_too_large; // it needs more of them than a set has
    double posting;     // in cores
    uint64_t posts_by_cores, comment_apis;
    uint64_t redis;        // primaries
    uint64_t reader_bytes; // memory of each reader, the kernel's part included, while one is lost
};

struct plan plan_make(const struct plan_load *, const struct plan_machine *);

// The report of --plan.
struct plan_report {
    const char *distribution; // as given
    uint64_t seed;
    struct plan_load load;
    struct plan_machine machine;
    struct plan plan;
};
void plan_print(const struct plan_report *, FILE *);
void plan_print_json(const struct plan_report *, FILE *);
