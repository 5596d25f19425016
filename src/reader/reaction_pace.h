// When the event `reactions` of a video goes by itself: once a second, but for what a send costs (about 7 us;
// once a second to each of 10,000 viewers would be 7 % of a core) only to REACTION_FEW_SENDS viewers of a
// reader a second, and to no more than REACTION_FEW_VIEWERS of a video; else once in five seconds. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { REACTION_FEW_VIEWERS = 100, REACTION_FEW_SENDS = 100, REACTION_SELDOM_MS = 5000 };

struct reaction_pace { // of a reader; zero at first
    int64_t sends, filled_ms;
};

// Returns whether it may go now to so many viewers, `since_ms` after the last one; then it counts.
bool reaction_pace_allows(struct reaction_pace *, unsigned viewers, int64_t since_ms, int64_t now_ms);
