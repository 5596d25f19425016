#include "base/histogram.h"

#include <math.h>
#include <stddef.h>

enum {
    EXACT = 64,     // values below have a bucket each
    EXACT_BITS = 6, // log2 of it
    STEP_BITS = 5   // above, each octave has 2^5 buckets
};

static size_t bucket_of(int64_t value) {
    if (value < EXACT) return (size_t)value;
    unsigned octave = 63u - (unsigned)__builtin_clzll((unsigned long long)value);
    size_t step = (size_t)(value >> (octave - STEP_BITS)) & ((1u << STEP_BITS) - 1);
    return EXACT + ((size_t)(octave - EXACT_BITS) << STEP_BITS) + step;
}

// Returns the largest value that belongs in the bucket.
static int64_t upper_end(size_t bucket) {
    if (bucket < EXACT) return (int64_t)bucket;
    unsigned octave = (unsigned)((bucket - EXACT) >> STEP_BITS) + EXACT_BITS;
    int64_t step = (int64_t)((bucket - EXACT) & ((1u << STEP_BITS) - 1));
    return (((INT64_C(1) << STEP_BITS) + step + 1) << (octave - STEP_BITS)) - 1;
}

void histogram_add(struct histogram *h, int64_t value) {
    if (value < 0) value = 0;
    if (value > HISTOGRAM_LARGEST) value = HISTOGRAM_LARGEST;
    h->counts[bucket_of(value)]++;
    h->count++;
    if (value > h->largest) h->largest = value;
}

int64_t histogram_percentile(const struct histogram *h, double percent) {
    if (!h->count) return 0;
    double wanted = ceil((double)h->count * percent / 100);
    uint64_t rank = wanted < 1 ? 1 : (uint64_t)wanted, seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen >= rank) return upper_end(i) < h->largest ? upper_end(i) : h->largest;
    }
    return h->largest;
}

void histogram_merge(struct histogram *h, const struct histogram *other) {
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) h->counts[i] += other->counts[i];
    h->count += other->count;
    if (other->largest > h->largest) h->largest = other->largest;
}
