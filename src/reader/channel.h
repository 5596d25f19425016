// One video's viewers on one worker: whoever is up to date gets each new frame with one send; whoever could
// not take everything has a cursor into a bounded ring; whoever falls off the ring gets a `gap` and jumps to
// the newest; whoever takes nothing for long is closed. All belongs to the worker's thread.
//
// The viewers stand in one dense array: the first `ready` of them are up to date and need no state, the
// others lag (or are still being given their first bytes).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "reader/frame.h"
#include "reader/ring.h"

struct channel;
struct fan_counters;

// What a viewer is to be sent before it follows the channel: its head, and what it missed. Owns references.
struct pending {
    uint32_t count, next;
    struct frame *frames[];
};

struct viewer {
    struct loop_fd watch;
    uint32_t slot;   // in the channel's array
    uint32_t offset; // bytes already sent of the frame it is at
    struct channel *channel;
    struct pending *pending; // NULL once sent
    uint64_t cursor;         // the frame it is at, while it lags
    struct position gap_from;
    bool gap, closed;
    int64_t moved_ms; // when it last took something, while it lags
    struct loop_job reap;
};

// Limits, the same for all channels.
struct channel_bounds {
    uint32_t ring_frames;
    size_t ring_bytes;
    int heartbeat_ms, stall_ms;
};

struct channel {
    struct loop *loop;
    struct fan_counters *counters;
    const struct channel_bounds *bounds;
    void *owner;     // for the worker
    uint64_t serial; // for the fan-out: a name that, unlike an address, is never used again
    struct viewer **viewers;
    uint32_t count, ready, room;
    struct ring ring;
    uint64_t sent;           // frames before this one have gone to those who are ready
    struct position sent_at; // where they stand
    int64_t flushed_ms;      // last time that those who are ready got bytes
    int64_t not_before_us;   // coalescing: no flush before this time
    int64_t heartbeat_due_ms;
    struct {
        unsigned long long delivered, sends, gaps, stalled;
    } tally;                                 // not yet added to the counters
    uint32_t left;                           // viewers gone since the worker last looked
    struct channel *prev, *next;             // all channels of the worker
    struct channel *dirty_prev, *dirty_next; // those with something to flush
    bool dirty;
};

void channel_init(struct channel *, struct loop *, struct fan_counters *, const struct channel_bounds *);

// Closes all viewers.
void channel_release(struct channel *);

// Adds a viewer that will get `pending` (taken) and then what is published from now on. Takes fd.
void channel_add(struct channel *, int fd, struct pending *, int64_t now_ms);

// Adds a frame, whose reference is taken; channel_flush() sends it.
void channel_publish(struct channel *, struct frame *);

// Sends what is new to all who are ready, and as much as they take to those who lag.
void channel_flush(struct channel *, int64_t now_ms);

// Several times a second: heartbeats, and the end of those who take nothing.
void channel_sweep(struct channel *, int64_t now_ms);
