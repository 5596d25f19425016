// Finds out where the streams of a process's share of the videos are: by a template, or by asking a Chorus's
// manager. What is found stands in the shared memory, for all. Loop thread only.
#pragma once

#include <stdbool.h>

#include "shared.h"

struct loop;
struct places;

struct places *places_new(struct loop *, const struct bench_plan *, struct bench_shared *, unsigned process);
void places_free(struct places *);

void places_find(struct places *);
bool places_are_found(const struct places *);
