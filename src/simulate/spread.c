#include "simulate/spread.h"

#include <math.h>

struct spread spread_of(const uint64_t *values, size_t count) {
    struct spread s = {.max = values[0], .min = values[0]};
    for (size_t i = 0; i < count; i++) {
        s.total += values[i];
        if (values[i] > s.max) s.max = values[i];
        if (values[i] < s.min) s.min = values[i];
    }
    s.average = (double)s.total / (double)count;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double away = (double)values[i] - s.average;
        squares += away * away;
    }
    s.deviation = sqrt(squares / (double)count);
    if (s.total) s.imbalance = (double)(s.max - s.min) / s.average * 100;
    return s;
}
