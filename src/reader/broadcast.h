// One video on one reader: its feed, the fan-out to its viewers, and the history for viewers that reconnect.
// Control loop only. It opens with the video's first viewer; the reader closes it some time after the last
// one has left.
//
// There may be 100,000 of them, most of them quiet. So it is embedded in its owner, what only some of them
// need (join queue, idle entry) is allocated only then, and what is due is found without a walk over all.
#pragma once

#include <stdint.h>

#include "fanout/frame.h"
#include "fanout/report.h"
#include "net/loop.h"
#include "backfill.h"
#include "feed.h"
#include "moments.h"
#include "outlet.h"
#include "rate.h"
#include "reader/history.h"
#include "service/event_feed.h"

struct broadcast;
struct engine;
struct fan_counters;
struct fanout;
struct idle_entry;
struct join_queue;
struct ledger;
struct log_sampler;
struct pending;
struct sink;

// What the broadcasts of a reader share. It outlives them.
struct broadcast_env {
    // Set by the owner:
    struct loop *loop;
    struct engine *engine;
    struct fanout *fanout;
    struct fan_counters *counters;
    struct history_budget *budget;
    const char *instance_id;
    struct log_sampler *sampler;
    enum fan_end end; // of the streams of a broadcast that closes
    // A broadcast gets its first viewer, or loses its last one. May be NULL.
    void (*on_audience)(struct broadcast *, bool watched);
    // A comment has come, of which there were others lately. May be NULL.
    void (*on_busy)(struct broadcast *);
    // A frame is about to be published to its viewers. May be NULL.
    void (*on_shown)(struct broadcast *);
    // The number of its viewers has changed. May be NULL.
    void (*on_viewers)(struct broadcast *);
    // Private:
    struct feed_env feed_env;
    struct event_feed events;
    struct backfills backfills;
    struct join_request *new_joins;   // made in this turn
    struct join_request *taken_joins; // of earlier turns, or being handled by take_joins
    struct loop_job take_joins;       // at the end of the turn
    bool joins_due;                   // it is queued; there may be no joins any more
    struct loop_timer serve_more;     // a moment later, where many have waited
    struct join_queue *queues;        // of all broadcasts that have one
    struct idle_entry *idle_entries;  // of broadcasts without viewers, longest idle first
    size_t idle_count;
    uint64_t gaps[GAP_REASONS]; // that viewers got, without those of the workers (fan_counters.gaps)
};
void broadcast_env_init(struct broadcast_env *);

// Whether nothing refers to it any more, once all its broadcasts are closed: neither a query of the engine
// nor a worker. To be called in a later turn than the last broadcast_close().
bool broadcast_env_is_settled(const struct broadcast_env *);

struct broadcast {
    struct broadcast_env *env;
    struct feed feed;
    struct outlet outlet;
    struct sample *sample; // NULL: viewers are shown all comments
    struct history history;
    struct join_queue *queue; // NULL: no join request waits
    struct idle_entry *idle;  // NULL: it has viewers
    uint32_t joining;         // requests that have not been taken yet
    struct rate comments;
};

// `video` is borrowed until broadcast_close(). What becomes of its comments is counted in the ledger.
void broadcast_open(struct broadcast *, struct broadcast_env *, const char *video, struct ledger *);

// Disconnects its viewers, and fails its join requests with JOIN_BROADCAST_CLOSED, from inside this call.
void broadcast_close(struct broadcast *);

enum join_outcome {
    JOIN_STARTS,
    JOIN_OVER, // this and all below: refused. The video has ended, and the viewer has all of it
    JOIN_BROADCAST_CLOSED,
    JOIN_STORE_AWAY,     // past the deadline: the store did not answer
    JOIN_TOO_MANY_VIDEOS // past the deadline: the store has no room for the video
};

// A viewer's request to join. It belongs to the caller, and must stay until on_joined(), which comes exactly
// once, never from inside broadcast_join(), but perhaps from inside broadcast_close().
struct join_request {
    struct position last; // position that the viewer has seen; not set: it starts live
    uint32_t history;     // comments to be shown before, the newest ones, if `last` is not set
    int64_t deadline_ms;  // after that it is refused
    int64_t patience_ms;  // after that it gets a gap, if there is no memory for what it missed
    // The viewer starts at `start`, with these frames (owned by the callee), followed by what is published
    // next; the callee calls broadcast_add(). If it is refused, frames is NULL, and `outcome` is the reason.
    void (*on_joined)(struct join_request *, struct broadcast *, struct position start,
                      struct pending *frames);
    // Private:
    int64_t since_ms;
    enum join_outcome outcome;
    struct broadcast *broadcast;
    struct join_request *prev, *next;
};
void broadcast_join(struct broadcast *, struct join_request *);

// Adds a viewer: hands its sink and frames over to the fan-out. `asks`: the kinds of moments that it wants
// (moments.h); `whole`: it is not to be spared any comment (broadcast_set_readable_rate). To be called in
// on_joined(), so that no event comes between. If there is no room, returns false and leaves both with the
// caller.
bool broadcast_add(struct broadcast *, const struct sink *, uint8_t asks, bool whole, struct pending *);

// Shows viewers at most this many comments a second, with a sample of those that come (sample.h); 0: all.
void broadcast_set_readable_rate(struct broadcast *, int64_t rate);

// Sets the latest event of the moment of a kind (moments.h); takes the frame. A viewer that is added later
// gets it too.
void broadcast_moment(struct broadcast *, enum moment, struct frame *);

// Lets `count` viewers leave for another reader, with `spares` none that would only come back (FAN_STAYS);
// those that asked for moves are sent the event (taken; NULL: none is).
void broadcast_move(struct broadcast *, unsigned count, bool spares, struct frame *);

unsigned broadcast_viewers(const struct broadcast *);

// To be called several times a second: refuses join requests past their deadline, retries backfills, and
// drops history that is no longer used.
void broadcast_sweep(struct broadcast_env *);

// Returns a broadcast that has had neither viewers nor join requests for `for_ms`, or NULL.
struct broadcast *broadcast_idle_for(struct broadcast_env *, int64_t for_ms);
