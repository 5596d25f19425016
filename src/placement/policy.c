#include "placement/policy.h"

#include <string.h>

#include "base/hash.h"

static const char *const names[POLICIES] = {
    [POLICY_ROUND_ROBIN] = "round-robin", [POLICY_LEAST_LOADED] = "least-loaded", [POLICY_HASH] = "hash"};

// Spreads a difference in any bit over all bits (the last step of splitmix64: Steele, Lea and Flood 2014).
static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct policy_candidate policy_candidate(const char *reader_url, uint64_t load) {
    return (struct policy_candidate){
        .reader_url = reader_url, .load = load, .hash = mix(hash_stable(reader_url))};
}

// Returns the load beyond which a reader is passed over. There is always one that is not.
static double most_load(const struct policy_candidate *candidates, size_t count) {
    double all = 0;
    for (size_t i = 0; i < count; i++) all += (double)candidates[i].load;
    return 1.25 * all / (double)count;
}

static size_t pick_by_hash(const struct policy_candidate *candidates, size_t count, const char *video) {
    double most = most_load(candidates, count);
    uint64_t of_video = mix(hash_stable(video)), highest = 0;
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t score = mix(of_video ^ candidates[i].hash);
        if ((double)candidates[i].load > most || (best < count && score <= highest)) continue;
        highest = score;
        best = i;
    }
    return best;
}

static size_t pick_by_load(const struct policy_candidate *candidates, size_t count, const char *video,
                           uint64_t turn) {
    uint64_t chance = mix(mix(hash_stable(video)) ^ mix(turn));
    size_t first = (size_t)(chance % count), second = (size_t)(mix(chance) % count);
    size_t best = candidates[second].load < candidates[first].load ? second : first;
    if ((double)candidates[best].load <= most_load(candidates, count)) return best;
    for (size_t i = 0; i < count; i++)
        if (candidates[i].load < candidates[best].load) best = i;
    return best;
}

size_t policy_pick(enum placement_policy policy, const struct policy_candidate *candidates, size_t count,
                   const char *video, uint64_t turn) {
    switch (policy) {
    case POLICY_ROUND_ROBIN: break;
    case POLICY_LEAST_LOADED: return pick_by_load(candidates, count, video, turn);
    case POLICY_HASH: return pick_by_hash(candidates, count, video);
    }
    return (size_t)(turn % count);
}

const char *policy_name(enum placement_policy policy) {
    return names[policy];
}

bool policy_by_name(const char *name, size_t len, enum placement_policy *policy) {
    static const char earlier[] = "least-viewers";
    if (len == sizeof earlier - 1 && !memcmp(name, earlier, len)) {
        *policy = POLICY_LEAST_LOADED;
        return true;
    }
    for (int i = 0; i < POLICIES; i++) {
        if (strlen(names[i]) != len || memcmp(names[i], name, len) != 0) continue;
        *policy = (enum placement_policy)i;
        return true;
    }
    return false;
}
