// How a video is given to a reader: pure functions, used by the manager, by readers and by the simulation.
// Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct policy_candidate {
    const char *reader_url;
    uint64_t viewers;
};

enum placement_policy {
    POLICY_ROUND_ROBIN // the n-th new video goes to the n-th reader, over and over
};

// Returns the index of the reader for a new video; count > 0, candidates in a stable order. `turn` counts the
// videos placed before.
size_t policy_pick(enum placement_policy, const struct policy_candidate *, size_t count, uint64_t turn);
