#include "crowds.h"

#include <stddef.h>
#include <string.h>

#include "simulate/audience.h"

const struct crowd crowds[CROWDS] = {
    {"0", 0},
    {"1-100", 100},
    {"101-1000", 1000},
    {"1001-5000", 5000},
    {"5001-10000", 10000},
    {"10001-50000", 50000},
    {"50001+", UINT64_MAX},
};

void crowds_count(const struct audience *a, uint64_t videos[CROWDS]) {
    memset(videos, 0, CROWDS * sizeof *videos);
    for (size_t k = 0; k < a->videos; k++) {
        size_t i = 0;
        while (a->viewers[k] > crowds[i].most) i++;
        videos[i]++;
    }
}
