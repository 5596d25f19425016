// Operations on the log: numbering, storing, ranges; see engine.h. Control loop.
#pragma once

#include "engine/engine.h"

void embedded_append(struct engine *, const struct engine_append *, engine_append_cb *, void *arg);
void embedded_head(struct engine *, const char *video, struct position known, engine_head_cb *, void *arg);
void embedded_range(struct engine *, const char *video, struct position after, size_t limit,
                    engine_range_cb *, void *arg);
