// What a server has done so far. Written and read on the thread of its handlers.
#pragma once

#include <stdint.h>

enum { HTTP_STATUS_MAX = 600 };

// Why a connection to an address of --proxy-listen was closed before its first request.
enum http_proxied_reason {
    HTTP_PROXIED_MALFORMED,  // it does not begin with a header of the PROXY protocol
    HTTP_PROXIED_INCOMPLETE, // it ended within the header, or was too slow
    HTTP_PROXIED_UNTRUSTED,  // its peer is not in --trusted-proxies
    HTTP_PROXIED_REASONS
};

struct http_counters {
    uint64_t connections_accepted;
    uint64_t connections_open;
    uint64_t connections_closed_for_room; // idle or slow ones, for want of descriptors or at max_connections
    uint64_t connections_dropped;         // slow ones that held memory for too long
    uint64_t proxied_refused[HTTP_PROXIED_REASONS];
    uint64_t requests;                   // complete, or refused before they were
    uint64_t streams;                    // begun
    uint64_t aborted;                    // requests answered by closing the connection
    uint64_t responses[HTTP_STATUS_MAX]; // by status
};

static inline void http_counters_response(struct http_counters *c, int status) {
    if (status >= 0 && status < HTTP_STATUS_MAX) c->responses[status]++;
}

// Returns the responses of a class: 2 for 200 to 299.
static inline uint64_t http_counters_class(const struct http_counters *c, int class) {
    uint64_t sum = 0;
    for (int status = class * 100; status < class * 100 + 100; status++) sum += c->responses[status];
    return sum;
}
