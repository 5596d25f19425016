// The figures of one load process; the sum over all is the result. Pure.
#pragma once

#include <stdint.h>

#include "base/histogram.h"

enum { BENCH_SECONDS_MAX = 3600 };

struct bench_figures {
    uint64_t connects, connect_failures, cuts; // streams that began, failed to, ended early
    uint64_t comments, post_failures,
        unposted; // unposted: due, but every publisher was waiting for a response
    uint64_t deliveries, lost, duplicated, out_of_order;
    uint64_t left_out;       // numbers missing that a comment says were left out: not lost
    uint64_t stalled;        // viewers that have stopped reading, as planned; of these
    uint64_t stalled_closed; // the ones that the server has closed
    uint64_t gaps, missed;   // events, and how many comments they announce as missed, which count as lost too
    uint64_t outstanding;    // answered, but not arrived yet
    int64_t connect_us;      // from the first attempt to the last response
    int64_t last_arrival_us; // monotonic
    int64_t cpu_us;          // of the load process, from the start of posting to the last arrival
    int64_t busiest_cpu_us;  // of one process
    struct histogram latency; // microseconds from when a comment was due to its arrival, at each viewer
    struct histogram answer;  // from sending the post to its response
    struct histogram lag;     // by how much the load process's loop ran late
    uint64_t seconds;         // of posting that have a count in:
    uint64_t by_second[BENCH_SECONDS_MAX]; // deliveries; the last one counts all later ones too
};

// Adds `other`. Costs as much as `other` has used of its memory, not its size.
void load_figures_merge(struct bench_figures *, const struct bench_figures *other);

void load_figures_add_delivery(struct bench_figures *, int64_t since_start_us);
