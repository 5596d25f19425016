// The newest frames of a video, kept for viewers that come back: a run without a hole that ends where the
// video's feed stands. Bounded per video, and by a budget that all videos of a reader share. Control loop
// only.
#pragma once

#include <stdbool.h>

#include "reader/frame.h"
#include "reader/ring.h"

enum { HISTORY_FRAMES = 1024, HISTORY_BYTES = 4 << 20, HISTORY_RESTING_FRAMES = 32, HISTORY_WARM_MS = 10000 };

struct history_budget {
    size_t bytes, max;
};

struct history {
    struct ring ring;
    struct position from; // everything after it up to the feed's position is held; not set: nothing is known
    int64_t used_ms;      // when somebody came back for it
    struct history_budget *budget;
};

void history_init(struct history *, struct history_budget *);
void history_release(struct history *);

// Holds nothing, from here on.
void history_reset(struct history *, struct position from);

// Adds the newest frame, borrowed.
void history_push(struct history *, struct frame *);

// Whether somebody who stands at `at` can be given all from here; *first is the number of its first frame.
bool history_covers(struct history *, struct position at, uint64_t *first);

// Forgets what nobody has come back for lately.
void history_rest(struct history *, int64_t now_ms);
