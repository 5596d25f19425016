// One request and what becomes of it: what a handler holds. It ends exactly once, by a reply, by a stream or
// by an abort, while the handler runs or in any later turn; until then its request stays. A client that goes
// away meanwhile does not end it, so a handler need not know.
//
// Whatever carries requests implements the operations: HTTP/1.1 (h1_conn.c), later HTTP/2, a test's fake. All
// belong to the thread on which the handler was called. None of them calls a handler before it returns, and
// none blocks; the connection itself may belong to another thread.
#pragma once

#include <stdbool.h>

#include "http/reply.h"
#include "http/router.h"

struct buf;
struct http_exchange;
struct sink;

struct http_exchange_ops {
    void (*reply)(struct http_exchange *, const struct http_reply *);
    bool (*begin_stream)(struct http_exchange *, struct sink *, struct buf *head);
    void (*abort)(struct http_exchange *);
};

struct http_exchange {
    const struct http_exchange_ops *ops;
    struct http_request *request;
    // What answers it, as found by its head:
    struct http_match match;
    struct http_refusal refusal;
};

// Answers, and ends the exchange.
static inline void http_reply(struct http_exchange *x, const struct http_reply *reply) {
    x->ops->reply(x, reply);
}

// Answer with {"error":sentence,"code":code}, texts without a quote.
void http_reply_refusal(struct http_exchange *, const struct http_refusal *);
void http_reply_error(struct http_exchange *, int status, const char *code, const char *sentence);

// Ends the exchange without a response: closes the connection, or resets the stream, once the responses to
// earlier requests are sent. To a browser's EventSource that is the only refusal after which it reconnects.
static inline void http_abort(struct http_exchange *x) {
    x->ops->abort(x);
}

// Ends the exchange with an event stream, in a route that has `streams`: gives its sink to the caller, and
// adds to `head` the bytes that the caller must send before all others, as they are; so they leave together
// with the first event. Returns false, and gives nothing, if the client has gone.
static inline bool http_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    return x->ops->begin_stream(x, sink, head);
}

// Whether a handler or a file will answer, rather than a refusal or the table itself (OPTIONS). Known once
// the request's head is.
bool http_exchange_is_handled(const struct http_exchange *);
