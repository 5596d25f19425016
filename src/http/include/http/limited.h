// How many requests the limits of addresses (net/address_limits.h) have refused, in all servers of the
// process. Control loop only.
#pragma once

#include <stdint.h>

enum http_limited {
    HTTP_LIMITED_STREAMS,
    HTTP_LIMITED_CONNECTIONS, // reset
    HTTP_LIMITED_CONNECTS,    // connections, reset ones included; of a proxied client its streams
    HTTP_LIMITED_POSTS,
    HTTP_LIMITED_BYTES, // unfinished requests and unread responses that were dropped
    HTTP_LIMITED_KINDS
};

uint64_t http_limited(enum http_limited);
