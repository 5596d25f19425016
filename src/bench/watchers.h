// The viewers of one load process: connections that read an event stream and check its sequence numbers. They
// do not reconnect when disconnected, which is counted. A stalled viewer reads nothing once its stream has
// begun: what it misses is not counted, only whether the server closes it. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/load_figures.h"
#include "shared.h"

struct loop;
struct watchers;

struct watchers_config {
    struct loop *loop;
    const struct bench_plan *plan;
    struct bench_shared *shared;
    struct bench_figures *figures;
    unsigned process; // viewer I of all belongs to process I % processes
};

struct watchers *watchers_new(const struct watchers_config *);
void watchers_free(struct watchers *);

void watchers_connect(struct watchers *);

// Starts no more connections, and counts those still connecting as failures, unless the user has interrupted.
void watchers_end_connecting(struct watchers *);
bool watchers_are_settled(const struct watchers *);

// Returns how many deliveries of answered comments are missing; including disconnected viewers, or not.
uint64_t watchers_outstanding(const struct watchers *, bool with_cut);
