// Persistent counters; see engine.h.
#pragma once

#include "engine/engine.h"

void embedded_counter_next(struct engine *, const char *name, engine_counter_cb *, void *arg);
