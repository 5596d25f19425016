// Private to the Redis engine: rooms and bans (engine.h); the checks are in lua/shared/gate.lua. Control loop
// only.
#pragma once

#include "engine/engine.h"

struct redis_args;
struct redis_call;
struct redisReply;

#define REDIS_ROOM_KEY  "{video:%s}:room"
#define REDIS_AUDIT_KEY "{video:%s}:audit"

void redis_rooms_read(struct engine *, const char *const *videos, size_t count, engine_rooms_cb *, void *arg);
void redis_room_write(struct engine *, const char *video, const struct engine_room *, const char *note,
                      engine_rooms_cb *, void *arg);
void redis_ban_write(struct engine *, const char *video, const char *user, int64_t for_ms, bool shadow,
                     const char *note, engine_bans_cb *, void *arg);
void redis_bans_read(struct engine *, const char *video, engine_bans_cb *, void *arg);

void redis_held_read(struct engine *, const char *video, engine_held_cb *, void *arg);
void redis_held_drop(struct engine *, const char *video, const char *id, const char *note, engine_drop_cb *,
                     void *arg);
void redis_audit_read(struct engine *, const char *video, engine_audit_cb *, void *arg);

// The argument of append.lua for a gate.
void redis_room_add_gate(struct redis_args *, const struct engine_gate *);

// Reads the answer of an append that was refused. Returns false if it was not.
bool redis_room_read_refusal(const struct redisReply *, struct engine_refusal *);
