// Memory that the bench and its load processes share. The bench sets the phase; each load process sets how
// far it has got. A process writes its own figures in place: read while it runs, they may mix one turn with
// the next; after BENCH_END they are exact.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/endpoint.h"
#include "bench/load_figures.h"
#include "bench/plan.h"
#include "base/position.h"

enum bench_phase {
    BENCH_RESOLVE, // find each video's reader
    BENCH_CONNECT,
    BENCH_POST,
    BENCH_DRAIN, // no more posts; wait for the rest to arrive
    BENCH_END
};

// Where a video's streams are: PLACE_FIRST + the index of an endpoint.
enum { PLACE_UNWATCHED, PLACE_UNKNOWN, PLACE_FIRST };

struct bench_load {
    _Atomic int done; // number of completed phases: 1 after BENCH_RESOLVE
    struct bench_figures figures;
    char connect_error[BENCH_ERROR_SIZE]; // a sentence about the first failure; "": there was none
    char post_error[BENCH_ERROR_SIZE];
};

// The newest answered comment of a video, and how many have been answered.
struct bench_newest {
    _Atomic bool busy; // being written
    uint32_t answered;
    struct position at;
};

struct bench_shared {
    _Atomic int phase;
    _Atomic int64_t start_us, end_us; // of posting, monotonic; known when it begins
    _Atomic bool interrupted;
    struct distribution *law;  // of viewers and comments over videos; NULL: round-robin
    uint32_t *video_of;        // by viewer
    size_t watched;            // videos with a viewer
    _Atomic uint32_t resolved; // how many of these have been resolved, or failed to
    _Atomic uint16_t *place;   // by video
    struct endpoints *endpoints;
    struct bench_newest *newest; // by video
    _Atomic uint32_t *numbers;   // comments begun, by video
    struct bench_load load[];
};

// Allocates the memory and draws the video of each viewer. Returns NULL and sets errno if that fails.
struct bench_shared *bench_shared_new(const struct bench_plan *);

// Unmaps the memory in this process; other processes keep it.
void bench_shared_free(struct bench_shared *, const struct bench_plan *);

// Records a sentence about a failure, unless there is one already: in printable ASCII only, because parts of
// it come from servers and go to terminals.
void bench_note_error(char error[BENCH_ERROR_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Returns how often a load process polls the phase: less often if there are many, because each poll costs
// time.
int bench_poll_ms(const struct bench_plan *);

// Returns the endpoint of a video's streams, or NULL if it is unknown.
const struct endpoint *bench_shared_endpoint(const struct bench_shared *, unsigned video);

// Counts an answered comment, and keeps the newer of the two positions. A concurrent reader may see a mix of
// both; the final values are read when all posts have been answered.
void bench_shared_record_answer(struct bench_shared *, unsigned video, struct position);
