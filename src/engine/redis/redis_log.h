// Private to the Redis engine: its operations on logs.
#pragma once

#include "engine/engine.h"

struct redis;
struct redisReply;

void redis_append(struct engine *, const struct engine_append *, engine_append_cb *, void *arg);
void redis_head(struct engine *, const char *video, struct position known, engine_head_cb *, void *arg);
void redis_range(struct engine *, const char *video, struct position after, size_t limit, engine_range_cb *,
                 void *arg);
void redis_range_before(struct engine *, const char *video, struct position before, size_t limit,
                        engine_range_cb *, void *arg);

// Probes whether appends are refused, with a tombstone in a log that is never read. Only while the connection
// is up and the scripts are loaded.
void redis_log_check(struct redis *, void (*on_checked)(void *redis, const struct redisReply *));
