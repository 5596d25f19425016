// The nonces of tickets that were used a moment ago, in two generations: each is remembered for
// SPENT_NONCES_S at least. Memory grows with use, up to 2 MB. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPENT_NONCES_S = 40, SPENT_NONCES_MAX = 65536 }; // of one generation

// Zero-initialise.
struct spent_nonces {
    struct spent_generation {
        uint64_t *slots; // 0: free
        size_t count;
    } now, before;
    int64_t turned_s;
};

void spent_nonces_release(struct spent_nonces *);

bool spent_nonces_has(const struct spent_nonces *, uint64_t nonce);

// Returns false if it is known, or there is no room, and so it cannot be remembered. `now_s`: any clock that
// only goes forward.
bool spent_nonces_add(struct spent_nonces *, uint64_t nonce, int64_t now_s);
