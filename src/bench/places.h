// Determines the endpoint of the streams of each video, of a process's share of them: from a template, or
// from a Chorus's manager. The results go to the shared memory. Loop thread only.
#pragma once

#include <stdbool.h>

#include "shared.h"

struct loop;
struct places;

struct places *places_new(struct loop *, const struct bench_plan *, struct bench_shared *, unsigned process);
void places_free(struct places *);

void places_find(struct places *);
bool places_are_found(const struct places *);
