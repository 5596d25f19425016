// Operations on the log: numbering, storing, tokens, ranges, trimming. Store's thread only; failures as in
// embedded_store.h.
#pragma once

#include "engine/embedded_request.h"
#include "engine/embedded_store.h"

struct video;

void log_append(struct store *, struct request *);
void log_head(struct store *, struct request *);
void log_range(struct store *, struct request *);

// Reads an entry from a row whose columns begin with kind, epoch, seq, prev_epoch, prev_seq, json. What it
// points to is held by the request.
struct engine_entry log_read_entry(sqlite3_stmt *, struct request *);

// Entries and tokens from before this moment have expired.
int64_t log_oldest_ms(const struct store *);

// Deletes some of a video's entries, the oldest first. Returns whether none is left.
bool log_clear(struct store *, const struct video *);
