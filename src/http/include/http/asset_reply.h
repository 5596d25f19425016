// Replies with a static file, from a handler of a route.
#pragma once

#include <stdbool.h>

struct http_asset;
struct http_exchange;

// Replies with the file, compressed if the client accepts that, or with 304 if the client has it.
void http_reply_asset(struct http_exchange *, const struct http_asset *);

// Whether an If-None-Match field's list names the tag, compared weakly (RFC 9110, 13.1.2).
bool http_lists_tag(const char *list, const char *etag);
