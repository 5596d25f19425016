// Private to the Redis engine: totals and the newest things, for the statistics.
#pragma once

#include "engine/engine.h"

void redis_videos(struct engine *, const char *cursor, engine_videos_cb *, void *arg);
void redis_overview(struct engine *, engine_overview_cb *, void *arg);
