// Private to the Redis engine: what an error reply means. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { REDIS_ERROR_CLAUSE = 160 }; // bytes: enough for any clause

// Writes the error as a clause that follows "Redis".
void redis_error_clause(const char *error, char *out, size_t size);

// Returns whether Redis is out of memory.
bool redis_error_is_full(const char *error);

// Returns whether the error says nothing about later commands: Redis is full, or a key that another program
// made is of the wrong type.
bool redis_error_is_transient(const char *error);

// Returns whether only a new connection helps: to another server, or to the same one, prepared again.
bool redis_error_needs_reconnect(const char *error);
