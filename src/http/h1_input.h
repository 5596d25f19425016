// Private to http: the requests of an HTTP/1.1 connection (h1_state.h). Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct h1_conn;
struct http_conn;
struct http_host;
union address;

// Does one step after the other, within the cost of a turn, and returns what it cost (scheduler.h). May close
// the connection.
int64_t h1_serve(struct http_conn *);

bool h1_wants_input(const struct h1_conn *);

// Whether a connection from that address names its requests' clients: at a unix socket only proxies connect.
bool h1_is_proxy(const struct http_host *, const union address *);

// For a request after which parsing cannot go on: answers it by its refusal, and closes.
void h1_refuse_and_close(struct h1_conn *);
