// Private to http: connections on which a proxy has to send its header first (proxy_header.h), and what it
// costs those that do not: the connection, which is counted. Control loop only.
#pragma once

#include "http/counters.h"

struct http_counters;
union address;

// Counts a connection that is closed for a reason, and logs the first and then one every 10 s. One that ends
// before its header is complete, as a check of a balancer does that only connects, is not logged.
void http_proxied_refuse(struct http_counters *, enum http_proxied_reason, const union address *peer,
                         int64_t now_ms);
