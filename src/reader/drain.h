// A reader that gives its viewers away: its lease says so, placement gives its videos to others, and its
// viewers leave at a pace (moves.h). It goes on serving those that are left, and redirects those that come.
// Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct reader;

// Begins or ends it.
void drain_set(struct reader *, bool on);

// Whether it drains, and there are other readers for its viewers, of which placement knows.
bool drain_has_heirs(const struct reader *);

// To be called several times a second.
void drain_sweep(struct reader *, int64_t now_ms);
