#include "fanout/ring.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fanout/frame.h"

enum { SMALLEST = 4 };

void ring_release(struct ring *r) {
    ring_drop_before(r, r->next);
}

struct frame *ring_at(const struct ring *r, uint64_t n) {
    assert(n >= r->first && n < r->next);
    return r->slots[n & (r->room - 1)];
}

static void ring_grow(struct ring *r) {
    uint32_t room = r->room ? r->room * 2 : SMALLEST;
    struct frame **slots = mem_alloc(room * sizeof(struct frame *));
    for (uint64_t n = r->first; n < r->next; n++) slots[n & (room - 1)] = ring_at(r, n);
    free(r->slots);
    r->slots = slots;
    r->room = room;
}

void ring_push(struct ring *r, struct frame *f) {
    if (r->next - r->first == r->room) ring_grow(r);
    r->slots[r->next++ & (r->room - 1)] = f;
    r->bytes += f->len;
}

void ring_replace(struct ring *r, uint64_t n, struct frame *by) {
    struct frame *f = ring_at(r, n);
    r->bytes = r->bytes - f->len + by->len;
    r->slots[n & (r->room - 1)] = by;
    frame_unref(f);
}

void ring_drop_before(struct ring *r, uint64_t n) {
    for (; r->first < n && r->first < r->next; r->first++) {
        struct frame *f = ring_at(r, r->first);
        r->bytes -= f->len;
        frame_unref(f);
    }
    if (r->first == r->next) { // a quiet video keeps no memory for its ring
        free(r->slots);
        r->slots = NULL;
        r->room = 0;
    }
}
