// Private to the Redis engine: log entries as Redis gives them. Any thread.
#pragma once

#include "engine/engine.h"

typedef struct redisReply redisReply;

// Reads a message of a video's channel. Only a comment is published whole; of another kind only the position
// is, and the entry is ENTRY_UNREAD. Returns false for what is no JSON object, or is too
// large for a frame. The entry borrows from `json`.
bool redis_entry_of_message(struct engine_entry *, const char *json, size_t len);

// Reads an item of a list of entries: their JSON, or for one whose kind and body are kept beside it
// {JSON, kind, body}. Returns false for what is none, or is too large for a frame. The entry borrows from the
// reply.
bool redis_entry_of_log(struct engine_entry *, const redisReply *);
