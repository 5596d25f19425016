#include "fanout/pending.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/budget.h"
#include "fanout/frame.h"

static size_t pending_bytes(uint32_t room) {
    return sizeof(struct pending) + room * sizeof(struct frame *);
}

enum { HEAD, FIRST };

struct pending *pending_new(uint32_t room) {
    struct pending *p = mem_alloc(pending_bytes(room + FIRST));
    *p = (struct pending){.count = FIRST, .next = FIRST, .room = room + FIRST};
    budget_take(pending_bytes(p->room));
    return p;
}

struct pending *pending_add(struct pending *p, struct frame *f) {
    if (p->count == p->room) {
        uint32_t room = p->room * 2;
        p = mem_realloc(p, pending_bytes(room));
        budget_take(pending_bytes(room) - pending_bytes(p->room));
        p->room = room;
    }
    p->frames[p->count++] = f;
    return p;
}

void pending_set_head(struct pending *p, struct frame *f) {
    assert(p->next == FIRST);
    p->frames[HEAD] = f;
    p->next = HEAD;
}

bool pending_has_head(const struct pending *p) {
    return p->next == HEAD;
}

void pending_free(struct pending *p) {
    if (!p) return;
    for (uint32_t i = p->next; i < p->count; i++) frame_unref(p->frames[i]);
    budget_give_back(pending_bytes(p->room));
    free(p);
}
