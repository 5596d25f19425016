#include "continuity.h"

#include "fanout/frame.h"
#include "entry_frame.h"

// An epoch that begins with a tombstone (engine.h, "A loss").
static bool announces_loss(const struct engine_entry *e) {
    return e->kind == ENTRY_TOMBSTONE && e->at.seq == 1;
}

enum continuity continuity_of(struct position at, const struct engine_entry *e) {
    if (!position_is_set(at)) return CONTINUITY_NEXT;
    if (position_compare(e->at, at) <= 0) return CONTINUITY_OLD;
    if (announces_loss(e)) return position_compare(at, e->prev) < 0 ? CONTINUITY_HOLE : CONTINUITY_BEYOND;
    if (e->at.epoch == at.epoch) return e->at.seq == at.seq + 1 ? CONTINUITY_NEXT : CONTINUITY_HOLE;
    if (!position_is_set(e->prev)) return e->at.seq == 1 ? CONTINUITY_BEYOND : CONTINUITY_HOLE;
    int order = position_compare(e->prev, at);
    return order == 0 ? CONTINUITY_NEXT : order < 0 ? CONTINUITY_BEYOND : CONTINUITY_HOLE;
}

static struct position after(struct position p) {
    return (struct position){p.epoch, p.seq + 1};
}

static struct position before(struct position p) {
    return (struct position){p.epoch, p.seq - 1};
}

struct position continuity_before(const struct engine_entry *e) {
    if (announces_loss(e)) return e->at; // it would be a gap
    return e->at.seq == 1 && position_is_set(e->prev) ? e->prev : before(e->at);
}

// Returns the gap in front of an entry that does not follow: everything after `at` and before the entry. The
// gap of a loss includes the tombstone, which viewers are not shown. One that was noticed late began further
// back. One that has left nothing may have begun anywhere: what announced earlier losses is lost, too.
static struct frame *gap_before(struct position at, const struct engine_entry *e, enum continuity c) {
    if (!announces_loss(e))
        return frame_of_gap(after(at), before(e->at), c == CONTINUITY_BEYOND ? GAP_EPOCH : GAP_EXPIRED);
    struct position from = position_is_set(e->prev) ? e->prev : (struct position){1, 0};
    return frame_of_gap(after(from.epoch < at.epoch ? from : at), e->at, GAP_EPOCH);
}

void continuity_walk(struct position *at, const struct engine_entry *entries, size_t count,
                     void (*emit)(void *arg, struct frame *), void *arg) {
    for (const struct engine_entry *e = entries; e < entries + count; e++) {
        enum continuity c = continuity_of(*at, e);
        if (c == CONTINUITY_OLD) continue;
        if (c != CONTINUITY_NEXT) {
            struct frame *gap = gap_before(*at, e, c);
            struct position to = gap->at;
            emit(arg, gap);
            *at = to;
        }
        struct frame *f = frame_of_entry(e);
        if (f) emit(arg, f);
        *at = e->at;
    }
}

void continuity_end(struct position *at, struct position head, void (*emit)(void *arg, struct frame *),
                    void *arg) {
    // A store that came back empty has no position yet: head() will announce what it has lost.
    if (!position_is_set(head) || position_compare(*at, head) == 0) return;
    // Behind the head with nothing kept in between: expired. Beyond it: the store has lost what was seen.
    bool behind = at->epoch == head.epoch ? at->seq < head.seq : at->epoch < head.epoch && head.seq > 0;
    emit(arg, frame_of_gap(after(*at), head, behind ? GAP_EXPIRED : GAP_EPOCH));
    *at = head;
}
