// Private to http: replies with a static file.
#pragma once

struct http_asset;
struct http_exchange;

// Replies with the file, compressed if the client accepts that, or with 304 if the client has it.
void http_reply_asset(struct http_exchange *, const struct http_asset *);
