#include "busiest.h"

#include <stdbool.h>
#include <stdio.h>

static bool is_less(const struct busy_video *a, const struct busy_video *b) {
    return a->viewers != b->viewers ? a->viewers < b->viewers : a->comments_in_1000s < b->comments_in_1000s;
}

void busiest_add(struct busiest *b, const char *video, uint64_t viewers, uint64_t comments_in_1000s) {
    struct busy_video new = {.viewers = viewers, .comments_in_1000s = comments_in_1000s};
    bool full = b->count == BUSIEST_MAX;
    if (full && !is_less(&b->videos[b->least], &new)) return;
    struct busy_video *at = &b->videos[full ? b->least : b->count++];
    snprintf(new.video, sizeof new.video, "%s", video);
    *at = new;
    if (b->count < BUSIEST_MAX) return;
    b->least = 0;
    for (unsigned i = 1; i < BUSIEST_MAX; i++)
        if (is_less(&b->videos[i], &b->videos[b->least])) b->least = i;
}
