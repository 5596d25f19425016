// The state of a channel, private to the fan-out; its functions are in channel.h, those of a flush in
// flush.h. Worker's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/uthash.h"
#include "base/position.h"
#include "fanout/fanout.h"
#include "fanout/frame.h"
#include "fanout/ring.h"
#include "pace.h"
#include "viewer_set.h"

struct channel;
struct fan_report;
struct ledger;
struct moments;
struct pending;
struct viewer;
struct loop;

struct flush {
    uint64_t from, to;      // the frames; none: a heartbeat, moments, or the end
    struct iovec run[2];    // by framing: what each viewer is sent
    size_t ride[2];         // bytes behind the run for viewers that ask for all the moments
    bool cut;               // there was more than fits into one run
    bool is_end;            // the stream is over
    bool is_serving;        // inside flush_serve()
    uint32_t others;        // among the frames, which are sent and deliver nothing
    uint32_t untimed;       // viewers that were sent all of it since its delay was last recorded
    uint8_t moments;        // kinds,
    struct pending *riders; // and their frames, the first kind first, where they go with the frames; or NULL
    struct pace_mark begun;
    struct frame *beat;          // owned
    bool tells_retry;            // a heartbeat of its own for each viewer: when to reconnect
    struct pending *then_remove; // frames that remove some of those that are being sent; NULL: none
    size_t room_bytes;
    char room[]; // several frames, one after the other
};

// What the channels of a worker have in common. Outlives them.
struct channel_env {
    struct loop *loop;
    struct fan_bounds bounds;
    uint32_t crowd_ms;               // how long viewers are spread over when they reconnect, (0: no crowd)
    uint32_t retries_round : 5;      // which has changed so many times,
    int64_t retries_ms;              // and last at this time
    int64_t wall_ahead_us;           // wall clock minus monotonic clock, renewed several times a second
    struct channel *left_unreported; // those with viewers gone that have not been reported yet
    struct viewer *blocked, *spent;  // of all channels; the one without progress for longest first
    struct viewer *behind;           // of all channels; in the order in which they are sent more
    int64_t behind_us;               // CPU time spent on those
    // A stream is about to be closed; the report lacks the video. NULL: no reports.
    void (*on_closed)(const struct channel *, struct fan_report *);
};

struct channel {
    struct channel_env *env;
    struct ledger *ledger;
    void *owner; // cookie of the notifications about it
    struct viewer_set viewers;
    struct ring ring;
    struct flush *flush;     // what is being sent to viewers that are due; NULL: nothing
    struct moments *moments; // NULL: none has been published
    struct viewer *waiting;  // have everything but the frames that wait for a flush
    uint64_t oldest;         // slow viewers need no frame before this one
    uint64_t sent;           // frames before this one have gone, or are going, to viewers that are ready
    struct position sent_at; // their position
    int64_t heartbeat_due_ms;
    struct pace pace;
    unsigned long long delivered;            // to viewers, without gaps and blanks, and
    uint32_t sends;                          // not yet in the counters
    uint32_t left : 26;                      // viewers gone, for the next report
    uint32_t retries_told : 5;               // the round that it has sent
    uint32_t over : 1;                       // nothing more will be published
    struct channel *left_next;               // in the environment's list, if any have
    struct channel *prev, *next;             // all channels of the worker
    struct channel *dirty_prev, *dirty_next; // those with something to flush; NULL: not among them
};

_Static_assert(sizeof(struct channel) <= 232, "a million of these wait; malloc takes 240 bytes");

// A frame of the ring has been sent to that many viewers. Counts what has become of its pairs: the entry for
// which a gap came is lost, that of a blank is retracted.
void channel_count_sent(struct channel *, const struct frame *, uint32_t viewers);

// Counts a viewer that has gone.
static inline void channel_note_left(struct channel *ch) {
    if (!ch->left++) LL_PREPEND2(ch->env->left_unreported, ch, left_next);
}
