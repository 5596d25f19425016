// Removes what has expired: entries and tokens by age, tokens beyond a limit, videos and leases that nobody
// has used. Store's thread only.
#pragma once

#include "engine/embedded_store.h"

// Does a small part of it, in a transaction of its own that takes well under a millisecond where the disk
// does its part. Returns whether there may be more to do. On failure nothing is removed and `failure` of the
// store says why.
bool sweep_slice(struct store *);

// Returns whether appends have left enough behind for a slice to be worth it, long before its time.
bool sweep_is_due(const struct store *);
