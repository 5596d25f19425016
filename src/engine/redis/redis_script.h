// Private to the Redis engine: the scripts that Redis runs, each with the shared parts in front of
// it, as the build makes them of lua/*.lua. Constant; any thread.
#pragma once

#include <stddef.h>

struct redis_script {
    const char *name;
    const char *sha; // by which Redis knows it: SHA-1, in hexadecimal
    const char *text;
    size_t len;
};

#define REDIS_SCRIPT(name) extern const struct redis_script redis_script_##name;
#include "redis_scripts.def"
#undef REDIS_SCRIPT

// All of them, and NULL.
extern const struct redis_script *const redis_scripts[];
