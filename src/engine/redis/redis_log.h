// Private to the Redis engine: its operations on logs.
#pragma once

#include "engine/engine.h"

struct last_position;
struct redis;
struct redis_node;
struct redis_args;
struct redis_call;
struct redisReply;

// Of what was taken out of a video's log; see lua/amend.lua.
#define REDIS_RETRACTED_KEY "{video:%s}:retracted"

void redis_append(struct engine *, const struct engine_append *, engine_append_cb *, void *arg);
void redis_range(struct engine *, const char *video, struct position after, size_t limit, engine_range_cb *,
                 void *arg);
void redis_replay(struct engine *, const struct engine_replay *, engine_replay_cb *, void *arg);
void redis_range_before(struct engine *, const char *video, struct position before, size_t limit,
                        engine_range_cb *, void *arg);

// Add the keys of a log and its position; the arguments that lua/shared/position.lua reads, for which `v` may
// be NULL.
void redis_args_log(struct redis_args *, const char *video);
void redis_args_place(struct redis_args *, const struct redis *, const char *video, struct position known,
                      const struct last_position *v);

// Reads an id, or none. Returns false if it is something else.
bool redis_read_position(const struct redisReply *, struct position *);

// Returns what an answer means that stored nothing.
enum engine_status redis_not_appended(struct redis_call *, const struct redisReply *);

// Probes whether appends are refused, with a tombstone in a log that is never read. Only while the connection
// is up and the scripts are loaded.
void redis_log_check(struct redis_node *, void (*on_checked)(void *node, const struct redisReply *));
