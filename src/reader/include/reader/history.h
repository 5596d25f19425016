// The newest frames of a video, kept for viewers that come back: a run without a hole that ends where the
// video's feed stands. Control loop only.
//
// Bounds: per video; and for all videos together a budget, which is never exceeded. Where there is no room
// for one more, the video that has gone longest without a comment and without somebody who came back gives
// all of its own away: so it is the busy ones that have history, whoever came first. One that has gone
// HISTORY_COLD_MS without either does so anyway. What is not held is in the log, so that where the process's
// memory is scarce (budget.h) history is dropped before a backlog is cut or a viewer refused.
#pragma once

#include <stdbool.h>

#include "fanout/frame.h"
#include "fanout/ring.h"

enum {
    HISTORY_FRAMES = 1024,
    HISTORY_BYTES = 4 << 20,
    HISTORY_RESTING_FRAMES = 32, // of a video nobody has come back to for HISTORY_WARM_MS
    HISTORY_WARM_MS = 10000,
    HISTORY_COLD_MS = 60000
};

struct history_run;

// Zero-initialise, but for `max`. Shared by the readers of a process.
struct history_budget {
    size_t bytes, max;
    struct history_run *runs; // all there are, the one without use for longest first
};

// Frees runs, least recently used first, until history is within what caches may use of the process's memory
// and backlogs have `backlog_bytes` left, or until it has done as much work as fits into a turn.
void history_budget_yield(struct history_budget *, size_t backlog_bytes);

// Several times a second: lets go of what nobody uses.
void history_budget_sweep(struct history_budget *, int64_t now_ms);

// Zero-initialise. One pointer, as there may be many videos.
struct history {
    struct history_run *run; // NULL: nothing is held
};

void history_release(struct history *);

// Holds nothing, from here on, for somebody who has come back to this position.
void history_reset(struct history *, struct history_budget *, struct position from, int64_t now_ms);

// Adds the newest frame, borrowed. `from`: where those stand who have not seen it.
void history_push(struct history *, struct history_budget *, struct position from, struct frame *,
                  int64_t now_ms);

// Returns where the run begins: everything after it up to the feed's position is held. Not set: nothing is.
struct position history_from(const struct history *);

// Whether somebody who stands at `at` can be given all that came after. *first is the number of their first
// frame; others follow up to history_end().
bool history_covers(const struct history *, struct position at, uint64_t *first);
uint64_t history_end(const struct history *);
struct frame *history_at(const struct history *, uint64_t n); // borrowed

// Notes that somebody has come back for it.
void history_use(struct history *, int64_t now_ms);
