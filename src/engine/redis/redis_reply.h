// Private to the Redis engine: the only way to look into a reply. A reply may be of any type (a key of the
// wrong type, a proxy, a later Redis), so each accessor says whether it is of the expected one. All of them
// accept NULL, which has no type. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct redisReply redisReply; // hiredis's; only redis_reply.c and redis_conn.c know its insides

// Returns the text, NUL-terminated and the reply's, or NULL if it is no string. `len` may be NULL.
const char *redis_reply_text(const redisReply *, size_t *len);

// Whether it is a string that equals `text`.
bool redis_reply_is_text(const redisReply *, const char *text);

// Returns false, and leaves *value, if it is no integer.
bool redis_reply_integer(const redisReply *, int64_t *value);

// Returns false, with *count 0, if it is no array.
bool redis_reply_array(const redisReply *, size_t *count);

// Returns an item of an array; NULL if it is no array or not that long.
const redisReply *redis_reply_item(const redisReply *, size_t i);

bool redis_reply_is_nil(const redisReply *);

// Returns the message if it is an error, else NULL.
const char *redis_reply_error(const redisReply *);

// Ends one that was kept; NULL is allowed.
void redis_reply_free(redisReply *);

// Names its type, for the log.
const char *redis_reply_type(const redisReply *);
