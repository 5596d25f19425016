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

// Reads an entry from a row whose columns are kind, epoch, seq, prev_epoch, prev_seq, json. What it points to
// is held by the request. Returns false, with damage noted, for a row that no append has written like this.
bool log_read_entry(struct store *, sqlite3_stmt *, struct request *, struct engine_entry *);

// Whether such a row is what an append writes: a known kind, a number, and one line of JSON that begins with
// it.
bool log_row_is_sound(sqlite3_stmt *);

// Whether an entry that has not expired is kept: it is among its video's newest `log_entries`, or younger
// than `log_min_age_ms` while the entries after it take less than `log_video_bytes`. `newer` entries came
// after it, with `newer_bytes` of JSON.
bool log_keeps(const struct store *, int64_t at_ms, int64_t newer, int64_t newer_bytes);

// Whether an entry from this moment has expired. One from far in the future has too: the clock was wrong
// then, and it must not stay for years.
bool log_expired(const struct store *, int64_t at_ms);
