// Keeps the write-ahead log short: copies it into the database file on a thread of its own, so that the
// fsyncs this takes (milliseconds) hold up no append. Only when the log has grown far beyond the usual,
// because appends never pause for long enough for it to start over, the store's thread does the small rest
// itself.
#pragma once

#include "embedded_store.h"

struct checkpointer;

// Returns NULL if there can be no more threads.
struct checkpointer *checkpointer_start(const struct store *);

// Breaks off a copy in progress, as far as SQLite lets it, and ends the thread.
void checkpointer_stop(struct checkpointer *);

// Looks at the log's length and has something done about it if needed. Store's thread, between transactions.
void checkpointer_run_if_due(struct checkpointer *, struct store *);
