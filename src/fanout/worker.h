// A fan-out worker: a thread with an event loop and, on request, a descriptor table of its own. It holds the
// channels of many videos. Private to fanout; all functions belong to the control loop.
#pragma once

#include <stdbool.h>

#include "channel.h"

struct worker;

enum worker_verb {
    WORKER_ADD,
    WORKER_PUBLISH,
    WORKER_SKIP, // only its author's viewers get it
    WORKER_MOMENT,
    WORKER_MOVE, // some of its viewers are to leave
    WORKER_END,  // nothing more is published
    WORKER_RETIRE,
    WORKER_RELIEVE, // memory is scarce (channels_relieve)
    WORKER_EVICT,   // places are (channels_evict)
    WORKER_BOUNDS,
    WORKER_RETRY // after what time to reconnect has changed
};

// What crosses from the control loop to a worker.
struct worker_command {
    enum worker_verb verb;
    uint8_t moments;         // ADD: those asked for; MOMENT, MOVE: its kind
    enum fan_end end;        // RETIRE: of its viewers' streams
    struct channel *channel; // NULL: RELIEVE, EVICT, BOUNDS, RETRY
    struct frame *frame;     // PUBLISH, SKIP, MOMENT; MOVE: or NULL
    uint32_t user, more;     // SKIP: a hash of the author; how many before it were left out. MOVE: how many.
                             // RETRY: the time, ms
    struct sink sink;        // ADD
    union {
        struct pending *pending;   // ADD
        struct fan_bounds *bounds; // BOUNDS
    };
};

// Called on the control loop, in jobs that a worker posts there: n viewers of a channel have gone; and, as
// the last notification about it, a channel has been retired. `owner` is the channel's.
struct worker_listener {
    void (*on_left)(void *arg, void *owner, uint32_t n);
    void (*on_retired)(void *arg, void *owner);
    void *arg;
    // Called on the worker's thread (channel_env).
    void (*on_closed)(const struct channel *, struct fan_report *);
};

struct worker_config {
    struct fan_bounds bounds;
    bool own_descriptors;
    struct worker_listener listener;
};

// Returns NULL and sets *error if the kernel refuses a thread, a descriptor, or a table.
struct worker *worker_new(struct loop *control, const struct worker_config *, int *error);

// Ends the thread and closes everything that it still holds. Its jobs on the control loop still refer to it:
// call worker_free() after loop_drain(control).
void worker_stop(struct worker *);
void worker_free(struct worker *);

struct channel_env *worker_env(struct worker *);

// Posts a command; takes the frame, or sink and pending, or the bounds, or (RETIRE) the channel.
void worker_post(struct worker *, const struct worker_command *);
