// Delays in milliseconds, counted in a few buckets: exact below 8 ms, above that four per octave, so that
// a percentile, which is interpolated, is at most 12 percent off. Few enough to be sent along in every
// report; counts of several sources are merged by adding them up. Pure.
#pragma once

#include <stdint.h>

enum { DELAY_BUCKETS = 80 };
#define DELAY_LARGEST_MS ((INT64_C(1) << 21) - 1) // 35 minutes; longer ones count as this

// Returns the bucket of a delay; a negative one, as clocks that differ cause, counts as 0.
unsigned delay_bucket(int64_t ms);

// Returns the delay that `percent` (0 to 100) of those counted do not exceed; -1 if none is counted.
double delay_percentile_ms(const uint64_t counts[DELAY_BUCKETS], double percent);
