// Private to the HTTP server: schedules connections, so that neither one that sends at full speed, nor many
// from one address, nor many addresses that ask all the time delay others.
//
// A connection with work to do is served at once while little has been done in this turn of the loop and its
// address is not in the rotation; otherwise it is queued in its address's lane (keyed hash; IPv6 by /64; of a
// trusted proxy's connection, the address of the request's client). Lanes with a queue are served
// round-robin, one connection at a time. A lane that is served stays in the rotation until its turn comes
// round and it has nothing to do; one that was not in it goes ahead, seven times of eight. So an address that
// asks less often than a round takes hardly waits, however many others ask all the time (the sparse flows of
// FQ-CoDel, RFC 8290, section 4.2).
//
// A connection bounds its own work by its quantum. The cost is bytes in and out, plus a constant for each
// request and read. While others wait, the first quantum of a fresh lane is as much as a usual request needs:
// what has more to do is no sparse flow, and goes on in the rotation. So hundreds of new connections with
// large bodies delay a small request by little. There are lanes only while connections wait, and of what
// those that are served leave behind at most a few for each. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

union address;
struct http_lane;

enum {
    HTTP_LANE_BUCKETS = 1024,
    HTTP_FRESH_MOST = 7,        // fresh lanes in succession
    HTTP_TASK_COST = 24576,     // after which a connection is queued again; one request may exceed it
    HTTP_FIRST_COST = 2048,     // the same, for a fresh lane while others wait
    HTTP_READY_QUOTA = 24576,   // in a turn, of connections served as they become ready
    HTTP_WAITING_QUOTA = 32768, // in a turn, of queued connections
    HTTP_REQUEST_COST = 1024,   // beside its bytes
    HTTP_READ_COST = 256
};

// Embedded in a connection.
struct http_task {
    uint32_t lane; // of its client's address: http_scheduler_lane()
    bool waits;
    bool more;       // set by serve(): there is more to do
    int64_t quantum; // set for serve(): the cost at which it should stop
    bool eager;      // served as soon as it is ready: whose work comes next, only serve() will find out
    struct http_task *prev, *next;
};

struct http_scheduler {
    struct loop *loop;
    int64_t (*serve)(struct http_task *);       // does some work and returns what it cost
    struct http_lane *lanes[HTTP_LANE_BUCKETS]; // by their addresses
    struct http_lane *fresh, *rotation;         // each lane is in one of them
    int fresh_went;                             // in succession
    uint64_t turn;                              // of the loop, in which `left` of HTTP_READY_QUOTA is left
    int64_t left;
    struct loop_job job;
    bool scheduled;
    void (*on_idle)(struct http_scheduler *); // called once, after http_scheduler_stop()
};

void http_scheduler_init(struct http_scheduler *, struct loop *, int64_t (*serve)(struct http_task *));

// Ends it: on_idle is called in a later turn, when no connection waits, and may free it.
void http_scheduler_stop(struct http_scheduler *, void (*on_idle)(struct http_scheduler *));

// Returns the lane of an address.
uint32_t http_scheduler_lane(const union address *);

// Serves the connection from inside this call, or queues it. May be called while it is queued.
void http_scheduler_ready(struct http_scheduler *, struct http_task *);

// Moves the connection, which serve() is serving, to another lane. Returns whether that one could be served
// at once; otherwise serve() should stop.
bool http_scheduler_move(struct http_scheduler *, struct http_task *, uint32_t lane);

// Queues the connection: it never runs before this returns.
void http_scheduler_queue(struct http_scheduler *, struct http_task *);

// Whether the connection is queued although its address has had its turn: it asks all the time.
bool http_scheduler_is_backlogged(const struct http_scheduler *, const struct http_task *);

// Removes the connection from its queue, if it is in one.
void http_scheduler_leave(struct http_scheduler *, struct http_task *);
