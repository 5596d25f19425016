// Counts values in fixed memory (8 KiB): exact below 64, above that 32 buckets per octave, so that a
// percentile is at most 3 percent too high. Meant for microseconds; values above HISTOGRAM_LARGEST (19 hours)
// count as HISTOGRAM_LARGEST. Not shared between threads: each has its own, merged at the end.
#pragma once

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 1024 };
#define HISTOGRAM_LARGEST ((INT64_C(1) << 36) - 1)

// Zero-initialise.
struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t count;
    int64_t largest; // seen
};

// Negative values count as 0.
void histogram_add(struct histogram *, int64_t value);

// Returns the value that `percent` (0 to 100) of all values do not exceed; 0 if there are none.
int64_t histogram_percentile(const struct histogram *, double percent);

// Adds the counts of `other`.
void histogram_merge(struct histogram *, const struct histogram *other);
