// Who watches what: a number of viewers for each video (no viewer is an object of its own), the order in
// which videos are registered, and the order of their popularity. Video number k (from 0) is `video<k + 1>`.
// The same seed gives the same audience everywhere. At most 12 bytes per video are kept.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/distribution.h"

enum audience_kind {
    AUDIENCE_TIERS, // the original simulation's: 1 video in 100 has 200 to 300 viewers, 5 have 50 to 100, and
                    // the others share the rest in proportion to numbers drawn from 1 to 20. That is at 25
                    // viewers per video; with more or fewer, the numbers of the first two tiers grow or
                    // shrink
    AUDIENCE_DRAWN  // each viewer chooses a video by `law`
};

struct audience_spec {
    enum audience_kind kind;
    struct distribution_spec law;
};

// Reads `tiers`, `uniform`, `zipf:S` or `zipf`. Returns false if it is none of them.
bool audience_parse(const char *text, struct audience_spec *);

struct audience {
    size_t videos;
    uint64_t total;          // of viewers: exactly as many as were asked for
    uint32_t *viewers;       // of each video
    uint32_t *registrations; // all videos, in the order of their registration, which is left to chance
    uint32_t *ranking;       // all videos, most viewers first, equal ones by number
};

// videos > 0. Free with audience_free().
struct audience *audience_new(const struct audience_spec *, size_t videos, uint32_t viewers, uint64_t seed);
void audience_free(struct audience *);
