// Removes what has expired: entries and tokens by age, tokens beyond a limit, and videos and leases that have
// not been used. Store thread only.
#pragma once

#include "embedded_store.h"

// Removes one slice of what has expired, in a transaction of its own. It takes well under a millisecond if
// nothing was appended recently; otherwise the slice grows with `appended`, so that sweeping keeps up.
// Returns whether there may be more to remove. On failure nothing is removed, and the store's `failure` says
// why.
bool sweep_slice(struct store *, size_t appended);

// Keeps by these limits from now on; the next slices go over everything that is stored.
void sweep_with_limits(struct store *, const struct engine_limits *);

// Returns whether enough appends have gathered that a slice is worthwhile before its time.
bool sweep_is_due(const struct store *);
