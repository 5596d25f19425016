#include "viewer_set.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "viewer_state.h"

static void viewer_set_put(struct viewer_set *s, uint32_t slot, struct viewer *v) {
    s->at[slot] = v;
    v->slot = slot;
}

static void viewer_set_swap(struct viewer_set *s, uint32_t a, uint32_t b) {
    struct viewer *va = s->at[a];
    viewer_set_put(s, a, s->at[b]);
    viewer_set_put(s, b, va);
}

void viewer_set_release(struct viewer_set *s) {
    assert(!s->count);
    free(s->at);
    *s = (struct viewer_set){0};
}

void viewer_set_add(struct viewer_set *s, struct viewer *v) {
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 1; // most videos have few viewers
        s->at = mem_realloc(s->at, s->room * sizeof(struct viewer *));
    }
    viewer_set_put(s, s->count++, v);
    viewer_set_swap(s, v->slot, s->behind++);
    if (v->framing == SINK_RAW) s->raw++;
}

bool viewer_set_is_ready(const struct viewer_set *s, const struct viewer *v) {
    return v->slot < s->ready;
}

bool viewer_set_is_due(const struct viewer_set *s, const struct viewer *v) {
    return v->slot < s->due;
}

void viewer_set_make_ready(struct viewer_set *s, struct viewer *v) {
    viewer_set_swap(s, v->slot, s->ready++);
}

void viewer_set_make_lagging(struct viewer_set *s, struct viewer *v) {
    if (v->slot >= s->behind) {
        viewer_set_swap(s, v->slot, s->behind++);
        return;
    }
    if (v->slot < s->due) viewer_set_swap(s, v->slot, --s->due);
    viewer_set_swap(s, v->slot, --s->ready);
}

void viewer_set_make_fallen(struct viewer_set *s, struct viewer *v) {
    viewer_set_swap(s, v->slot, --s->behind);
}

void viewer_set_remove(struct viewer_set *s, struct viewer *v) {
    if (viewer_set_is_ready(s, v)) viewer_set_make_lagging(s, v);
    if (v->slot < s->behind) viewer_set_make_fallen(s, v);
    viewer_set_swap(s, v->slot, --s->count);
    if (v->framing == SINK_RAW) s->raw--;
}

void viewer_set_begin_flush(struct viewer_set *s) {
    s->due = s->ready;
}
