// A list of IPv4 and IPv6 networks, as an option names them. Immutable; any thread. At most NETWORKS_MAX.
#pragma once

#include <stdbool.h>

struct networks;
union address;

enum { NETWORKS_MAX = 64 };

// `list`: addresses and CIDRs, comma-separated; the word samenet means the networks in which this machine has
// an address now; empty: none. Returns NULL if it is malformed.
struct networks *networks_new(const char *list);

// The same of two lists, each of which may be as long.
struct networks *networks_new_joined(const char *list, const char *more);

void networks_free(struct networks *); // NULL is fine

// Returns whether the address is in one of them. An IPv4 address mapped into IPv6 counts as the IPv4
// address; a peer at a unix socket is in none.
bool networks_contain(const struct networks *, const union address *);
