// One video on one reader: its feed, its viewers' fan-out, and the history for those who come back. Control
// loop only. It opens with the video's first viewer; the reader closes it when the last has been gone for a
// while.
//
// There may be a hundred thousand of them, most of them quiet, so: embedded in its owner; what only some need
// (to wait, to be given up) is there only then; and what is due is found without looking at all of them.
#pragma once

#include <stdint.h>

#include "net/loop.h"
#include "feed.h"
#include "reader/history.h"

struct engine;
struct fan_counters;
struct fan_video;
struct fanout;
struct backfill;
struct join_queue;
struct log_sampler;
struct pending;
struct sink;
struct broadcast;
struct idle_entry;

// What the streams of a reader have in common. It outlives them.
struct broadcast_env {
    // To be set by the owner:
    struct loop *loop;
    struct engine *engine;
    struct fanout *fanout;
    struct fan_counters *counters;
    struct history_budget *budget;
    const char *instance_id;
    struct log_sampler *sampler;
    // Its first viewer has come, its last one has left. NULL: nothing depends on it.
    void (*on_audience)(struct broadcast *, bool watched);
    // The streams' own:
    struct feed_env feed_env;
    uint64_t viewers;                 // of all of them
    unsigned backfilling;             // how many loads have their turn
    struct backfill *backfills;       // those
    struct backfill *backfill_line;   // those that wait for it
    struct loop_timer room;           // when those that have no room look again
    struct join_request *new_joins;   // of this turn
    struct join_request *taken_joins; // those that the job has taken
    struct loop_job take_joins;       // at the end of the turn
    struct join_queue *queues;        // of those with somebody who waits
    struct idle_entry *idle_entries;  // of those without viewers, oldest first
};
void broadcast_env_init(struct broadcast_env *);

struct broadcast {
    struct broadcast_env *env;
    struct feed feed;
    struct fan_video *fan;
    struct history history;
    struct join_queue *queue; // NULL: nobody waits
    struct idle_entry *idle;  // NULL: somebody watches
};

// `video` is borrowed until stream_end().
void broadcast_open(struct broadcast *, struct broadcast_env *, const char *video);
void broadcast_close(struct broadcast *);

enum join_outcome {
    JOIN_STARTS,
    JOIN_BROADCAST_CLOSED, // given up, and so all below
    JOIN_STORE_AWAY,       // past the deadline: the store did not answer
    JOIN_TOO_MANY_VIDEOS   // past the deadline: the store has no place for the video
};

// A viewer that wants to watch. The joiner is the caller's until on_joined(), which comes exactly once and
// never from inside stream_join().
struct join_request {
    struct position last; // what it has seen; not set: it starts live
    int64_t deadline_ms;  // past it, it is given up
    int64_t patience_ms;  // past it, it starts with a gap where there is no memory for what it missed
    // It may start now: at `start`, with these frames (taken by the callee) before what is published next;
    // the callee adds it to the stream. Or it was given up: frames is NULL, and `outcome` says why.
    void (*on_joined)(struct join_request *, struct broadcast *, struct position start,
                      struct pending *frames);
    // The stream's:
    enum join_outcome outcome;
    struct broadcast *broadcast;
    struct join_request *prev, *next;
};
void broadcast_join(struct broadcast *, struct join_request *);

// Hands the viewer's sink and frames over; it is sent the kinds of moments that it asks for. In on_joined(),
// so that nothing comes between. Returns false, and takes nothing, if there is no room for it.
bool broadcast_add(struct broadcast *, const struct sink *, uint8_t asks, struct pending *);

unsigned broadcast_viewers(const struct broadcast *);

// Several times a second: gives up on joiners, lets go of history.
void broadcast_sweep(struct broadcast_env *);

// Returns one of the streams that nobody has watched or waited for in the last for_ms, or NULL.
struct broadcast *broadcast_idle_for(struct broadcast_env *, int64_t for_ms);
