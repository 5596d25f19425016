#include "seats.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "viewer_state.h"

static void put(struct seats *s, uint32_t slot, struct viewer *v) {
    s->at[slot] = v;
    v->slot = slot;
}

static void swap(struct seats *s, uint32_t a, uint32_t b) {
    struct viewer *va = s->at[a];
    put(s, a, s->at[b]);
    put(s, b, va);
}

void seats_release(struct seats *s) {
    assert(!s->count);
    free(s->at);
    *s = (struct seats){0};
}

void seats_add(struct seats *s, struct viewer *v) {
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 1; // most videos have few viewers
        s->at = mem_realloc(s->at, s->room * sizeof(struct viewer *));
    }
    put(s, s->count++, v);
    swap(s, v->slot, s->behind++);
    if (v->framing == SINK_RAW) s->raw++;
}

bool seats_is_ready(const struct seats *s, const struct viewer *v) {
    return v->slot < s->ready;
}

bool seats_is_due(const struct seats *s, const struct viewer *v) {
    return v->slot < s->due;
}

void seats_make_ready(struct seats *s, struct viewer *v) {
    swap(s, v->slot, s->ready++);
}

void seats_make_lagging(struct seats *s, struct viewer *v) {
    if (v->slot >= s->behind) {
        swap(s, v->slot, s->behind++);
        return;
    }
    if (v->slot < s->due) swap(s, v->slot, --s->due);
    swap(s, v->slot, --s->ready);
}

void seats_make_fallen(struct seats *s, struct viewer *v) {
    swap(s, v->slot, --s->behind);
}

void seats_remove(struct seats *s, struct viewer *v) {
    if (seats_is_ready(s, v)) seats_make_lagging(s, v);
    if (v->slot < s->behind) seats_make_fallen(s, v);
    swap(s, v->slot, --s->count);
    if (v->framing == SINK_RAW) s->raw--;
}

void seats_begin_flush(struct seats *s) {
    s->due = s->ready;
}
