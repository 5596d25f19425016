// Private to the Redis engine: entries that take comments out of a log (lua/amend.lua).
#pragma once

#include "engine/engine.h"

void redis_amend(struct engine *, const struct engine_amend *, engine_amend_cb *, void *arg);
