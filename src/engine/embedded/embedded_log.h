// Operations on the log: numbering, storing, tokens, ranges. Store's thread only; failures as in
// embedded_store.h.
#pragma once

#include "embedded_request.h"
#include "embedded_store.h"

// Control loop.
void embedded_append(struct engine *, const struct engine_append *, engine_append_cb *, void *arg);
void embedded_head(struct engine *, const char *video, struct position known, engine_head_cb *, void *arg);
void embedded_range(struct engine *, const char *video, struct position after, size_t limit,
                    engine_range_cb *, void *arg);

// Reads an entry from a row whose columns are ENTRY of embedded_sql.c. What it points to is held by the
// request. Returns false, with damage noted, for a row that no append has written like this.
bool log_read_entry(struct store *, sqlite3_stmt *, struct request *, struct engine_entry *);

// Whether such a row is what an append writes: a possible kind, a number, and a JSON object on one line.
bool log_row_is_sound(sqlite3_stmt *);
