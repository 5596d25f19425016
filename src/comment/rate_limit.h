// A token bucket per user, or video: `rate` comments a second, and `burst` at once. Bounded: beyond
// RATE_LIMIT_USERS the one that has been quiet longest is evicted. Control loop only.
#pragma once

#include <stdint.h>

enum { RATE_LIMIT_USERS = 100000 };

struct rate_limit;

struct rate_limit *rate_limit_new(unsigned rate, unsigned burst);
void rate_limit_free(struct rate_limit *);
void rate_limit_set(struct rate_limit *, unsigned rate, unsigned burst); // from now on

// Takes so many tokens of `user`, at most the burst. Returns 0, or if there are fewer, of which none is taken
// then, the seconds (rounded up) until there are as many.
int rate_limit_take(struct rate_limit *, const char *user, unsigned tokens, int64_t now_ms);
