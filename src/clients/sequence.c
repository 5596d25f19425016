#include "clients/sequence.h"

enum { WINDOW = 64 };

void sequence_jump(struct sequence *s, struct position p) {
    s->last = p;
    s->window = UINT64_MAX;
}

static enum sequence_verdict sequence_take_earlier(struct sequence *s, struct position p) {
    uint64_t back = s->last.seq - p.seq;
    if (p.epoch != s->last.epoch || back >= WINDOW) return SEQUENCE_DUPLICATE;
    uint64_t bit = UINT64_C(1) << back;
    if (s->window & bit) return SEQUENCE_DUPLICATE;
    s->window |= bit;
    return SEQUENCE_LATE;
}

enum sequence_verdict sequence_take(struct sequence *s, struct position p, uint64_t *skipped) {
    *skipped = 0;
    if (!position_is_set(s->last)) {
        sequence_jump(s, p);
        return SEQUENCE_FINE;
    }
    if (position_compare(p, s->last) <= 0) return sequence_take_earlier(s, p);
    if (p.epoch != s->last.epoch) sequence_jump(s, (struct position){p.epoch, 0});
    uint64_t forward = p.seq - s->last.seq;
    if (!forward) return SEQUENCE_FINE;
    *skipped = forward - 1;
    s->window = forward < WINDOW ? s->window << forward | 1 : 1;
    s->last = p;
    return SEQUENCE_FINE;
}
