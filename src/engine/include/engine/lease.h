// The leases of readers in the memory of one process, and which process may hold them: lease_renew() and the
// rest of engine.h for engines inside a process. (The one on Redis has the rule in lua/lease_renew.lua.) A
// lease ends by the monotonic clock. There are as many as readers, once given up ones are removed. One
// thread.
#pragma once

#include "engine/engine.h"

struct lease {
    char *reader_url, *public_url, *instance_id, *load;
    uint64_t generation, viewers, stamp;
    bool given_up;
    int64_t ends_ms;
    bool changed;              // new, or other than when this was unset: by an engine that stores leases,
    int64_t written_ms;        // which notes here when it did
    struct lease *prev, *next; // by URL
};

// A list; NULL is empty.
void lease_remove(struct lease **list, struct lease *);

// Returns the lease as it is then. The answer borrows from it.
struct lease *lease_renew(struct lease **list, const struct engine_lease *asked, int ttl_ms, int64_t now_ms,
                          struct engine_lease_answer *);
void lease_drop(struct lease *list, const char *reader_url, uint64_t generation, int64_t now_ms);

// Returns it as a listing has it; borrows from the lease.
struct engine_lease lease_view(const struct lease *, int64_t now_ms);
