#include "simulate/outcome.h"

#include <stdlib.h>

#include "base/mem.h"
#include "simulate/audience.h"

static void balance_init(struct balance *b, const struct placing *p) {
    *b = (struct balance){.videos = mem_zalloc(p->readers * sizeof *b->videos),
                          .viewers = mem_zalloc(p->readers * sizeof *b->viewers),
                          .number = mem_zalloc(p->readers * sizeof *b->number)};
    for (size_t i = 0; i < p->readers; i++) {
        if (i == p->lost) continue;
        b->videos[b->readers] = p->loads[i].videos;
        b->viewers[b->readers] = p->loads[i].viewers;
        b->number[b->readers++] = (uint32_t)i + 1;
    }
    b->of_videos = spread_of(b->videos, b->readers);
    b->of_viewers = spread_of(b->viewers, b->readers);
}

static void balance_release(struct balance *b) {
    free(b->videos);
    free(b->viewers);
    free(b->number);
}

// One pass over the ranking serves all readers.
static void outcome_find_top(struct outcome *o, const struct placing *p) {
    const struct audience *a = p->audience;
    size_t *found = mem_zalloc(p->readers * sizeof *found);
    o->top = mem_zalloc(p->readers * sizeof *o->top);
    for (size_t i = 0; i < a->videos; i++) {
        uint32_t video = a->ranking[i], reader = p->reader[video];
        if (found[reader] < OUTCOME_TOP) o->top[reader][found[reader]++] = video;
    }
    free(found);
}

static uint32_t celebrity_reader(const struct placing *p) {
    return p->reader[p->audience->ranking[0]] + 1;
}

static size_t busiest_reader(const struct placing *p) {
    size_t busiest = 0;
    for (size_t i = 1; i < p->readers; i++)
        if (p->loads[i].viewers > p->loads[busiest].viewers) busiest = i;
    return busiest;
}

static void outcome_lose(struct outcome *o, struct placing *p, size_t index, uint64_t seed) {
    o->loses = true;
    o->lost = (uint32_t)index + 1;
    o->moved = placing_fail_reader(p, index);
    o->celebrity_after = celebrity_reader(p);
    balance_init(&o->after, p);
    herd_init(&o->herd, o->moved.viewers, seed);
}

void outcome_init(struct outcome *o, enum placement_policy policy, const struct audience *audience,
                  size_t readers, size_t lose, const struct evening_fleet *fleet) {
    struct placing p;
    placing_init(&p, policy, audience, readers);
    *o = (struct outcome){.policy = policy, .celebrity = celebrity_reader(&p)};
    balance_init(&o->before, &p);
    outcome_find_top(o, &p);
    evening_init(&o->evening, &p, fleet);
    if (lose) outcome_lose(o, &p, lose == OUTCOME_LOSE_BUSIEST ? busiest_reader(&p) : lose - 1, fleet->seed);
    placing_release(&p);
}

void outcome_release(struct outcome *o) {
    balance_release(&o->before);
    balance_release(&o->after);
    evening_release(&o->evening);
    free(o->top);
}

size_t outcome_top_count(const struct outcome *o, size_t index) {
    uint64_t videos = o->before.videos[index];
    return videos < OUTCOME_TOP ? (size_t)videos : OUTCOME_TOP;
}
