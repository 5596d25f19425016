// A request and its outcome: what a handler holds. It ends exactly once, by a reply, a stream or an abort,
// while the handler runs or in any later turn; until then its request stays valid. A client that disconnects
// in the meantime does not end it, so a handler need not know.
//
// Each protocol implements the operations: HTTP/1.1 (h1_conn.c), later HTTP/2, a test's fake. They are called
// on the control loop, like guards and handlers (router.h). None of them calls a handler before it returns,
// and none blocks. A connection that lives on another thread posts the outcome there; what it needs of a
// reply it copies, and the sink of a stream it must have ready, since begin_stream() returns it.
#pragma once

#include <stdbool.h>

#include "http/reply.h"
#include "http/router.h"

struct buf;
struct http_exchange;
struct sink;

// Of a body that comes in pieces.
enum http_room {
    HTTP_ROOM,    // another piece may be added now
    HTTP_NO_ROOM, // not before on_room()
    HTTP_GONE     // the client has disconnected: nothing more can be sent, and the body has to be ended
};
typedef void http_on_room(void *arg);

struct http_exchange_ops {
    void (*reply)(struct http_exchange *, const struct http_reply *);
    void (*begin_body)(struct http_exchange *, const struct http_reply *, http_on_room *, void *arg);
    enum http_room (*add_body)(struct http_exchange *, const void *bytes, size_t len);
    void (*end_body)(struct http_exchange *, bool complete);
    bool (*begin_stream)(struct http_exchange *, struct sink *, struct buf *head);
    void (*abort)(struct http_exchange *);
};

struct http_exchange {
    const struct http_exchange_ops *ops;
    struct http_request *request;
    // What answers the request, found once its head is complete:
    struct http_match match;
    struct http_refusal refusal;
    bool keeps_body; // after its handler has returned
};

// Sends a response, and ends the exchange.
static inline void http_reply(struct http_exchange *x, const struct http_reply *reply) {
    x->ops->reply(x, reply);
}

// Respond with a body of unknown length, in pieces, as fast as the client reads: of the reply given at the
// beginning only the head counts. Once http_add_body() has returned HTTP_NO_ROOM, about HTTP_PIECES_UNSENT
// bytes wait to be sent; on_room() is called once when they have been, or the client has disconnected, never
// from inside these functions. A client that reads nothing for as long as an idle one may stay is
// disconnected; one that has read all of it waits for the next piece, however long that takes. The exchange
// ends with http_end_body(); if the body is not `complete`, the client can tell.
enum { HTTP_PIECES_UNSENT = 65536 };
static inline void http_begin_body(struct http_exchange *x, const struct http_reply *head,
                                   http_on_room *on_room, void *arg) {
    x->ops->begin_body(x, head, on_room, arg);
}
static inline enum http_room http_add_body(struct http_exchange *x, const void *bytes, size_t len) {
    return x->ops->add_body(x, bytes, len);
}
static inline void http_end_body(struct http_exchange *x, bool complete) {
    x->ops->end_body(x, complete);
}

// Reply with {"error":sentence,"code":code}, which are sent as they are: without a quote in them.
void http_reply_refusal(struct http_exchange *, const struct http_refusal *);
void http_reply_error(struct http_exchange *, int status, const char *code, const char *sentence);

// Ends the exchange without a response: closes the connection, or resets the stream, once the responses to
// earlier requests are sent. To a browser's EventSource that is the only refusal after which it reconnects.
static inline void http_abort(struct http_exchange *x) {
    x->ops->abort(x);
}

// Ends the exchange with an event stream, in a route that has `streams`: sets the sink, which is the
// caller's, and adds to `head` the bytes that the caller must send first, as they are, so that they leave
// together with the first event. Returns false, and sets nothing, if the client has disconnected.
static inline bool http_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    return x->ops->begin_stream(x, sink, head);
}

// For a handler that is to be called once more, after it has returned: keeps the body for that. Returns false
// if there is no memory for it: the handler has to refuse the request then.
bool http_exchange_keep_body(struct http_exchange *);

// Whether a handler or a file will answer, and not a refusal or the table itself (OPTIONS). Known once the
// request's head is complete.
bool http_exchange_is_handled(const struct http_exchange *);
