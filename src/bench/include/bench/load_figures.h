// What one load process did and saw; the sum of all is the result. Pure.
#pragma once

#include <stdint.h>

#include "base/histogram.h"

enum { BENCH_SECONDS_MAX = 3600 };

struct bench_figures {
    uint64_t connects, connect_failures, cuts; // streams that began, never began, ended before their time
    uint64_t comments, post_failures,
        unposted; // unposted: due, but every publisher was waiting for an answer
    uint64_t deliveries, lost, duplicated, out_of_order;
    uint64_t stalled;         // viewers that read no more, as they were told to; of them
    uint64_t stalled_closed;  // those that the server has closed
    uint64_t gaps, missed;    // events, and what they announce as missed, which is counted as lost as well
    uint64_t outstanding;     // answered, and not arrived yet
    int64_t connect_us;       // from the first attempt to the last answer
    int64_t last_arrival_us;  // monotonic
    int64_t cpu_us;           // of the load process, while comments were on their way
    int64_t busiest_cpu_us;   // of one process
    struct histogram latency; // microseconds from when a comment was due to its arrival, at each viewer
    struct histogram answer;  // from when it was sent to its answer
    struct histogram lag;     // of the load process's own loop
    uint64_t seconds;         // that have a count in:
    uint64_t by_second[BENCH_SECONDS_MAX]; // deliveries since posting began; the last has the rest
};

// Costs what `other` has used, not what it could.
void load_figures_merge(struct bench_figures *, const struct bench_figures *other);

void load_figures_add_delivery(struct bench_figures *, int64_t since_start_us);
