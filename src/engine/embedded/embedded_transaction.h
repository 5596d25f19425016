// Transactions of the store, for whatever writes: batches, sweeps, leases, probes. At the commit the videos
// that have changed and the totals are written; after a rollback what is kept in memory is what was committed
// last. Store's thread only.
#pragma once

#include <stdbool.h>

#include "embedded_store.h"

// Reads the clocks, and clears the store's `failure`.
void transaction_begin(struct store *);

// Returns false if anything in it failed, and then it has to be rolled back. `failure` stays until the next
// begin.
bool transaction_commit(struct store *);
void transaction_rollback(struct store *);

// Rolls back a transaction that has changed nothing of what is kept in memory.
void transaction_abandon(struct store *);

// Brings what is kept in memory in line with what was committed last. Part of transaction_rollback().
void transaction_forget_changes(struct store *);
