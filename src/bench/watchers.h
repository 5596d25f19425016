// The viewers of one load process: connections that read an event stream and check the numbers in it. They do
// not come back when cut: that is a figure. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/endpoint.h"
#include "bench/load_figures.h"
#include "bench/shared.h"

struct loop;
struct watchers;

// Where a video's streams are, as the owner found out: an endpoint and a template of the path. A NULL
// endpoint counts as a failure to connect.
struct stream_place {
    const struct endpoint *endpoint;
    char *path;
};

struct watchers_config {
    struct loop *loop;
    const struct bench_plan *plan;
    struct bench_shared *shared;
    struct bench_figures *figures;
    unsigned process;
    const struct stream_place *places; // by video
    const unsigned *videos;            // of each viewer of this process
    size_t count;
};

struct watchers *watchers_new(const struct watchers_config *);
void watchers_free(struct watchers *);

void watchers_connect(struct watchers *);

// Counts those that still connect as failures, and begins no more.
void watchers_give_up(struct watchers *);
bool watchers_are_settled(const struct watchers *);

// Returns how many comments have been answered and not arrived; with those that were cut, or without.
uint64_t watchers_outstanding(const struct watchers *, bool with_cut);
