// One viewer of a channel, on its worker's thread. While it is up to date it needs no state but its place;
// while it lags it keeps where it is: in its first bytes (`pending`), in a gap to be announced, or in the
// channel's ring (`cursor`). One that lags is in one of three lists, so that nothing has to look at all of
// them: of its channel's that only wait for a flush, or of its worker's whose sockets are full.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/position.h"
#include "net/loop.h"

struct channel;
struct frame;
struct pending;

enum viewer_list {
    LIST_NONE,
    LIST_WAITING, // of the channel: sockets with room, which the next flush has something for
    LIST_BLOCKED, // of the environment: full sockets, the one that has accepted no data for longest first
    LIST_SPENT    // as BLOCKED, but without a backlog that could be dropped
};

struct viewer {
    struct loop_fd watch;
    uint32_t slot;   // in the channel's seats
    uint32_t offset; // bytes already sent of the frame it is at
    struct channel *channel;
    struct pending *pending; // NULL once sent
    uint64_t cursor;         // the frame it is at, while it lags
    struct position gap_from;
    bool gap, closed;
    bool fin_seen; // the client has closed its side: for good, or to read on
    enum viewer_list list : 8;
    int64_t moved_ms; // when it last took something, while it lags
    union {
        struct {
            struct viewer *prev, *next; // in its list
        };
        struct loop_job reap; // once it is closed
    };
};

// Takes fd and pending. Returns NULL if there is no fd (negative) or the loop cannot watch it. It has no seat
// yet.
struct viewer *viewer_new(struct channel *, int fd, struct pending *, int64_t now_ms);

// Gives its seat up; it is freed at the end of the turn.
void viewer_close(struct viewer *);

// As viewer_close(), but the kernel forgets at once what it holds for it, instead of waiting for it to be
// read (socket(7), SO_LINGER): for one that does not read.
void viewer_reset(struct viewer *);

// Sends a laggard what it takes; it is ready again when there is no more.
void viewer_push(struct viewer *, int64_t now_ms);

// A ready one took only `taken` bytes of the frames from `from` on: it lags.
void viewer_lag_behind(struct viewer *, uint64_t from, size_t taken, int64_t now_ms);

// A ready one took only a part of a heartbeat (borrowed), which must be ended.
void viewer_owe(struct viewer *, struct frame *, size_t taken, int64_t now_ms);

// The frame a laggard is at is about to leave the ring: it will be told of a gap.
void viewer_fall_off(struct viewer *);

// Drops a blocked viewer's backlog, except for a frame partly sent: it will get a gap.
void viewer_drop_backlog(struct viewer *);

// Whether it only waits for the next flush.
bool viewer_waits(const struct viewer *);
