// Private to the Redis engine: log entries as they travel, as JSON whose first members are id, prev, and the
// kind where it is no comment. Any thread.
#pragma once

#include "engine/engine.h"

// Reads a message of a video's channel, or an entry of its log. One that does not begin with an id of ours
// was published by another system: its position is not set. Returns false for what is no JSON object. The
// entry points into `json`.
bool redis_entry_read(struct engine_entry *, const char *json, size_t len);

// Room that id and prev need in front of a body, and the JSON's end.
enum { REDIS_ENTRY_ROOM = 128 };

// Writes the JSON of an entry that has all else, as the script makes it, from the body without its opening
// brace (empty: a tombstone) into out, which has REDIS_ENTRY_ROOM + body_len bytes.
void redis_entry_write(struct engine_entry *, const char *body, size_t body_len, char *out);
