// HTTP server: one listening address and the site it serves. Parsing is llhttp's, in strict mode, plus what
// llhttp leaves to its users (Host, white space before a colon, limits).
//
// Control loop only. Requests of one connection are answered in order, one after the other (pipelined ones
// wait in the socket). Everything a client can make grow is bounded: the header block by HTTP_HEAD_MAX, and
// the part of it that is kept by HTTP_KEPT_MAX (431); the body by its route (413); the time for headers and
// for the body (408 and close); the connections of a server. Bad input is answered with 4xx and
// {"error","code"}, and the connection closed where the end of the message cannot be known.
//
// Every response carries the CORS headers; OPTIONS, HEAD, 404 and 405 are answered from the tables.
#pragma once

#include <stdbool.h>

#include "http/counters.h"
#include "http/router.h"

struct loop;
struct http_server;
struct networks;
struct stream_ops;

// A server for operators holds descriptors back, so that it is reached however many clients crowd at the
// others; and its clients are exempt from the limits of addresses.
enum { HTTP_RESERVE = 16 };

struct http_server_config {
    const char *role; // for log lines
    // IPv4 or IPv6 address, or a name: then all addresses it has. NULL: http_server_listen() says where.
    const char *bind;
    int port; // 0: the kernel chooses
    int header_timeout_ms, body_timeout_ms, idle_timeout_ms;
    unsigned max_connections;
    bool has_reserve;                       // see HTTP_RESERVE
    bool start_later;                       // only http_server_start() begins to accept
    const struct networks *trusted_proxies; // whose X-Forwarded-For counts; NULL: none. Lives as long
    const struct stream_ops *transport;     // of its connections; NULL: plain TCP
    void (*on_crowded)(void *arg);          // a descriptor is missing: may ask for others to be closed; NULL
    void *arg;
    struct http_site site; // its mounts are borrowed; their args may be set until it starts
};

// Binds and listens. Returns NULL on failure, and sets *error to a negative errno.
struct http_server *http_server_new(struct loop *, const struct http_server_config *, int *error);

// Listens at a further address, before it starts: unix:/PATH, whose file gets this mode, or ADDRESS:PORT.
// `is_proxied`: every connection comes from one of the trusted proxies, or through the unix socket, and
// begins with a header of the PROXY protocol. Returns 0 or a negative errno; -ENOSPC: there are
// HTTP_LISTENERS_MORE.
enum { HTTP_LISTENERS_MORE = 8 };
int http_server_listen(struct http_server *, const char *at, unsigned mode, bool is_proxied);

// Begins to accept connections.
void http_server_start(struct http_server *);

// Changes limits while it runs. What is being received keeps its time limit.
void http_server_set_limits(struct http_server *, int header_timeout_ms, int body_timeout_ms,
                            unsigned max_connections);

// Returns the counters, which remain the server's.
const struct http_counters *http_server_counters(const struct http_server *);

// Returns the listening port.
int http_server_port(const struct http_server *);

// Closes the listener and all connections. Requests not yet answered still have to be, to no effect.
void http_server_free(struct http_server *);

// The same, as if the process had died: nothing more is sent, and all clients see a reset.
void http_server_reset(struct http_server *);
