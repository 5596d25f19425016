// Limits what one address may have and do in this process, at all its ports together: streams, other
// connections, connects and posts per second, and bytes of unfinished requests and unread responses. IPv6
// addresses count by /64.
//
// There is no table of addresses that could fill up. An address is two cells, one in each of two rows of
// ADDRESS_CELLS, chosen by a keyed hash; a cell counts what all addresses that share it have, and the lesser
// of the two cells counts for the address (a count-min sketch, Cormode & Muthukrishnan 2005). So the memory
// is 2.5 MB for any number of addresses; no address is evicted, or refused because it is a new one; and one
// is limited too early only where both of its cells are shared with addresses near their limit.
//
// The settings and everything but address_limits_close() belong to the control loop; streams end on any
// thread, so their counts are atomic. Never locks, never blocks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct networks;
union address;

enum { ADDRESS_CELLS = 65536, ADDRESS_RATE_MAX = 10000 };

// Names an address; 0: it is exempt, and all functions below allow everything.
typedef uint32_t address_key;

// 0: no limit.
struct address_bounds {
    int64_t streams, connections;
    int64_t connects, posts; // per second, at most ADDRESS_RATE_MAX; as many at once
    int64_t bytes;
};

// Sets the bounds, from now on, and which addresses are exempt: `trusted` (as networks_new() reads them,
// NULL: none) and, without `limits_local`, loopback and the networks in which this machine has an address
// now. If this is never called, everything is allowed.
void address_limits_set(const struct address_bounds *, const char *trusted, bool limits_local);

// Frees everything; all streams have ended.
void address_limits_release(void);

address_key address_limits_key(const union address *);

// Returns the name of all clients together whose addresses that proxy, which may be exempt, does not tell.
address_key address_limits_key_behind(const union address *proxy);

// Returns the networks that are exempt, or NULL if nothing is limited.
const struct networks *address_limits_exempt(void);

// Whether the address may connect once more, or post once more; counts it if so.
bool address_limits_may_connect(address_key, int64_t now_ms);
bool address_limits_may_post(address_key, int64_t now_ms);

// Whether it may have another stream.
bool address_limits_may_open(address_key);

// Count a stream that begins, and one that has ended (any thread).
void address_limits_open(address_key);
void address_limits_close(address_key);

// Returns how many addresses have streams, without those that are exempt: an estimate, to within a percent
// where they are thousands. Any thread.
double address_limits_streaming(void);

// Whether it may have another connection that is no stream; count one that begins, and one that has ended or
// become a stream.
bool address_limits_may_enter(address_key);
void address_limits_enter(address_key);
void address_limits_leave(address_key);

// Adds to the bytes that an address makes the process hold. Whether that is more than it may.
void address_limits_hold(address_key, int64_t bytes);
bool address_limits_is_over(address_key);
