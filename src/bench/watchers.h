// The viewers of one load process: connections that read an event stream and check the numbers in it. They do
// not come back when cut: that is a figure. Those that stall read nothing once their stream has begun: what
// they miss is counted nowhere, only whether the server closes them. Loop thread only.
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
    unsigned process; // its viewers: number I of all belongs to process I % processes
};

struct watchers *watchers_new(const struct watchers_config *);
void watchers_free(struct watchers *);

void watchers_connect(struct watchers *);

// Counts those that still connect as failures, unless the user has interrupted, and begins no more.
void watchers_end_connecting(struct watchers *);
bool watchers_are_settled(const struct watchers *);

// Returns how many comments have been answered and not arrived; with those that were cut, or without.
uint64_t watchers_outstanding(const struct watchers *, bool with_cut);
