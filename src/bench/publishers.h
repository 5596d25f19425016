// The publishers of one load process, each with a connection of its own and one pending post at a time. When
// a comment is due does not depend on responses (an open loop): a publisher that has to wait posts late, and
// the comment still says when it was due. Loop thread only.
#pragma once

#include <stdbool.h>

#include "bench/load_figures.h"
#include "shared.h"

struct loop;
struct publishers;

// Makes the publishers of `process`: publisher K of all belongs to process K % processes.
struct publishers *publishers_new(struct loop *, const struct bench_plan *, struct bench_shared *,
                                  struct bench_figures *, unsigned process);
void publishers_free(struct publishers *);

void publishers_start(struct publishers *);

// Stops posting, and counts the comments that were due and have not been posted.
void publishers_stop(struct publishers *);
bool publishers_are_answered(const struct publishers *);
