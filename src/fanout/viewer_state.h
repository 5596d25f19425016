// The state of a viewer, private to the fan-out; its functions are in viewer.h. Worker's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/position.h"
#include "net/loop.h"
#include "net/sink.h"

struct channel;
struct frame;
struct pending;

enum viewer_list {
    LIST_NONE,
    LIST_WAITING, // of the channel: sockets with room, whose next bytes wait for a flush
    LIST_BLOCKED, // of the environment: full sockets, the one without progress for longest first
    LIST_SPENT,   // as BLOCKED, but without a backlog that could be dropped
    LIST_BEHIND   // of the environment: sockets with room and a backlog, which are sent more in turn
};

// A sink that is not plain TCP.
struct viewer_transport {
    struct sink_owner owner;
    const struct sink_ops *ops;
    void *state;
};

// Of a viewer whose stream ends at a time.
struct viewer_expiry {
    struct loop_timer timer;
    struct viewer *viewer;
    bool over; // the time has come
};

struct viewer {
    struct loop_fd watch; // the sink's descriptor; -1: it has none; the tag is its user (sink.user)
    uint32_t slot;        // in the channel's viewer set
    uint32_t offset;      // bytes already sent of the frame it is at
    struct channel *channel;
    enum sink_framing framing : 8;
    bool is_socket : 1; // its sink is plain TCP: there is no transport
    bool closed : 1;
    bool gap : 1;
    bool finishing : 1; // it has been sent, or is being sent, the stream's end
    bool fin_seen : 1;  // the client has closed its side: for good, or to read on
    enum viewer_list list : 3;
    uint8_t asks : 6;        // kinds of moments that it asked for,
    bool moves : 1;          // finishing, because another reader is to have it
    bool expires : 1;        // there is an expiry, behind the transport
    uint8_t lacks;           // and those of which it lacks the latest
    uint32_t joined_ds;      // for the report about its stream: when, in tenths of a second
    uint32_t bytes_before;   // sent over its connection for earlier requests
    uint32_t unseen;         // frames of the channel that it was not sent; modulo 2^32, like their number
    struct pending *pending; // NULL once sent
    uint64_t cursor;         // the frame it is at, while it lags
    struct position gap_from;
    uint32_t moved_ms; // when it last accepted data, while it lags; modulo 2^32
    uint32_t address;  // whose stream it is (net/address_limits.h)
    union {
        struct {
            struct viewer *prev, *next; // in its list
        };
        struct loop_job reap; // once it is closed
    };
    struct viewer_transport transport[];
};
_Static_assert(sizeof(struct viewer) == 104, "millions of these wait; malloc takes 112 bytes");
