#include "size_classes.h"

#include <stddef.h>
#include <string.h>

#include "simulate/audience.h"

const struct size_class size_classes[SIZE_CLASSES] = {
    {"0", 0},
    {"1-100", 100},
    {"101-1000", 1000},
    {"1001-5000", 5000},
    {"5001-10000", 10000},
    {"10001-50000", 50000},
    {"50001+", UINT64_MAX},
};

void size_classes_count(const struct audience *a, uint64_t videos[SIZE_CLASSES]) {
    memset(videos, 0, SIZE_CLASSES * sizeof *videos);
    for (size_t k = 0; k < a->videos; k++) {
        size_t i = 0;
        while (a->viewers[k] > size_classes[i].most) i++;
        videos[i]++;
    }
}
