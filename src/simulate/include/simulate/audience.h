// The number of viewers of each video (viewers are not objects), the order in which videos are registered,
// and the order of their popularity. Video number k (from 0) is `video<k + 1>`. The same seed gives the same
// audience on every machine. Takes 12 bytes per video.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/distribution.h"

enum audience_kind {
    AUDIENCE_TIERS, // as in the original simulation: 1 video in 100 has 200 to 300 viewers, 5 have 50 to 100,
                    // and the others share the rest in proportion to numbers drawn from 1 to 20. That is at
                    // 25 viewers per video; with more or fewer, the numbers of the first two tiers grow or
                    // shrink
    AUDIENCE_DRAWN  // each viewer chooses a video by `law`
};

struct audience_spec {
    enum audience_kind kind;
    struct distribution_spec law;
};

// Parses `tiers`, `uniform`, `zipf:S` or `zipf`. Returns false if the text is none of these.
bool audience_parse(const char *text, struct audience_spec *);

struct audience {
    size_t videos;
    uint64_t total;          // of viewers: exactly the number requested
    uint32_t *viewers;       // of each video
    uint32_t *registrations; // all videos in the order of registration, which is random
    uint32_t *ranking;       // all videos by number of viewers, descending, then by number
};

// Draws an audience. videos > 0. Free with audience_free().
struct audience *audience_new(const struct audience_spec *, size_t videos, uint32_t viewers, uint64_t seed);
void audience_free(struct audience *);
