#include "base/delays.h"

enum {
    EXACT = 8,
    EXACT_BITS = 3, // log2 of it
    STEP_BITS = 2   // above, each octave has 2^2 buckets
};

unsigned delay_bucket(int64_t ms) {
    if (ms < 0) ms = 0;
    if (ms > DELAY_LARGEST_MS) ms = DELAY_LARGEST_MS;
    if (ms < EXACT) return (unsigned)ms;
    unsigned octave = 63u - (unsigned)__builtin_clzll((unsigned long long)ms);
    unsigned step = (unsigned)(ms >> (octave - STEP_BITS)) & ((1u << STEP_BITS) - 1);
    return EXACT + ((octave - EXACT_BITS) << STEP_BITS) + step;
}

// Returns the smallest delay of the bucket.
static double bucket_start_ms(unsigned bucket) {
    if (bucket < EXACT) return bucket;
    unsigned octave = ((bucket - EXACT) >> STEP_BITS) + EXACT_BITS;
    unsigned step = (bucket - EXACT) & ((1u << STEP_BITS) - 1);
    return (double)(INT64_C(1) * ((1 << STEP_BITS) + step) << (octave - STEP_BITS));
}

double delay_percentile_ms(const uint64_t counts[DELAY_BUCKETS], double percent) {
    uint64_t all = 0, below = 0;
    for (unsigned i = 0; i < DELAY_BUCKETS; i++) all += counts[i];
    if (!all) return -1;
    double rank = (double)all * percent / 100;
    for (unsigned i = 0; i < DELAY_BUCKETS; i++) {
        if (counts[i] && (double)(below + counts[i]) >= rank) {
            if (i < EXACT) return i;
            double start = bucket_start_ms(i), width = bucket_start_ms(i + 1) - start;
            return start + width * (rank - (double)below) / (double)counts[i];
        }
        below += counts[i];
    }
    return (double)DELAY_LARGEST_MS;
}
