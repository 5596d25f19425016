// Counts videos by number of viewers, in the six classes of the original simulation, and one for no viewers.
#pragma once

#include <stdint.h>

struct audience;

enum { SIZE_CLASSES = 7 };

struct size_class {
    const char *name;
    uint64_t most; // viewers of a video in this class
};

extern const struct size_class size_classes[SIZE_CLASSES];

void size_classes_count(const struct audience *, uint64_t videos[SIZE_CLASSES]);
