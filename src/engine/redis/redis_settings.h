// Private to the Redis engine: its operations on settings of videos.
#pragma once

#include "engine/engine.h"

void redis_settings_read(struct engine *, const char *const *videos, size_t count, engine_settings_cb *,
                         void *arg);
void redis_settings_write(struct engine *, const char *video, const char *settings, engine_done_cb *,
                          void *arg);
