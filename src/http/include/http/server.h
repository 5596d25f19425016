// HTTP server: one listening address and the site it serves. Parsing is llhttp's, in strict mode, plus what
// llhttp leaves to its users (Host, white space before a colon, limits).
//
// Control loop only. Requests of one connection are answered one after the other, in order (pipelining waits
// in the socket). Everything a client can make grow is bounded: header block HTTP_HEAD_MAX and what of it is
// read HTTP_KEPT_MAX (431), body per route (413), time for headers and for the body (408 and close),
// connections per server. Bad input is answered with 4xx and {"error","code"}, and closes the connection
// where the message's end cannot be known.
//
// Every answer carries the CORS headers; OPTIONS, HEAD, 404 and 405 are answered from the tables.
#pragma once

#include <stdbool.h>

#include "http/counters.h"
#include "http/router.h"

struct loop;
struct http_server;
struct stream_ops;

struct http_server_config {
    const char *role; // for log lines
    const char *bind; // IPv4 or IPv6 address, or a name: then all addresses it has
    int port;         // 0: the kernel chooses
    int header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    unsigned max_connections;
    bool start_later;                   // only http_server_start() begins to accept
    const struct stream_ops *transport; // of its connections; NULL: plain TCP
    struct http_site site;              // its `arg` may be set later, before the loop runs
};

// Binds and listens, at once. Returns NULL and sets *error to a negative errno.
struct http_server *http_server_new(struct loop *, const struct http_server_config *, int *error);

// Lets those in who wait.
void http_server_start(struct http_server *);

void http_server_set_arg(struct http_server *, void *arg);

// Returns what it has seen so far; stays the server's.
const struct http_counters *http_server_counters(const struct http_server *);

// Returns the port that is listened on.
int http_server_port(const struct http_server *);

// Closes the listener and all connections. Requests not yet answered may still be answered (to nobody).
void http_server_free(struct http_server *);
