// A token bucket per user: `rate` comments a second, bursts of the same number. Bounded memory: beyond
// RATE_LIMIT_USERS the one that has been quiet longest is forgotten. Control loop only.
#pragma once

#include <stdint.h>

enum { RATE_LIMIT_USERS = 100000 };

struct rate_limit;

struct rate_limit *rate_limit_new(unsigned rate);
void rate_limit_free(struct rate_limit *);

// Takes one token of `user`. Returns 0, or in how many seconds (rounded up) the next one will be there.
int rate_limit_take(struct rate_limit *, const char *user, int64_t now_ms);
