// Keeps the write-ahead log short: copies it into the database file on a thread of its own, so that the
// fsyncs (milliseconds each) delay no append. If appends never pause for long enough for the log to restart,
// the store thread copies the small rest itself.
#pragma once

#include "embedded_store.h"

struct checkpointer;

// Starts the thread. Returns NULL if the system refuses it.
struct checkpointer *checkpointer_start(const struct store *);

// Interrupts a copy in progress, as far as SQLite allows, and ends the thread.
void checkpointer_stop(struct checkpointer *);

// Waits until no copy is being made. Store thread only.
void checkpointer_wait(struct checkpointer *);

// Starts or finishes a copy if the log has grown long enough. Store thread only, between transactions.
void checkpointer_run_if_due(struct checkpointer *, struct store *);
