// Private to the HTTP client: a connection to an origin.
//
// A connection is made for a transfer (one request and its response), carries one at a time, and is idle in
// between. It reports the outcome by one callback, exactly once for each transfer and never inside the calls
// below. It owns its stream, and is freed at the end of the turn after http_client_conn_close(). Control loop
// only.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/stream.h"

enum {
    HTTP_CLIENT_HEAD_MAX = 65536,  // status line and header fields of a response
    HTTP_CLIENT_CONNECT_MS = 3000, // for each address of a name
    HTTP_CLIENT_IDLE_MS = 30000    // an idle connection is closed
};

struct http_transfer {
    struct buf request; // kept whole for a second attempt
    struct buf body;    // of the response
    size_t body_max;
    int status;
    struct buf field, etag;        // name of the header field that is read; value of that one
    bool head_only;                // HEAD: the response has no body
    struct http_client_conn *conn; // that carries it, or NULL
};

enum http_client_conn_state {
    CLIENT_CONN_CONNECTING,
    CLIENT_CONN_WAITING, // no byte of the response has been received
    CLIENT_CONN_HEAD,
    CLIENT_CONN_BODY,
    CLIENT_CONN_COMPLETE, // the whole response has been received; only while it is parsed
    CLIENT_CONN_IDLE,
    CLIENT_CONN_CLOSED
};

enum http_client_outcome {
    HTTP_TRANSFER_DONE,   // the response is complete; the connection is idle or closed
    HTTP_TRANSFER_LOST,   // the connection is closed. NULL for a transfer: it was idle
    HTTP_TRANSFER_UNSEEN, // the same, but the peer closed a connection used before, and before any byte of
                          // this response: most likely it never saw the request
    HTTP_TRANSFER_UNREACHABLE // the connection is closed: no address could be connected to
};

typedef void http_client_conn_cb(struct http_client_conn *, struct http_transfer *, enum http_client_outcome,
                                 int error);

struct http_client_conn {
    struct loop *loop;
    void *owner;
    http_client_conn_cb *on_outcome;
    enum http_client_conn_state state;
    struct http_transfer *transfer; // NULL while idle
    struct stream stream;
    struct loop_timer timer; // an attempt to connect, or idleness
    struct loop_job reap;
    struct resolver_addresses addresses; // left to try, `next_address` is the next
    unsigned next_address;
    int port;
    int connect_error; // of the latest attempt
    size_t sent;       // bytes of the request
    bool used;         // has carried a transfer before this one
    bool keep_alive;   // may carry another one, once complete
    size_t head_bytes; // of this response
    int refusal;       // why a callback stopped the parser
    llhttp_t parser;
    struct http_client_conn *prev, *next; // its owner's
};

// Begins to connect for a transfer, which then follows.
struct http_client_conn *http_client_conn_new(struct loop *, const struct stream_ops *,
                                              const struct resolver_addresses *, int port,
                                              struct http_transfer *, http_client_conn_cb *, void *owner);

// Begins the next transfer of an idle connection.
void http_client_conn_begin(struct http_client_conn *, struct http_transfer *);

// Closes it, without a callback for its transfer, if any.
void http_client_conn_close(struct http_client_conn *);
