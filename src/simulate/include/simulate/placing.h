// Assigns all videos of an audience to readers with the manager's own policy. The model: videos are
// registered one after the other, and each has all its viewers before the next is registered; so a policy
// that considers viewers knows the exact load of every reader (a real manager knows it from leases, up to
// half a second old). Readers have the URLs that `chorus up` gives them, from http://127.0.0.1:4001 on, so
// that hashes are the same.
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
    size_t lost;                // the number of the failed reader; `readers`: none
    uint32_t *reader;           // of each video
    struct placing_load *loads; // of each reader
    // The readers that may be chosen: all but the failed one.
    struct policy_candidate *live;
    size_t live_count;
    char (*urls)[32];
    uint64_t turn;
};

// Assigns all videos. readers: 1 to PLACING_READERS_MAX. The audience is borrowed.
void placing_init(struct placing *, enum placement_policy, const struct audience *, size_t readers);
void placing_release(struct placing *);

// Fails reader `number` (from 0), which must not be the only one; call it once. Each of its videos is
// assigned again, in the order of registration, to one of the others. Returns what has moved.
struct placing_load placing_fail_reader(struct placing *, size_t number);
