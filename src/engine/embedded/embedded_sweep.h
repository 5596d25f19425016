// Removes what has expired: entries and tokens by age, tokens beyond a limit, videos and leases that
// have not been used. Store's thread only.
#pragma once

#include "embedded_store.h"

// Does a small part of it, in a transaction of its own: one of well under a millisecond where nothing was
// appended just before, and a part that keeps up with what was. Returns whether there may be more to do. On
// failure nothing is removed, and the store's `failure` says why.
bool sweep_slice(struct store *, size_t appended);

// Returns whether appends have left enough behind for a slice to be worth it, long before its time.
bool sweep_is_due(const struct store *);
