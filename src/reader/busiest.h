// The videos with the most viewers, of those that were added. Pure.
#pragma once

#include <stdint.h>

#include "engine/engine.h"

enum { BUSIEST_MAX = 100 };

struct busy_video {
    uint64_t viewers;
    uint64_t comments_in_1000s; // decides between two with as many viewers
    char video[ENGINE_VIDEO_MAX + 1];
};

// Zero-initialise. In no order.
struct busiest {
    unsigned count, least; // least: the index of the one to be replaced, if it is full
    struct busy_video videos[BUSIEST_MAX];
};

void busiest_add(struct busiest *, const char *video, uint64_t viewers, uint64_t comments_in_1000s);
