// One event as the bytes that are sent, made once and shared by all viewers. Immutable but for its reference
// count, which is taken per worker and per lagging viewer, never per delivery. Any thread.
//
// An event lies in memory as a chunk (RFC 9112, 7.1): its length in hexadecimal and CR LF, the event, CR LF.
// So both framings share it: a viewer over HTTP/1.1 is sent all of it, any other the event alone
// (frame_piece).
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/position.h"
#include "net/sink.h"

enum { FRAME_MAX = (1 << 28) - 1, FRAME_CHUNK_END = 2 };

// Whether the video goes on after it.
enum frame_turn { TURNS_NOTHING, TURNS_ON, TURNS_OFF };

// What a frame takes out of those before it (removal.h).
enum frame_removes {
    REMOVES_NOTHING,
    REMOVES_ONE,    // the comment `target`
    REMOVES_OF_USER // the comments of `userid`
};

struct frame {
    atomic_uint refs;
    uint32_t len : 28;  // bytes of the event
    uint32_t head : 4;  // of the chunk's head before it; 0: no chunk, the bytes are the same in both framings
    struct position at; // a viewer's position after it; not set: it moves no position
    struct position first; // the first number that it covers: `at`, or what was left out, or a gap, begins
    int64_t posted_ms;     // when it was posted, by the wall clock there; 0: unknown. Set before it is shared
    uint32_t more;         // comments just before it that were left out; its JSON says so
    bool is_gap : 1;       // it stands for entries that are not sent
    bool is_blank : 1;     // it is the number of an entry that was taken out
    bool is_fleeting : 1;  // an event of the moment that viewers who come later do not get
    bool rides : 1;        // an event of the moment that goes with the next frame, which follows at once
    bool is_private : 1;   // only for its author's viewers, without a number; no pair of a ledger
    enum frame_removes removes : 8; // set before it is shared
    enum frame_turn turns : 8;      // set before it is shared
    char bytes[];
};

enum gap_reason { GAP_EXPIRED, GAP_SLOW, GAP_EPOCH, GAP_REASONS };

// Return a frame with one reference, the caller's.
struct frame *frame_of_bytes(const void *bytes, size_t len, struct position at); // an event, laid out already
// One event; its id is `at`, where that is set. `event` is its name, or NULL.
struct frame *frame_of_event(struct position at, const char *event, const char *data, size_t len);
// The number of what was taken out: an `id:` without data, of which browsers only note the position.
struct frame *frame_of_number(struct position at);
// A comment, with the number of those just before it that were left out: `"more":37` at the end of its JSON.
struct frame *frame_with_more(const struct frame *, uint32_t more);
// What stands for a comment that was taken out: its number, and what it said of `more` as an event of that
// name.
struct frame *frame_of_taken(const struct frame *);
struct frame *frame_of_gap(struct position from, struct position to, enum gap_reason);
struct frame *frame_of_heartbeat(void);
// A heartbeat that says after what time to reconnect.
struct frame *frame_of_retry(uint32_t ms);
// The event `end`, the last one of a viewer whose time is over.
struct frame *frame_of_expiry(void);
// The end of a stream: the last chunk in SINK_CHUNKED, nothing in SINK_RAW.
struct frame *frame_of_end(void);
// A viewer's first bytes: the head of its response as it is, then its first event in its framing.
struct frame *frame_of_head(const void *head, size_t head_len, const void *event, size_t event_len,
                            enum sink_framing);

// Returns whether it is an event without a name, but with data, as a comment is.
bool frame_is_plain(const struct frame *);

// Returns the first member of that name whose value is an id, and sets its length: from the name's first
// quote to the value's last. `name` goes up to the value: "\"userid\":\"". What looks the same in a text has
// its quotes escaped. NULL: there is none.
const char *frame_find_member(const struct frame *, const char *name, size_t *len);

// Returns the reason of a gap.
enum gap_reason frame_gap_reason(const struct frame *);

// Returns how many numbers a gap stands for; 1 if that is not known, as where an epoch has ended.
uint64_t frame_missed(const struct frame *);

struct frame *frame_ref(struct frame *);
void frame_unref(struct frame *); // NULL is fine

// Returns what a viewer is sent of a frame, borrowed.
static inline struct iovec frame_piece(const struct frame *f, enum sink_framing framing) {
    if (framing == SINK_CHUNKED && f->head)
        return (struct iovec){(char *)f->bytes, (size_t)f->head + f->len + FRAME_CHUNK_END};
    return (struct iovec){(char *)f->bytes + f->head, f->len};
}
