// What the engine on Redis is opened with.
#pragma once

#include "engine/limits.h"

struct stream_ops;

struct redis_config {
    const char *url;      // redis://[user:password@]host[:port][/db], or rediss:// for TLS
    const char *password; // instead of the URL's; NULL: the URL's
    // With which rediss:// connects (net/tls.h); borrowed until the engine is closed. NULL with redis://.
    const struct stream_ops *transport;
    struct engine_limits limits; // bytes are those that Redis takes for them
};
