// Reads from a video's log what viewers that reconnect have missed, or the newest comments for viewers that
// arrive, up to the position of the video's feed. Control loop only.
//
// The newest comments are found by reading backwards. If the first answer has all of them, they are taken
// from it; otherwise they are then read from the first one on. Of entries that are no comments only so many
// are passed over: as many as comments were asked for, and 200.
//
// Memory for the entries is reserved before they are read: a backfill reads only as many as there is memory
// for, and at most BACKFILLS_MAX run at a time; the others wait in line. Without memory, history is dropped,
// and viewers that do not read lose their backlogs (fanout_relieve). A backfill that is overdue, or has used
// more than its share, drops its oldest frames, which become a gap.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/position.h"
#include "net/loop.h"

struct backfill;
struct engine;
struct fanout;
struct feed;
struct frame;
struct history;
struct history_budget;
struct pending;

enum backfill_outcome {
    BACKFILL_REACHED, // its frames end exactly at the feed's position
    BACKFILL_FAILED,  // the store did not answer, or the feed is behind it: try again later
    BACKFILL_NO_ROOM  // it is overdue, and there is no memory for a single entry
};

// What the backfills of a reader share. It outlives them.
struct backfills {
    // Set by the owner:
    struct loop *loop;
    struct engine *engine;
    struct fanout *fanout;
    struct history_budget *budget;
    // The end of a backfill that has not been abandoned. The callee frees it.
    void (*on_end)(void *arg, struct backfill *, enum backfill_outcome);
    // Private:
    unsigned running_count;
    struct backfill *running;
    struct backfill *line;  // waiting for one of them to end
    struct loop_timer room; // retries those that found no memory
};
void backfills_init(struct backfills *);

// Starts to read what follows `from`. Feed and history are borrowed until it is freed or abandoned; `arg` is
// for on_end(). From `overdue_ms` on it no longer waits for memory.
struct backfill *backfill_start(struct backfills *, struct feed *, const struct history *, void *arg,
                                struct position from, int64_t overdue_ms);

// Starts to read the newest `comments` comments.
struct backfill *backfill_start_newest(struct backfills *, struct feed *, const struct history *, void *arg,
                                       uint32_t comments, int64_t overdue_ms);

void backfill_free(struct backfill *);

// Frees it, now or once the store has answered. on_end() does not follow.
void backfill_abandon(struct backfill *);

bool backfill_is_reading(const struct backfill *); // the store has been asked

// Tries again to reserve memory, or gives up. To be called several times a second for one that is not
// reading; it may end from inside this call.
void backfill_retry(struct backfill *);

// What was read. The frames are borrowed: backfill_frame() with 0 <= i < backfill_frames(). They follow
// backfill_kept_from(), which is `from` unless frames were dropped for lack of memory.
struct position backfill_from(const struct backfill *);
struct position backfill_kept_from(const struct backfill *);
uint32_t backfill_frames(const struct backfill *);
struct frame *backfill_frame(const struct backfill *, uint32_t i);

// Once it has ended. Returns all of it for one viewer, beginning with a gap for the frames that were dropped;
// the viewers share what was read.
struct pending *backfill_pending(struct backfill *);

// After backfill_start_newest(). Returns how many comments were asked for, UINT32_MAX if the log keeps no
// more than was found; and the newest `comments` of them for one viewer that starts at *from.
uint32_t backfill_comments(const struct backfill *);
struct pending *backfill_newest(struct backfill *, uint32_t comments, struct position *from);

// Returns the gap for entries after `at`, up to `to`, that cannot be held for a viewer. Its reason is `slow`:
// the log still has them, but there is no memory to hold them until this viewer has read them.
struct frame *gap_without_room(struct position at, struct position to);
