// What writers and viewers have done and seen, and what was done to the system, in the order in which it
// happened: all that the checker knows. In memory, and as text with a line for each event:
//
//     12.000345 post w3 v1 n17 keyed p2
//     12.004100 stored w3 n17 1763932000000-41 p2
//     12.006200 comment w20 1763932000000-41 p3 n17
//
// No pointers are in it, so it is the same for the same seed. Not shared between threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/position.h"

enum journal_kind {
    // Writers. `who` is the writer, who numbers its comments: `number`. `place` is the comment API.
    JOURNAL_POST,    // sends a comment, perhaps not for the first time; `flag`: with an Idempotency-Key
    JOURNAL_STORED,  // 201, with this position
    JOURNAL_UNKNOWN, // no answer, or 503: it may be in the log or not
    JOURNAL_REFUSED, // another answer, `word`
    JOURNAL_WAITS,   // 202: it waits for a moderator
    JOURNAL_HIDDEN,  // 201, but with an id that no comment has
    JOURNAL_REACT,   // sends a reaction to `video`

    // Viewers. `who` is the viewer.
    JOURNAL_JOIN,     // watches `video`; `word` is its kind; `count` is enum journal_pace; `flag`: it follows
                      // redirects
    JOURNAL_WANTS,    // `word`: "all", whatever the readable rate; "room", and what users react with
    JOURNAL_ASK,      // begins to connect, and has seen everything up to `at`, if set
    JOURNAL_REDIRECT, // is redirected to `word`
    JOURNAL_BEGIN,    // has the first event: its id; `word` is the reader's instance
    JOURNAL_COMMENT,  // gets comment `number` of writer `place` at position `at`
    JOURNAL_GAP,      // a gap from `from` to `at`; `count` is `missed`, or JOURNAL_NULL; `word` the reason
    JOURNAL_NEWEST,   // what it missed, up to `at`, comes first
    JOURNAL_ENTRY,   // gets a log entry of `video` at `at` that is no comment; `word` is its name, `from` the
                     // comment it is about, `place` the writer
    JOURNAL_PASSED,  // gets the number `at` of what was deleted
    JOURNAL_MORE,    // `count` were left out just before what it gets next
    JOURNAL_ROOM,    // gets the video's room: `number` has a bit for each enum room_state that is on; comment
                     // `at` is pinned
    JOURNAL_REACTED, // gets `count` reactions
    JOURNAL_CUT,     // the stream is over, or could not be begun
    JOURNAL_DENIED,  // an answer that is no stream, with status `count`
    JOURNAL_BROKEN,  // the stream is malformed
    JOURNAL_LEAVE,   // closes its stream and does not come back

    // Moderators. `who` is the moderator, who does one thing after the other.
    JOURNAL_ACT, // asks for `word` (deed_words) on `video`: of comment `at`, writer `number`, amount `count`
    JOURNAL_UNSURE,  // has had no answer, and asks again
    JOURNAL_DONE,    // has an answer; `word` is "gone" if there is no such comment, "denied" if it cannot be
                     // allowed any more, else "done"
    JOURNAL_ALLOWED, // comment `number` of writer `who`, which waited, is stored at this position
    JOURNAL_LOOK,    // asks for a listing with comment `at` of writer `number` of `video`
    JOURNAL_LISTED,  // has it; `flag`: the comment is in it

    // Operators.
    JOURNAL_ORDER,  // orders `word` (order_words) of `video` (0: none) and reader `number` (0: none)
    JOURNAL_OBEYED, // the same; `count` is the status of the answer, or 0: there was none

    // The world.
    JOURNAL_PLACED, // the store names reader `place` for `video` (0: none), and in generation `count` of its
                    // set these: `number` has a digit for each, in order; 0: no set is in force
    JOURNAL_MOST,   // videos may have several readers; one takes `count` viewers
    JOURNAL_KEPT,   // the log keeps at least the newest `count` entries of a video
    JOURNAL_LOST,   // the store has forgotten the entries of `video` from `from` to `at`
    JOURNAL_FAULT,  // `word` happens
    JOURNAL_CALM,   // no fault is left
    JOURNAL_COUNT,  // asks how many comments there are, or (`video` is set) for the ledger of a video
    JOURNAL_TOTAL,  // `count` comments were ever logged, as the statistics say
    JOURNAL_LEDGER, // that of `video`: `number` pairs are missing or on their way; `flag`: it closes
    JOURNAL_END,
    JOURNAL_KINDS
};

enum journal_pace { PACE_FAST, PACE_SLOW, PACE_STALLED };

#define JOURNAL_NULL UINT64_MAX
enum { JOURNAL_WORD = 40 };

struct journal_event {
    int64_t at_us;
    enum journal_kind kind;
    uint32_t who, video, number, place;
    bool flag;
    struct position from, at;
    uint64_t count;
    char word[JOURNAL_WORD];
};

// Zero-initialise; `now_us` and `on_event` may be set.
struct journal {
    struct journal_event *events;
    size_t count, room;
    int64_t (*now_us)(void);                                   // NULL: events have their own time
    void (*on_event)(void *arg, const struct journal_event *); // after each event that is added
    void *arg;
};

void journal_add(struct journal *, const struct journal_event *);
void journal_release(struct journal *);

// Adds the event's line to a text, without the end of the line.
void journal_write(struct buf *, const struct journal_event *);

// Reads lines that journal_write() has written; empty ones and those that begin with # are skipped. Returns
// 0, or the number of the first line that is malformed.
size_t journal_read(struct journal *, const char *text);
