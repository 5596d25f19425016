#include "fanout/replay.h"

#include <assert.h>
#include <stdlib.h>

#include "base/budget.h"
#include "base/mem.h"
#include "fanout/frame.h"

static size_t replay_bytes(uint32_t room) {
    return sizeof(struct replay) + room * sizeof(struct frame *);
}

struct replay *replay_new(uint32_t room) {
    struct replay *r = mem_alloc(replay_bytes(room));
    atomic_init(&r->refs, 1);
    r->count = 0;
    r->room = room;
    r->has_gaps = false;
    budget_take(replay_bytes(room));
    return r;
}

void replay_add(struct replay *r, struct frame *f) {
    assert(r->count < r->room && position_is_set(f->at));
    r->frames[r->count++] = f;
    r->has_gaps |= f->is_gap;
}

struct replay *replay_ref(struct replay *r) {
    atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
    return r;
}

void replay_unref(struct replay *r) {
    if (!r || atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1) return;
    for (uint32_t i = 0; i < r->count; i++) frame_unref(r->frames[i]);
    budget_give_back(replay_bytes(r->room));
    free(r);
}
