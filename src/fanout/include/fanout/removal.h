// A frame that takes others out: the retraction of a comment, the purge of a user's. Each comment before it
// that it means is replaced by a frame of its number alone, wherever no viewer has begun to receive it: in
// the history and in what is read from the log on the control loop, in rings and backlogs on each worker
// (remove.h). A viewer that has received a part of the comment gets the rest of it. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"

struct frame;
struct replay;
struct ring;

// What a frame removes, borrowed from it.
struct removal {
    struct position before; // the frame's own: only what comes before it
    struct position target; // the comment; not set: those of the user
    const char *member;     // of such a comment: `"userid":"..."`
    size_t member_len;
};

// `frame` is one that removes others.
struct removal removal_of(const struct frame *);

bool removal_takes(const struct removal *, const struct frame *);

// Replaces what is taken in a ring, of the numbers from `from` up to `to`. Returns whether there was any.
bool removal_from_ring(const struct removal *, struct ring *, uint64_t from, uint64_t to);

// Replaces what is taken in a row of frames.
void removal_from_frames(const struct removal *, struct frame **, size_t count);

// Returns a copy of a replay without what is taken, which the caller owns; NULL if nothing is.
struct replay *removal_from_replay(const struct removal *, const struct replay *);
