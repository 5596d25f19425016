// Memory that the bench and its load processes share. The bench leads through the phases; each load process
// says how far it has come. A process's figures are its own and only copied here now and then: while it runs
// they may be half of one turn and half of the next, after BENCH_END they are exact.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/load_figures.h"
#include "bench/plan.h"
#include "engine/position.h"

enum bench_phase {
    BENCH_RESOLVE, // which reader has which video
    BENCH_CONNECT,
    BENCH_POST,
    BENCH_DRAIN, // no more posts; the rest arrives
    BENCH_END
};

enum { BENCH_PORTS_MAX = 32, BENCH_ERROR_SIZE = 256 };

struct bench_load {
    _Atomic int done; // phases, counted: 1 after BENCH_RESOLVE
    struct bench_figures figures;
    int ports[BENCH_PORTS_MAX]; // of streams on this machine; 0: no more
    char error[BENCH_ERROR_SIZE];
};

// The newest comment of a video that has been answered.
struct bench_newest {
    _Atomic bool busy; // somebody writes
    struct position at;
};

struct bench_shared {
    _Atomic int phase;
    _Atomic int64_t start_us, end_us; // of posting, monotonic; known when it begins
    struct bench_newest *newest;      // by video
    _Atomic uint32_t *numbers;        // of comments begun, for each video
    struct bench_load load[];
};

// Returns NULL with errno set. Lasts as long as the process.
struct bench_shared *bench_shared_new(const struct bench_plan *);

// Keeps the later of the two. Who reads it meanwhile may see half of each; what counts is read when all posts
// have been answered.
void bench_shared_note(struct bench_shared *, unsigned video, struct position);
