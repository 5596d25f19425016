// Rows of the log: each is checked when it is read, so that damage is noticed that SQLite does not see.
// Store's thread only; failures as in embedded_store.h.
#pragma once

#include "engine/request.h"
#include "embedded_store.h"

// Returns the check value of an entry's position, prev, kind and body.
int32_t row_checksum(const struct engine_entry *);

// Reads an entry from a row whose columns are ENTRY of embedded_sql.c. What it points to is held by the
// request. Returns false, with damage noted, for a row that no append has written like this.
bool row_read(struct store *, sqlite3_stmt *, struct request *, struct engine_entry *);

// The same for a look at it: what the entry points to is the row's.
bool row_look(sqlite3_stmt *, struct engine_entry *);

// Returns whether such a row is what an append has written. One of this version has the right checksum; one
// of version 1 a possible kind, a number, and a JSON object on one line.
bool row_is_sound(sqlite3_stmt *);
