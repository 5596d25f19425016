// The videos with the fewest viewers, of those that were added: however many these are, adding takes no
// memory, and about as long for each. Pure.
#pragma once

#include <stddef.h>

enum { COLDEST_MAX = 1024 };

struct cold_video {
    const char *video; // borrowed
    unsigned viewers;
};

// Zero-initialise.
struct coldest {
    size_t count;
    unsigned below; // only those with fewer viewers can be among them still; 0: not known yet
    struct cold_video videos[2 * COLDEST_MAX];
};

void coldest_add(struct coldest *, const char *video, unsigned viewers);

// Sorts them, the coldest first, and leaves at most COLDEST_MAX.
void coldest_sort(struct coldest *);
