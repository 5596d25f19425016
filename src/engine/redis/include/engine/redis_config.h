// What the engine on Redis is opened with.
#pragma once

#include "engine/limits.h"

struct stream_ops;

struct redis_config {
    const char *url;      // see redis_url.h
    const char *password; // instead of the URL's; NULL: the URL's
    // Returns what a URL with TLS connects to a host with (net/tls.h); borrowed until the engine is closed.
    // NULL without TLS.
    const struct stream_ops *(*transport)(void *tls, const char *host);
    void *tls;
    int confirm_replicas; // how many replicas must have an append before it is answered; 0: none is asked
    int confirm_ms;       // and within what time
    struct engine_limits limits; // bytes are those that Redis takes for them
};
