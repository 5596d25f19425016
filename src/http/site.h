// Private to http: from a request to what answers it, the same for every protocol. The thread of the
// handlers.
#pragma once

#include <stdbool.h>

struct http_exchange;
struct http_request;
struct http_site;

// Finds what answers a request whose head is complete, and calls the guards of its mount and its route.
void http_site_admit(const struct http_site *, struct http_exchange *);

// Answers a request that is complete, or refused.
void http_site_handle(struct http_exchange *);

// Returns whether a request may be for an event stream, as far as its target has come: then no error may
// answer it, since a browser's EventSource does not reconnect after one.
bool http_site_may_stream(const struct http_site *, const struct http_request *);
