// Places that all addresses share, of which no single one may have more than its part, so that it cannot take
// them all. Addresses are told apart by ADDRESS_SHARES counters: two that have the same one share its part.
// Embedded; one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/address_limits.h"

enum { ADDRESS_SHARES = 1024 };

// All zero: no place is taken.
struct address_shares {
    uint16_t taken[ADDRESS_SHARES];
};

// Takes a place. Returns false if the address has `most` (up to 65,535) already; one that is exempt (key 0)
// has no bound.
bool address_share_take(struct address_shares *, address_key, unsigned most);

// Gives back a place that was taken.
void address_share_give_back(struct address_shares *, address_key);
