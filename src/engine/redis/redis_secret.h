// Private to the Redis engine: secrets that processes share.
#pragma once

#include "engine/engine.h"

void redis_secret(struct engine *, const char *name, const unsigned char offered[ENGINE_SECRET],
                  int64_t keep_ms, engine_secret_cb *, void *arg);
