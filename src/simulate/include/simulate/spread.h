// Statistics of how evenly values are spread. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct spread {
    uint64_t total, max, min;
    double average;
    double deviation; // standard deviation, of these values, not of a sample
    double imbalance; // `balanceFactor` in JSON: (max - min) / average in percent; 0 if the average is 0
};

// Calculates them. count > 0.
struct spread spread_of(const uint64_t *values, size_t count);
