#include "move_pace.h"

#include "base/minmax.h"

uint32_t move_pace_take(struct move_pace *p, double per_second, int64_t now_ms) {
    int64_t passed_ms = p->at_ms ? min(now_ms - p->at_ms, MOVE_PACE_MOST_MS) : 0;
    p->at_ms = now_ms;
    p->fraction += per_second * (double)passed_ms / 1000;
    uint32_t whole = (uint32_t)p->fraction;
    p->fraction -= whole;
    return whole;
}
