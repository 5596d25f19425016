#include "placement/policy.h"

#include <string.h>

static const char *const names[POLICIES] = {
    [POLICY_ROUND_ROBIN] = "round-robin", [POLICY_HASH] = "hash", [POLICY_LEAST_VIEWERS] = "least-viewers"};

// Spreads a difference in any bit over all bits (the last step of splitmix64: Steele, Lea and Flood 2014).
static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

// FNV-1a, mixed: base/hash has another key in each process, which will not do here.
static uint64_t stable_hash(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return mix(hash);
}

struct policy_candidate policy_candidate(const char *reader_url, uint64_t viewers) {
    return (struct policy_candidate){
        .reader_url = reader_url, .viewers = viewers, .hash = stable_hash(reader_url)};
}

static size_t pick_by_hash(const struct policy_candidate *candidates, size_t count, const char *video) {
    uint64_t of_video = stable_hash(video), highest = 0;
    size_t best = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t score = mix(of_video ^ candidates[i].hash);
        if (i && score <= highest) continue;
        highest = score;
        best = i;
    }
    return best;
}

static size_t pick_by_viewers(const struct policy_candidate *candidates, size_t count, size_t first) {
    size_t best = first;
    for (size_t n = 1, i = first; n < count; n++) {
        i = i + 1 < count ? i + 1 : 0;
        if (candidates[i].viewers < candidates[best].viewers) best = i;
    }
    return best;
}

size_t policy_pick(enum placement_policy policy, const struct policy_candidate *candidates, size_t count,
                   const char *video, uint64_t turn) {
    size_t next = (size_t)(turn % count);
    switch (policy) {
    case POLICY_ROUND_ROBIN: break;
    case POLICY_HASH: return pick_by_hash(candidates, count, video);
    case POLICY_LEAST_VIEWERS: return pick_by_viewers(candidates, count, next);
    }
    return next;
}

const char *policy_name(enum placement_policy policy) {
    return names[policy];
}

bool policy_by_name(const char *name, size_t len, enum placement_policy *policy) {
    for (int i = 0; i < POLICIES; i++) {
        if (strlen(names[i]) != len || memcmp(names[i], name, len) != 0) continue;
        *policy = (enum placement_policy)i;
        return true;
    }
    return false;
}
