// Private to http: where a server and its connections meet, whatever their protocol. The server sees a
// connection as a table of operations; the connection sees the server as its host.
//
// Control loop only, and with it HTTP/1.1 (h1_conn.c): its stream is on the host's loop; it calls guards and
// handlers directly; and it shares, without locks, the scheduler and the counters of its host, the account of
// memory.h and the list of servers, which the process has once, and the buffer that it reads into. A
// connection on another thread needs its own of each, or posts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "http/counters.h"
#include "http/router.h"
#include "memory.h"
#include "response.h"
#include "scheduler.h"

struct http_conn;
union address;
struct loop;
struct networks;
struct stream_ops;

struct http_host {
    struct loop *loop;
    const struct stream_ops *transport; // of its connections
    struct http_site site;
    const struct networks *trusted_proxies; // or NULL
    bool is_exempt;                         // from the limits of addresses
    int header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    uint64_t closes_from; // connections with this number or a greater one close once answered; 0: none
    struct http_scheduler scheduler;
    struct http_common common;
    struct http_counters counters;
    // Once for each connection whose origin a proxy's header has shown: counts it, or resets it.
    void (*on_origin)(struct http_host *, struct http_conn *, const union address *);
    // Once per connection: its socket is closed, or belongs to a stream. Its memory may live on.
    void (*on_closed)(struct http_host *, struct http_conn *);
};

struct http_conn_ops {
    // Does what can be done now, within HTTP_TASK_COST. Returns what it cost (scheduler.h).
    int64_t (*serve)(struct http_conn *);
    // Whether it waits for a request with nothing unsent or unread, or only for its client to close.
    bool (*is_idle)(const struct http_conn *);
    // Its deadline has passed: closes it, or answers 408.
    void (*expire)(struct http_conn *);
    // Frees its memory: an incomplete request is answered 503, any other connection closed. The response may
    // remain to be sent.
    void (*drop)(struct http_conn *);
    void (*close)(struct http_conn *);
    void (*reset)(struct http_conn *); // the same, and its client sees a reset
};

struct http_conn {
    const struct http_conn_ops *ops;
    struct http_host *host; // NULL once closed
    int64_t deadline_ms;    // 0: none
    uint64_t number;        // counted as they come
    address_key counted; // the address that has it, until it closes or becomes a stream; 0: none is limited
    bool is_crowding;    // its address connects too often: its first request is refused
    struct http_task task;
    struct http_hold hold;
    struct http_conn *prev, *next; // the server's, in any order
};
