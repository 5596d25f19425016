#include "fanout/pending.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/budget.h"
#include "fanout/frame.h"

static size_t size_with(uint32_t room) {
    return sizeof(struct pending) + room * sizeof(struct frame *);
}

struct pending *pending_new(uint32_t room) {
    struct pending *p = mem_alloc(size_with(room));
    *p = (struct pending){.room = room};
    budget_take(size_with(room));
    return p;
}

struct pending *pending_add(struct pending *p, struct frame *f) {
    if (p->count == p->room) {
        uint32_t room = p->room ? p->room * 2 : 1;
        p = mem_realloc(p, size_with(room));
        budget_take(size_with(room) - size_with(p->room));
        p->room = room;
    }
    p->frames[p->count++] = f;
    return p;
}

void pending_free(struct pending *p) {
    if (!p) return;
    for (uint32_t i = p->next; i < p->count; i++) frame_unref(p->frames[i]);
    budget_give_back(size_with(p->room));
    free(p);
}
