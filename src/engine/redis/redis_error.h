// Private to the Redis engine: what an error of Redis means. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REDIS_ERROR_CLAUSE = 160 }; // bytes that hold any

// Writes it as a clause that follows "Redis".
void redis_error_clause(const char *error, char *out, size_t size);

// Returns whether Redis is out of memory.
bool redis_error_is_full(const char *error);

// Returns whether it is no reason to call Redis away: it is full, or a key that another program made is of
// the wrong type.
bool redis_error_is_transient(const char *error);

// Returns whether what is needed is another server, or the same one greeted again.
bool redis_error_needs_reconnect(const char *error);
