// Resolves host names and caches the addresses, for everything that connects (HTTP client, simulated viewers,
// Redis).
//
// Control loop only. getaddrinfo() blocks and cannot be interrupted, so each lookup runs on a detached
// thread, at most RESOLVER_LOOKUPS at a time; further names are queued. Addresses are cached for
// RESOLVER_KEEP_MS, a failure for RESOLVER_FAILED_MS, so that a name that cannot be resolved does not cost a
// thread per request. At most RESOLVER_NAMES names are kept; the one that expires first is evicted.
#pragma once

#include "net/address.h"

struct loop;
struct resolver;

enum {
    RESOLVER_ADDRESSES = 8, // per name; further ones are ignored
    RESOLVER_NAMES = 256,
    RESOLVER_LOOKUPS = 4,
    RESOLVER_KEEP_MS = 30000,
    RESOLVER_FAILED_MS = 1000
};

struct resolver_addresses {
    unsigned count;
    union address at[RESOLVER_ADDRESSES]; // without a port
};

// `on_done` is called once for each lookup that succeeds or fails: by the loop, never from inside a call, and
// not after resolver_free(). It may resolve further names, but must not free the resolver.
struct resolver *resolver_new(struct loop *, void (*on_done)(void *arg), void *arg);

// Frees the resolver. Lookups in progress end on their own and touch neither the resolver nor the loop.
void resolver_free(struct resolver *);

// Returns the address that `host` spells, or the cached addresses of the name. Returns 0; -EINPROGRESS: a
// lookup has been started, call again from on_done; -EBUSY: too many names; or why the lookup failed:
// -EHOSTUNREACH if the name does not exist, -EAGAIN if no name server answered.
int resolver_get(struct resolver *, const char *host, struct resolver_addresses *);

// Drops a name from the cache, because none of its addresses answers: the next call looks it up again.
void resolver_forget(struct resolver *, const char *host);
