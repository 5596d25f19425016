#include "coldest.h"

#include <stdlib.h>

static int by_viewers(const void *a, const void *b) {
    const struct cold_video *x = a, *y = b;
    return x->viewers < y->viewers ? -1 : x->viewers > y->viewers;
}

void coldest_sort(struct coldest *c) {
    qsort(c->videos, c->count, sizeof c->videos[0], by_viewers);
    if (c->count < COLDEST_MAX) return;
    c->count = COLDEST_MAX;
    c->below = c->videos[COLDEST_MAX - 1].viewers;
}

void coldest_add(struct coldest *c, const char *video, unsigned viewers) {
    if (c->below && viewers >= c->below) return;
    c->videos[c->count++] = (struct cold_video){video, viewers};
    if (c->count == 2 * COLDEST_MAX) coldest_sort(c);
}
