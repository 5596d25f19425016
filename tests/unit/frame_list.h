// Collects frames, for tests of functions that emit them.
#pragma once

#include <stdlib.h>

#include "base/mem.h"
#include "entries.h"
#include "fanout/frame.h"

// Zero-initialise.
struct frame_list {
    struct frame **frames;
    size_t count;
};

// Takes the frame; `list` is untyped as in the callbacks it stands for.
static inline void frame_list_take(void *list, struct frame *f) {
    struct frame_list *l = list;
    l->frames = mem_realloc(l->frames, (l->count + 1) * sizeof(struct frame *));
    l->frames[l->count++] = f;
}

static inline void frame_list_release(struct frame_list *l) {
    for (size_t i = 0; i < l->count; i++) frame_unref(l->frames[i]);
    free(l->frames);
    *l = (struct frame_list){0};
}

// Empties the list and returns frames_text() of what it held.
static inline const char *frame_list_text(struct frame_list *l) {
    const char *text = frames_text(l->frames, l->count);
    frame_list_release(l);
    return text;
}
