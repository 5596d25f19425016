// Memory that the bench and its load processes share. The bench leads through the phases; each load process
// says how far it has come. A process writes its own figures in place: who reads them while it runs may see
// half of one turn and half of the next, after BENCH_END they are exact.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/endpoint.h"
#include "bench/load_figures.h"
#include "bench/plan.h"
#include "base/position.h"

enum bench_phase {
    BENCH_RESOLVE, // which reader has which video
    BENCH_CONNECT,
    BENCH_POST,
    BENCH_DRAIN, // no more posts; the rest arrives
    BENCH_END
};

// Where a video's streams are: PLACE_FIRST + the index of an endpoint.
enum { PLACE_UNWATCHED, PLACE_UNKNOWN, PLACE_FIRST };

struct bench_load {
    _Atomic int done; // phases, counted: 1 after BENCH_RESOLVE
    struct bench_figures figures;
    char connect_error[BENCH_ERROR_SIZE]; // a sentence about its first failure; "": there was none
    char post_error[BENCH_ERROR_SIZE];
};

// The newest comment of a video that has been answered, and how many have.
struct bench_newest {
    _Atomic bool busy; // somebody writes
    uint32_t answered;
    struct position at;
};

struct bench_shared {
    _Atomic int phase;
    _Atomic int64_t start_us, end_us; // of posting, monotonic; known when it begins
    _Atomic bool interrupted;
    struct distribution *law;  // of viewers and comments over videos; NULL: in turn
    uint32_t *video_of;        // by viewer
    size_t watched;            // videos with a viewer
    _Atomic uint32_t resolved; // of them, those that have been asked for
    _Atomic uint16_t *place;   // by video
    struct endpoints *endpoints;
    struct bench_newest *newest; // by video
    _Atomic uint32_t *numbers;   // of comments begun, for each video
    struct bench_load load[];
};

// Draws the video of each viewer. Returns NULL with errno set.
struct bench_shared *bench_shared_new(const struct bench_plan *);

// Gives this process's part back; other processes keep theirs.
void bench_shared_free(struct bench_shared *, const struct bench_plan *);

// Keeps a sentence about a failure, unless there is one already: in printable ASCII, as parts of it come from
// servers and go to terminals.
void bench_note_error(char error[BENCH_ERROR_SIZE], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// How often a load process looks what the bench wants: less often where there are many, as each look costs.
int bench_poll_ms(const struct bench_plan *);

// Returns the endpoint of a video's streams, or NULL if it is not known.
const struct endpoint *bench_shared_endpoint(const struct bench_shared *, unsigned video);

// Counts an answered comment, and keeps the later of the two positions. Who reads it meanwhile may see half
// of each; what counts is read when all posts have been answered.
void bench_shared_record_answer(struct bench_shared *, unsigned video, struct position);
