// All videos of an audience, given to readers by the manager's own policy. The model: videos are registered
// one after the other, and each has all its viewers before the next one comes; so a policy that looks at
// viewers sees what every reader holds at that moment (a manager sees what leases said, up to half a second
// ago). Readers have the URLs that `chorus up` gives them, http://127.0.0.1:4001 and on, so that the hash is
// the same.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "placement/policy.h"

struct audience;

enum { PLACING_READERS_MAX = 1000 };

struct placing_load {
    uint64_t videos, viewers;
};

struct placing {
    enum placement_policy policy;
    const struct audience *audience;
    size_t readers;             // at the start
    size_t lost;                // the number of the one that died; `readers`: none
    uint32_t *reader;           // of each video
    struct placing_load *loads; // of each reader
    // Who may be chosen, which is all but the one that died.
    struct policy_candidate *live;
    size_t live_count;
    char (*urls)[32];
    uint64_t turn;
};

// Places everything. readers: 1 to PLACING_READERS_MAX. The audience is borrowed.
void placing_init(struct placing *, enum placement_policy, const struct audience *, size_t readers);
void placing_release(struct placing *);

// Reader `number` (from 0) dies, once and not the only one: each of its videos is resolved again, in the
// order of registration, and given to one of the others. Returns what moved.
struct placing_load placing_fail_reader(struct placing *, size_t number);
