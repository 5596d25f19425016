// Replies with a static file, from a handler of a route.
#pragma once

struct http_asset;
struct http_exchange;

// Replies with the file, compressed if the client accepts that, or with 304 if the client has it.
void http_reply_asset(struct http_exchange *, const struct http_asset *);
