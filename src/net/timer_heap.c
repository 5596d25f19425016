#include "timer_heap.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/loop.h"

static void timer_place(struct timer_heap *h, uint32_t slot, struct loop_timer *t) {
    h->slots[slot] = t;
    t->slot = slot;
}

static void timer_sift_up(struct timer_heap *h, uint32_t slot, struct loop_timer *t) {
    for (; slot > 1 && h->slots[slot / 2]->due_ms > t->due_ms; slot /= 2)
        timer_place(h, slot, h->slots[slot / 2]);
    timer_place(h, slot, t);
}

static void timer_sift_down(struct timer_heap *h, uint32_t slot, struct loop_timer *t) {
    for (uint32_t child; (child = slot * 2) <= h->count; slot = child) {
        if (child < h->count && h->slots[child + 1]->due_ms < h->slots[child]->due_ms) child++;
        if (h->slots[child]->due_ms >= t->due_ms) break;
        timer_place(h, slot, h->slots[child]);
    }
    timer_place(h, slot, t);
}

void timer_heap_release(struct timer_heap *h) {
    free(h->slots);
    *h = (struct timer_heap){0};
}

void timer_heap_start(struct timer_heap *h, struct loop_timer *t, int64_t due_ms) {
    timer_heap_stop(h, t);
    t->due_ms = due_ms;
    if (h->count + 2 > h->room) {
        h->room = h->room ? h->room * 2 : 16;
        h->slots = mem_realloc(h->slots, h->room * sizeof(struct loop_timer *));
    }
    h->count++;
    timer_sift_up(h, h->count, t);
}

void timer_heap_stop(struct timer_heap *h, struct loop_timer *t) {
    uint32_t slot = t->slot;
    if (!slot) return;
    t->slot = 0;
    struct loop_timer *last = h->slots[h->count--];
    if (last == t) return;
    if (slot > 1 && h->slots[slot / 2]->due_ms > last->due_ms)
        timer_sift_up(h, slot, last);
    else
        timer_sift_down(h, slot, last);
}

struct loop_timer *timer_heap_first(const struct timer_heap *h) {
    return h->count ? h->slots[1] : NULL;
}

void timer_heap_run_due(struct timer_heap *h, int64_t now_ms) {
    for (uint32_t left = h->count; left && h->count && h->slots[1]->due_ms <= now_ms; left--) {
        struct loop_timer *t = h->slots[1];
        timer_heap_stop(h, t);
        t->on_due(t);
    }
}
