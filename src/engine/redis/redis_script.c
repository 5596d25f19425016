#include "redis_script.h"

#define REDIS_SCRIPT(name) &redis_script_##name,
const struct redis_script *const redis_scripts[] = {
#include "redis_scripts.def"
    NULL};
