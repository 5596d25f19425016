// One video on one reader: its feed, its viewers' fan-out, and the history for those who come back. Control
// loop only. It opens with the video's first viewer; the reader closes it when the last has been gone for a
// while.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "reader/channel.h"
#include "reader/counters.h"
#include "reader/history.h"

struct engine;
struct fanout;
struct loop;
struct stream;

// What the streams of a reader have in common.
struct stream_env {
    struct loop *loop;
    struct engine *engine;
    struct fanout *fanout;
    struct fan_counters *counters;
    struct history_budget *budget;
    const char *instance_id;
    struct log_sampler *sampler;
};

struct stream *stream_open(const struct stream_env *, const char *video);
void stream_close(struct stream *);

// Somebody who wants to watch. The joiner is the caller's until on_joined().
struct joiner {
    struct position last; // what it has seen; not set: it starts live
    int64_t deadline_ms;  // past it, it is given up
    // It may start now: at `start`, with these frames (taken by the callee) before what is published next.
    // Or it was given up: frames is NULL.
    void (*on_joined)(struct joiner *, struct position start, struct pending *frames);
    struct joiner *prev, *next; // the stream's
};
void stream_join(struct stream *, struct joiner *);

// Hands the viewer's socket and frames over. In on_joined(), so that nothing comes between. Returns false,
// and takes nothing, if there is no room for it.
bool stream_add(struct stream *, int fd, struct pending *);

unsigned stream_viewers(const struct stream *);

// When the last viewer left, or 0 while there is somebody.
int64_t stream_idle_since_ms(const struct stream *);

// Several times a second: gives up on joiners, lets go of history.
void stream_sweep(struct stream *);
