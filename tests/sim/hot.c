#include "hot.h"

#include "base/prng.h"

enum {
    KINDS = 6, // of worlds: sets, sets and orders, orders, and those without either
    VIEWERS_MIN = 60,
    VIEWERS_MAX = 150,
    GROW_MOST_MS = 3000,
    SHRINK_MOST_MS = 8000,
    TURN_MIN_MS = 8000,
    TURN_MAX_MS = 25000,
    SPARE_PERCENT = 130
};

static unsigned between(struct prng *p, unsigned least, unsigned most) {
    return least + (unsigned)prng_below(p, most - least + 1);
}

struct hot_plan hot_plan(uint64_t seed) {
    static const unsigned shares[] = {100, 70, 45}; // of all viewers, in percent: the last fills up at times
    struct prng p = {seed ^ 0x686f74};
    uint64_t kind = prng_below(&p, KINDS);
    struct hot_plan plan = {.sets = kind < 2, .orders = kind == 1 || kind == 2};
    if (!plan.sets) return plan;
    plan.viewers = between(&p, VIEWERS_MIN, VIEWERS_MAX);
    plan.most = plan.viewers * shares[prng_below(&p, sizeof shares / sizeof *shares)] / 100;
    plan.grow_ms = (unsigned)prng_below(&p, GROW_MOST_MS);
    plan.shrink_ms = between(&p, plan.grow_ms, SHRINK_MOST_MS);
    plan.turn_ms = between(&p, TURN_MIN_MS, TURN_MAX_MS);
    return plan;
}

bool hot_plan_may_drain(const struct hot_plan *p) {
    return !p->sets || 2 * p->most * 100 >= p->viewers * SPARE_PERCENT;
}
