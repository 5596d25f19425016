// Which comments of a video its viewers are shown while its room has a readable rate (engine/room.h): the one
// place that decides it, for all of them, so that they share frames. Control loop only.
//
// A token bucket: `rate` comments a second, and after a quiet second as many at once. A comment that finds no
// token is held back until there is one; if another comes before, it is left out, and the next one that is
// shown says how many were (`more`). So each comment has the same chance whoever wrote it, the newest one is
// shown, and the last one of a burst always is: what was left out never stays unsaid. Always shown are those
// with a badge `host` or `moderator`, what is no comment, and what has no number; before those that are no
// comments the one that is held back is shown, too.
#pragma once

#include <stdint.h>

#include "base/position.h"

struct frame;
struct loop;
struct sample;

enum sample_fate { SAMPLE_SHOWN, SAMPLE_LEFT_OUT };

struct sample_calls {
    // The next frame, whose reference the callee takes; `from` is the position before it, `more` how many
    // just before it were left out.
    void (*on_frame)(void *arg, struct position from, struct frame *, enum sample_fate, uint32_t more);
    void *arg;
};

// `rate` > 0.
struct sample *sample_new(struct loop *, int64_t rate, struct sample_calls);
void sample_set_rate(struct sample *, int64_t rate);

// Gives up what it holds back, without a call. NULL is fine.
void sample_free(struct sample *);

// Takes the video's next frame, with the caller's reference, and the position before it: calls back for the
// one that was held back, and for this one or holds it back.
void sample_take(struct sample *, struct position from, struct frame *);

// Shows what is held back.
void sample_release(struct sample *);

// Returns the position before what is held back, as long as it is; NULL: nothing is.
const struct position *sample_held(const struct sample *);
