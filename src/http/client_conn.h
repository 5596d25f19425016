// Private to the HTTP client: a call, and the connection that carries it.
//
// A call waits at its origin, is carried by one connection, and ends (http_client.c). A connection is made
// for a call, carries one at a time, and stands idle between two; it owns its socket and dies by
// http_client_conn_close(), its memory at the end of the turn. What happens to it it tells through the three
// functions below.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "http/client.h"
#include "net/resolver.h"
#include "net/loop.h"

enum {
    HTTP_CLIENT_BODY_MAX = 1048576, // of a request, and of an answer unless its request says more
    HTTP_CLIENT_HEAD_MAX = 65536,   // status line and header fields of an answer
    HTTP_CLIENT_CONNECT_MS = 3000,  // for each address of a name
    HTTP_CLIENT_IDLE_MS = 30000     // an idle connection is closed
};

struct http_call {
    struct http_client *client;
    struct http_origin *origin;    // NULL: it failed before it had one
    struct http_client_conn *conn; // while it is carried
    struct loop_timer timer;
    struct loop_job reap;
    struct buf out;  // the request, kept whole for a second try
    struct buf body; // of the answer
    size_t body_max;
    int status;
    int error;           // what it will end with when the timer is due
    bool head_only;      // HEAD: the answer has no body
    bool waiting, fresh; // stands in origin->waiting; wants a connection never used before
    http_client_cb *done;
    void *arg;
    struct http_call *prev, *next;           // in client->calls
    struct http_call *wait_prev, *wait_next; // in origin->waiting
};

enum http_client_conn_state {
    CLIENT_CONN_CONNECTING,
    CLIENT_CONN_BUSY,
    CLIENT_CONN_IDLE,
    CLIENT_CONN_CLOSED
};

struct http_client_conn {
    struct loop_fd watch;
    struct loop_timer timer; // the present attempt to connect, or being idle
    struct loop_job reap;
    struct loop *loop;
    struct http_origin *origin;
    struct http_call *call; // while connecting or busy
    enum http_client_conn_state state;
    struct resolver_addresses addresses; // left to try, `next_address` is the next
    unsigned next_address;
    int port;
    int connect_error; // of the latest attempt
    size_t sent;       // bytes of call->out
    bool send_failed;
    bool used;      // has carried a call before this one
    bool answering; // a byte of this call's answer has come
    bool complete, keep_alive;
    size_t head_bytes; // of this answer
    bool in_body;
    int refusal; // why a parser callback stopped
    llhttp_t parser;
    struct http_client_conn *prev, *next; // in origin->conns
};

// Starts connecting for a call. What becomes of it is told in a later turn.
struct http_client_conn *http_client_conn_new(struct loop *, struct http_origin *, struct http_call *,
                                              const struct resolver_addresses *, int port);

// Gives an idle connection its next call.
void http_client_conn_carry(struct http_client_conn *, struct http_call *);

void http_client_conn_close(struct http_client_conn *);

// Implemented by http_client.c.

// The call's answer is complete; the connection is idle or closed.
void http_client_on_answer(struct http_client_conn *, struct http_call *);
// The connection is closed; it carried `call` (NULL: none). `unheard`: it had been used before and was closed
// by the peer before any byte of this answer, so the peer most likely never saw the request.
void http_client_on_lost(struct http_client_conn *, struct http_call *, int error, bool unheard);
// The connection is closed, no address could be connected to.
void http_client_on_unreachable(struct http_client_conn *, struct http_call *, int error);
// Takes a closed connection out of its origin.
void http_client_forget_conn(struct http_client_conn *);
