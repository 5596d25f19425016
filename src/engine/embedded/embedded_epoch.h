// Gives epochs so that none is given twice, even if the clock is behind and a power cut has lost the rows
// that would tell. With `durable` no row that was answered is lost. Without, a floor is kept in the file and
// written through to the disk before epochs up to it are given, and the next opening gives only greater ones:
// that costs a sync with the first epoch of an opening, and at most one a minute later. Store's thread only.
#pragma once

#include "base/position.h"
#include "embedded_store.h"

// At opening. Returns false if the floor cannot be read.
bool epoch_load(struct store *);

// Returns an epoch greater than those of `at` and `known`, and than the floor of the opening.
uint64_t epoch_give(struct store *, struct position at, struct position known);

// Parts of a commit: before it, and after it. epoch_sync() returns false, with the store's `failure`, if the
// floor could not be written through; it is tried again with the next commit.
void epoch_write(struct store *);
bool epoch_sync(struct store *);

// After a rollback.
void epoch_forget_changes(struct store *);

// At closing: reserves no more than was given, with the next commit. Returns whether there is anything to
// write.
bool epoch_release(struct store *);
