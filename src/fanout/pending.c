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

void pending_add_replay(struct pending *p, struct replay *r, uint32_t from) {
    assert(!p->replay && from <= r->count);
    p->replay = r;
    p->replay_next = from;
}

void pending_set_head(struct pending *p, struct frame *f) {
    assert(p->next == FIRST);
    p->frames[HEAD] = f;
    p->next = HEAD;
}

bool pending_has_head(const struct pending *p) {
    return p->next == HEAD;
}

static uint32_t pending_shared(const struct pending *p) {
    return p->replay ? p->replay->count - p->replay_next : 0;
}

uint32_t pending_left(const struct pending *p) {
    return p->count - p->next + pending_shared(p);
}

struct frame *pending_at(const struct pending *p, uint32_t ahead) {
    uint32_t own = p->count - p->next;
    if (ahead < own) return p->frames[p->next + ahead];
    return ahead - own < pending_shared(p) ? p->replay->frames[p->replay_next + ahead - own] : NULL;
}

static void counts_add(struct pending_counts *c, const struct frame *f) {
    if (!position_is_set(f->at)) return;
    if (!f->is_gap)
        c->entries++;
    else if (frame_gap_reason(f) == GAP_SLOW)
        c->slow += frame_missed(f);
    else
        c->lost += frame_missed(f);
}

// A replay is only looked at where it has gaps: each of its frames moves the position.
struct pending_counts pending_count(const struct pending *p) {
    struct pending_counts c = {0};
    bool only_own = p->replay && !p->replay->has_gaps;
    uint32_t count = only_own ? p->count - p->next : pending_left(p);
    if (only_own) c.entries = pending_shared(p);
    for (uint32_t i = 0; i < count; i++) counts_add(&c, pending_at(p, i));
    return c;
}

void pending_step(struct pending *p) {
    if (p->next < p->count)
        frame_unref(p->frames[p->next++]);
    else
        p->replay_next++;
}

void pending_free(struct pending *p) {
    if (!p) return;
    for (uint32_t i = p->next; i < p->count; i++) frame_unref(p->frames[i]);
    replay_unref(p->replay);
    budget_give_back(pending_bytes(p->room));
    free(p);
}
