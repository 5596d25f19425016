// Finds out where the streams of each video are: by a template, or by asking a Chorus's manager. Loop thread
// only.
#pragma once

#include <stdbool.h>

#include "bench/plan.h"
#include "bench/watchers.h"

struct loop;
struct places;

struct places_config {
    struct loop *loop;
    const struct bench_plan *plan;
    const bool *wanted; // by video
    char *error;        // BENCH_ERROR_SIZE: why one is not known
    int *ports;         // BENCH_PORTS_MAX: of the endpoints found
};

struct places *places_new(const struct places_config *);
void places_free(struct places *);

void places_find(struct places *);
bool places_are_found(const struct places *);
const struct stream_place *places_of_videos(const struct places *);
