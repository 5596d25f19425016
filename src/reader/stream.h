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
struct load;
struct lobby;
struct log_sampler;
struct pending;
struct sink;
struct stream;
struct vacancy;

// What the streams of a reader have in common. It outlives them.
struct stream_env {
    // To be set by the owner:
    struct loop *loop;
    struct engine *engine;
    struct fanout *fanout;
    struct fan_counters *counters;
    struct history_budget *budget;
    const char *instance_id;
    struct log_sampler *sampler;
    // Its first viewer has come, its last one has left. NULL: nothing depends on it.
    void (*on_audience)(struct stream *, bool watched);
    // The streams' own:
    struct feed_env feed_env;
    uint64_t viewers;          // of all of them
    unsigned loading;          // how many loads have their turn
    struct load *loads;        // those
    struct load *load_line;    // those that wait for it
    struct loop_timer room;    // when those that have no room look again
    struct joiner *arrivals;   // of this turn
    struct joiner *arriving;   // those that the job has taken
    struct loop_job receive;   // at the end of the turn
    struct lobby *lobbies;     // of those with somebody who waits
    struct vacancy *vacancies; // of those without viewers, oldest first
};
void stream_env_init(struct stream_env *);

struct stream {
    struct stream_env *env;
    struct feed feed;
    struct fan_video *fan;
    struct history history;
    struct lobby *lobby;     // NULL: nobody waits
    struct vacancy *vacancy; // NULL: somebody watches
};

// `video` is borrowed until stream_end().
void stream_open(struct stream *, struct stream_env *, const char *video);
void stream_end(struct stream *);

enum joiner_outcome {
    JOINER_STARTS,
    JOINER_STREAM_ENDED,   // given up, and so all below
    JOINER_STORE_AWAY,     // past the deadline: the store did not answer
    JOINER_TOO_MANY_VIDEOS // past the deadline: the store has no place for the video
};

// A viewer that wants to watch. The joiner is the caller's until on_joined(), which comes exactly once and
// never from inside stream_join().
struct joiner {
    struct position last; // what it has seen; not set: it starts live
    int64_t deadline_ms;  // past it, it is given up
    int64_t patience_ms;  // past it, it starts with a gap where there is no memory for what it missed
    // It may start now: at `start`, with these frames (taken by the callee) before what is published next;
    // the callee adds it to the stream. Or it was given up: frames is NULL, and `outcome` says why.
    void (*on_joined)(struct joiner *, struct stream *, struct position start, struct pending *frames);
    // The stream's:
    enum joiner_outcome outcome;
    struct stream *stream;
    struct joiner *prev, *next;
};
void stream_join(struct stream *, struct joiner *);

// Hands the viewer's sink and frames over; it is sent the kinds of moments that it asks for. In on_joined(),
// so that nothing comes between. Returns false, and takes nothing, if there is no room for it.
bool stream_add(struct stream *, const struct sink *, uint8_t asks, struct pending *);

unsigned stream_viewers(const struct stream *);

// Several times a second: gives up on joiners, lets go of history.
void stream_sweep(struct stream_env *);

// Returns one of the streams that nobody has watched or waited for in the last for_ms, or NULL.
struct stream *stream_left_alone(struct stream_env *, int64_t for_ms);
