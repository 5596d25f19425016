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

// What is to be done. From REDIS_MOVED on only in a Cluster, whose slots are not where they were thought to
// be.
enum redis_action {
    REDIS_FAILS,
    REDIS_CUTS,   // only a new connection helps: to another server, or to the same one, prepared again
    REDIS_MOVED,  // send it to the server that has the slot from now on
    REDIS_ASKS,   // send it, this once, to the server to which the slot moves
    REDIS_AGAIN,  // send it again in a moment: some of its keys have moved
    REDIS_IS_DOWN // fail, and look where the slots are
};
enum redis_action redis_error_action(const char *error);

// Reads "MOVED <slot> <host>:<port>" or "ASK ...". The host may be empty: that of the server that says it.
struct redis_place;
bool redis_error_place(const char *error, unsigned *slot, struct redis_place *);
