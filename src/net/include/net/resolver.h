// Addresses of host names, remembered for a while: for whatever connects (HTTP client, viewers, Redis).
//
// Control loop only. getaddrinfo() blocks and cannot be interrupted, so each look-up runs on a thread of its
// own that nobody waits for, at most RESOLVER_LOOKUPS at once; further names wait for their turn. Found
// addresses are kept RESOLVER_KEEP_MS, a failure RESOLVER_FAILED_MS (so that a name that cannot be found does
// not cost a thread per request). At most RESOLVER_NAMES names; the one that expires first makes room.
#pragma once

#include "net/address.h"

struct loop;
struct resolver;

enum {
    RESOLVER_ADDRESSES = 8, // of a name; further ones are ignored
    RESOLVER_NAMES = 256,
    RESOLVER_LOOKUPS = 4,
    RESOLVER_KEEP_MS = 30000,
    RESOLVER_FAILED_MS = 1000
};

struct resolver_addresses {
    unsigned count;
    union address at[RESOLVER_ADDRESSES]; // without a port
};

// `on_done` is called once for each look-up that has ended, well or badly: by the loop, never inside a call,
// and not after resolver_free(), which it may not call. It may ask for further names.
struct resolver *resolver_new(struct loop *, void (*on_done)(void *arg), void *arg);

// Forgets everything; look-ups still under way end on their own, and touch neither the resolver nor the loop.
void resolver_free(struct resolver *);

// Gives the addresses of a numeric address or of a name that is known. Returns 0; -EINPROGRESS: it is being
// looked up, ask again at on_done; -EBUSY: too many names; or why the name could not be found: -EHOSTUNREACH
// if there is no such name, -EAGAIN if no name server answered.
int resolver_get(struct resolver *, const char *host, struct resolver_addresses *);

// Forgets the addresses of a name, because none of them answers: next time it is looked up again.
void resolver_forget(struct resolver *, const char *host);
