// Private to the HTTP server: schedules connections, so that neither one that sends at full speed nor many
// from one address delay others.
//
// Connections are assigned to lanes by their client's address (keyed hash; IPv6 by /64): the peer's, or that
// of the request which a trusted proxy forwards. A connection with work to do is served immediately while its
// lane has quota left for this turn of the loop; otherwise it is queued in its lane. In the following turns
// lanes with a queue are served round-robin, one connection at a time. A connection bounds its own work
// (HTTP_TASK_COST). The cost is bytes in and out, plus a constant for each request and read. Control loop
// only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

union address;

enum {
    HTTP_LANES = 256,
    HTTP_TASK_COST = 24576,      // after which a connection is queued again; one request may exceed it
    HTTP_LANE_QUOTA = 65536,     // of a lane, in the turn in which its connections become ready
    HTTP_WAITING_QUOTA = 196608, // of queued connections, in a turn
    HTTP_REQUEST_COST = 1024,    // beside its bytes
    HTTP_READ_COST = 256
};

// Embedded in a connection.
struct http_task {
    uint8_t lane;
    bool waits;
    bool more;  // set by serve(): there is more to do
    bool eager; // served as soon as it is ready: whose work comes next, only serve() will find out
    struct http_task *prev, *next;
};

struct http_lane {
    struct http_task *waiting; // oldest first
    struct http_lane *prev, *next;
    uint64_t turn; // of the loop, in which `left` of the quota is left
    int64_t left;
};

struct http_scheduler {
    struct loop *loop;
    int64_t (*serve)(struct http_task *); // does some work and returns what it cost
    struct http_lane lanes[HTTP_LANES];
    struct http_lane *active; // those with a queue, in the order of their turns
    struct loop_job job;
    bool scheduled;
    void (*on_idle)(struct http_scheduler *); // called once, after http_scheduler_stop()
};

void http_scheduler_init(struct http_scheduler *, struct loop *, int64_t (*serve)(struct http_task *));

// Ends it: on_idle is called in a later turn, when no connection waits, and may free it.
void http_scheduler_stop(struct http_scheduler *, void (*on_idle)(struct http_scheduler *));

// Returns the lane of an address.
uint8_t http_scheduler_lane(const union address *);

// Serves the connection from inside this call, or queues it. May be called while it is queued.
void http_scheduler_ready(struct http_scheduler *, struct http_task *);

// Moves the connection, which serve() is serving, to another lane; all that this call of serve() costs is
// charged to it. Returns whether that lane has quota left for this turn of the loop and no queue; otherwise
// serve() should stop.
bool http_scheduler_move(struct http_scheduler *, struct http_task *, uint8_t lane);

// Queues the connection: it never runs before this returns.
void http_scheduler_queue(struct http_scheduler *, struct http_task *);

// Removes the connection from its queue, if it is in one.
void http_scheduler_leave(struct http_scheduler *, struct http_task *);
