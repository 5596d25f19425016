// Private to http: the answers of an HTTP/1.1 connection (h1_state.h). Control loop only.
#pragma once

struct h1_conn;
struct http_exchange_ops;

extern const struct http_exchange_ops h1_exchange_ops;

// Sends what is unsent. May close the connection. The caller accounts for the buffers.
void h1_flush(struct h1_conn *);
