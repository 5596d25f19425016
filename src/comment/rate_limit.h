// A token bucket per user, or video: `rate` comments a second, and `burst` at once. Bounded: beyond
// RATE_LIMIT_USERS the one that has been quiet longest is evicted. Control loop only.
#pragma once

#include <stdint.h>

enum { RATE_LIMIT_USERS = 100000 };

struct rate_limit;

struct rate_limit *rate_limit_new(unsigned rate, unsigned burst);
void rate_limit_free(struct rate_limit *);
void rate_limit_set(struct rate_limit *, unsigned rate, unsigned burst); // from now on

// Takes one token of `user`. Returns 0, or if there is none the seconds (rounded up) until the next one.
int rate_limit_take(struct rate_limit *, const char *user, int64_t now_ms);
