#include "clients/sequence.h"

#include <string.h>

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

uint64_t sequence_more(const char *json, size_t len) {
    static const char member[] = ",\"more\":";
    enum { MEMBER = sizeof member - 1 };
    if (len < 2 || json[len - 1] != '}') return 0;
    const char *at = json + len - 1;
    uint64_t more = 0, place = 1;
    for (; at > json && at[-1] >= '0' && at[-1] <= '9' && place < UINT64_C(1000000000000); place *= 10)
        more += place * (uint64_t)(*--at - '0');
    bool is_said = place > 1 && at - json >= MEMBER && !memcmp(at - MEMBER, member, MEMBER);
    return is_said ? more : 0;
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
