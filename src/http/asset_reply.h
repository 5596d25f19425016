// Private to http: answers with a static file.
#pragma once

struct http_asset;
struct http_exchange;

// Answers with the file, compressed if the client takes that, or with 304 if the client has it.
void http_reply_asset(struct http_exchange *, const struct http_asset *);
