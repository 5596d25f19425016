// Private to http: what the rooms of an HTTP/1.1 connection share.
//
// Bytes are read (h1_read) and parsed into a request (h1_parse); the complete request goes to the site
// (h1_dispatch), all of that in h1_input.c; once it is answered (h1_reply, h1_output.c), the next one is
// parsed. h1_conn.c makes it, and has what the server asks of it.
//
// A connection outlives its socket if the client disconnects before its request is answered. What an answer
// makes possible, above all the next request, happens in a later step of h1_serve(), never inside h1_reply().
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "conn.h"
#include "h1_parser.h"
#include "http/exchange.h"
#include "net/address.h"
#include "net/address_limits.h"
#include "net/loop.h"
#include "net/stream.h"
#include "request_parts.h"

enum {
    H1_KEPT_BYTES = 4096, // of each buffer, by a connection between requests
    H1_LINGER_MS = 2000
};

enum h1_state {
    H1_PROXY,    // the header of a proxy is awaited (proxy_header.h); its bytes are kept in request.head
    H1_IDLE,     // between requests, nothing read
    H1_HEAD,     // part of the request line or header fields read
    H1_BODY,     // head complete
    H1_HELD,     // request complete; waits until all earlier responses are sent, and for its client's lane
    H1_HANDLING, // the site's handler is running
    H1_WAITING,  // the handler has returned without an answer
    H1_REPLYING, // a part of the response has been given, and the rest will be
    H1_SENDING_LAST, // no further request is read; responses are unsent
    H1_LINGER,       // half-closed; what still arrives is discarded, so that the client can read the response
    H1_ORPHANED,     // the socket is closed, but the exchange has not ended
    H1_CLOSED        // freed at the end of the turn
};

struct h1_conn {
    struct http_conn base; // first
    struct http_exchange exchange;
    struct stream stream;
    enum h1_state state;
    bool ended;           // nothing more is read: the connection closes when everything is sent
    bool last;            // no further request is read after this one
    bool is_proxy;        // a trusted one: its requests are those of many clients
    bool pauses;          // stops in this turn: its client's lane has no quota left
    address_key peer_key; // of the connection's origin; 0: it is exempt
    address_key key;      // of the address that the request comes from
    struct h1_parser parser;
    struct http_request request;
    struct buf in;        // received
    size_t in_parsed;     // bytes of it
    union address source; // in a proxy's header
    size_t unskipped;     // bytes of that which are still to come
    struct buf out;       // to be sent
    const char *tail;     // to be sent after it: the rest of a static body
    size_t tail_len;
    int64_t cost; // of the work of this turn
    // Of a body in pieces:
    http_on_room *on_room;
    void *on_room_arg;
    bool handling, chunked, awaits_room, tells_room;
    struct loop_job room;
    struct loop_job reap;
};

static inline struct h1_conn *h1_of(struct http_conn *base) {
    return container_of(base, struct h1_conn, base);
}

static inline size_t h1_unsent(const struct h1_conn *c) {
    return c->out.len + c->tail_len;
}

// A stream that is not writable may hold bytes that it has taken.
static inline bool h1_is_sending(const struct h1_conn *c) {
    return h1_unsent(c) || (!c->stream.error && !c->stream.writable);
}

static inline void h1_drop_input(struct h1_conn *c) {
    c->in.len = c->in_parsed = 0;
}

static inline struct h1_conn *h1_of_exchange(struct http_exchange *x) {
    return container_of(x, struct h1_conn, exchange);
}

// Releases a buffer that a waiting connection does not need.
void h1_shrink(struct buf *);

// Accounts for the connection's buffers; h1_account() also where they may have grown: then other waiting
// connections may have to be dropped.
void h1_settle(struct h1_conn *);
void h1_account(struct h1_conn *);

// The next request may come.
void h1_start_request(struct h1_conn *);

void h1_close(struct http_conn *);
void h1_reset(struct http_conn *);

// Leaves the host. The stream is closed or has become a sink.
void h1_detach(struct h1_conn *, enum h1_state);

// Frees it at the end of the turn.
void h1_reap_later(struct h1_conn *);

// Tells a handler that waits for room for its body, in pieces, that there is some: at the end of the turn, by
// the job h1_on_room().
void h1_tell_room(struct h1_conn *);
void h1_on_room(struct loop_job *);
