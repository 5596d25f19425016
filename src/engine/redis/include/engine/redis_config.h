// What the engine on Redis is opened with.
#pragma once

#include "engine/limits.h"

struct redis_config {
    const char *url;             // redis://[user:password@]host[:port][/db]
    struct engine_limits limits; // bytes are those that Redis takes for them
};
