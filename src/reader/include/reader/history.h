// The newest frames of a video, kept for viewers that reconnect or want to see the newest comments: a run
// without holes that ends at the position of the video's feed. Control loop only.
//
// Bounded per video, and for all videos together by a budget, which is never exceeded: when it is used up,
// the run that has been unused longest (no comment, no viewer that reconnected) is freed whole. So the busy
// videos have history, regardless of which came first. A run unused for HISTORY_COLD_MS is freed anyway. What
// is not held here is in the log; so where the process's memory is scarce (budget.h), history is dropped
// before a backlog is cut or a viewer refused.
#pragma once

#include <stdbool.h>

#include "fanout/frame.h"
#include "fanout/ring.h"

enum {
    HISTORY_FRAMES = 1024,
    HISTORY_BYTES = 4 << 20,
    HISTORY_RESTING_FRAMES = 32, // where no viewer has reconnected for HISTORY_WARM_MS
    HISTORY_WARM_MS = 10000,
    HISTORY_COLD_MS = 60000,
    HISTORY_CHECKED_MS = 5000 // for so long the run is taken to be what the log keeps
};

struct history_run;
struct replay;

// Zero-initialise, except for `max`. Shared by the readers of a process.
struct history_budget {
    size_t bytes, max;
    struct history_run *runs; // all runs, least recently used first
};

// Frees runs, least recently used first, until history is within what caches may use of the process's memory
// and backlogs have `backlog_bytes` left, or until a turn's worth of work is done.
void history_budget_yield(struct history_budget *, size_t backlog_bytes);

// To be called several times a second: frees runs that have gone cold.
void history_budget_sweep(struct history_budget *, int64_t now_ms);

// Zero-initialise. One pointer, because there may be many videos.
struct history {
    struct history_run *run; // NULL: nothing is held
};

void history_release(struct history *);

// Starts an empty run at `from`, the position of a viewer that has reconnected.
void history_reset(struct history *, struct history_budget *, struct position from, int64_t now_ms);

// Adds the newest frame, borrowed. `from`: the position in front of it.
void history_push(struct history *, struct history_budget *, struct position from, struct frame *,
                  int64_t now_ms);

// Returns the start of the run: every frame after it up to the feed's position is held. Not set: none is.
struct position history_from(const struct history *);

// Returns whether all frames after `at` are held. *first is the number of the first one; the others follow up
// to history_end().
bool history_covers(const struct history *, struct position at, uint64_t *first);
uint64_t history_end(const struct history *);
struct frame *history_at(const struct history *, uint64_t n); // borrowed

// Returns what is held, for viewers to share: borrowed, until the history changes. Frame `n` is number *at in
// it.
struct replay *history_replay(struct history *, uint64_t n, uint32_t *at);

// Notes what the log has just shown: it keeps what comes after `from`, which the run holds, and that is all
// of its newest `comments` comments, though they may be fewer.
void history_checked(struct history *, struct position from, uint32_t comments, int64_t now_ms);

// Finds the newest `comments` comments, or fewer if the log keeps no more: *from is the position in front of
// them, *first the number of the first frame. Returns false if the run cannot tell: it does not reach back
// far enough, or was checked too long ago, as what it holds may have expired in the log.
bool history_newest(const struct history *, uint32_t comments, int64_t now_ms, struct position *from,
                    uint64_t *first);

// Marks the run as used by a viewer that has reconnected.
void history_use(struct history *, int64_t now_ms);
