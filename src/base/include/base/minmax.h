// The minimum and the maximum of two numbers.
#pragma once

#include <stdint.h>

static inline int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static inline int64_t max(int64_t a, int64_t b) {
    return a > b ? a : b;
}
