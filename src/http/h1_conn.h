// Private to http: a connection of HTTP/1.1 or 1.0, and its one exchange. Requests are answered one after the
// other; pipelined ones wait in the socket.
#pragma once

#include <stdbool.h>

struct http_conn;
struct http_host;
union address;

// Takes a connected, non-blocking socket. `is_proxied`: a proxy's header comes first (proxy_header.h).
// Returns NULL, and has closed it, if it cannot be watched.
struct http_conn *h1_conn_new(struct http_host *, int fd, const union address *peer, bool is_proxied);
