// How many events there were lately, as a rate: those of the last RATE_MS, taken from two windows of that
// length, of which the older one counts for the part that is not over. 12 bytes, because each video has one.
#pragma once

#include <stdint.h>

enum { RATE_MS = 10000 };

// Zero-initialise.
struct rate {
    uint32_t window; // the number of the newer one, since the clock's zero
    uint32_t newer, older;
};

static inline void rate_move(struct rate *r, int64_t now_ms) {
    uint32_t window = (uint32_t)(now_ms / RATE_MS);
    if (window == r->window) return;
    r->older = window == r->window + 1 ? r->newer : 0;
    r->newer = 0;
    r->window = window;
}

static inline void rate_add(struct rate *r, int64_t now_ms) {
    rate_move(r, now_ms);
    r->newer++;
}

// Returns events in 1,000 seconds.
static inline uint64_t rate_in_1000s(struct rate r, int64_t now_ms) {
    rate_move(&r, now_ms);
    uint64_t left_ms = (uint64_t)(RATE_MS - now_ms % RATE_MS);
    uint64_t weighted = (uint64_t)r.newer * RATE_MS + r.older * left_ms; // events times RATE_MS
    return weighted * 1000000 / RATE_MS / RATE_MS;
}
