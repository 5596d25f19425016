// Operations on the log: numbering, storing, tokens, ranges. Store's thread only; failures as in
// embedded_store.h.
#pragma once

#include "engine/embedded_request.h"
#include "engine/embedded_store.h"

void log_append(struct store *, struct request *);
void log_head(struct store *, struct request *);
void log_range(struct store *, struct request *);

// Reads an entry from a row whose columns are kind, epoch, seq, prev_epoch, prev_seq, json. What it points to
// is held by the request.
struct engine_entry log_read_entry(sqlite3_stmt *, struct request *);

// Whether an entry from this moment has expired. One from far in the future has too: the clock was wrong
// then, and it must not stay for years.
bool log_expired(const struct store *, int64_t at_ms);
