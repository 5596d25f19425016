#include "placement/hot_set.h"

#include <math.h>

#include "placement/reader_load.h"

#define CLEARLY    0.35 // less in use; viewers that are moved take as much of a reader while they connect
#define SPAN       0.05 // more than that, so that two readers do not send a viewer to each other
#define SENDS_ON   1.05 // so many times the viewers of another
#define LEAST_GAP  8    // viewers, below which nobody is sent on or moved
#define LEAST_FREE 0.01
#define SOON_S     30.0 // in which arrivals may even a set out
#define BUSY       0.90 // in use, from which on viewers are moved at once
#define NEWEST     0.5  // weight of the newest count of arrivals

double hot_set_share_of(double sent, double held) {
    double counted = held * (HOT_GROW / HOT_VIEWERS);
    return sent > counted ? sent : counted;
}

double hot_set_share(const struct reader_load *l, const struct reader_load_video *v) {
    return hot_set_share_of(l->cores ? (double)v->load / (double)l->cores : 0,
                            l->most ? (double)v->viewers / (double)l->most : 0);
}

static bool lasts(int64_t *since_ms, bool is_so, int64_t for_ms, int64_t now_ms) {
    if (!is_so) *since_ms = 0;
    if (is_so && !*since_ms) *since_ms = now_ms;
    return is_so && now_ms - *since_ms >= for_ms;
}

size_t hot_set_filled(double load) {
    return load > HOT_FILL ? (size_t)ceil(load / HOT_FILL) : 1;
}

size_t hot_set_size(struct hot_video *v, double load, size_t count, size_t most, const struct hot_times *t,
                    int64_t now_ms) {
    double each = load / (double)count;
    size_t filled = hot_set_filled(load);
    bool above = lasts(&v->above_ms, each > HOT_GROW, t->grow_ms, now_ms);
    bool below = lasts(&v->below_ms, count > 1 && each < HOT_SHRINK && filled < count, t->shrink_ms, now_ms);
    size_t size = above && filled > count ? filled : below ? count - 1 : count;
    return size > most && size > count ? (most > count ? most : count) : size;
}

size_t hot_set_joins(const struct hot_candidate *c, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (c[i].used < c[best].used) best = i;
    return best;
}

size_t hot_set_leaves(const struct hot_candidate *c, size_t count) {
    size_t best = 1;
    for (size_t i = 2; i < count; i++)
        if (c[i].viewers < c[best].viewers) best = i;
    return best;
}

static double room(const struct hot_candidate *c) {
    return c->used < 1 - LEAST_FREE ? 1 - c->used : LEAST_FREE;
}

// `chance` is one of 2^32.
static size_t draw(const struct hot_candidate *c, size_t count, size_t without, uint32_t chance) {
    double all = 0;
    for (size_t i = 0; i < count; i++)
        if (i != without) all += room(&c[i]);
    double at = all * (double)chance / 4294967296.0;
    size_t last = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == without) continue;
        last = i;
        at -= room(&c[i]);
        if (at < 0) break;
    }
    return last;
}

static bool is_better(const struct hot_candidate *a, const struct hot_candidate *b) {
    if (a->used < b->used - CLEARLY) return true;
    return a->used <= b->used + CLEARLY && a->viewers < b->viewers;
}

size_t hot_set_choose(const struct hot_candidate *c, size_t count, uint64_t chance) {
    size_t first = draw(c, count, count, (uint32_t)chance);
    if (count == 1) return first;
    size_t second = draw(c, count, first, (uint32_t)(chance >> 32));
    return is_better(&c[second], &c[first]) ? second : first;
}

bool hot_set_sends_on(const struct hot_candidate *own, const struct hot_candidate *other) {
    if (own->used > other->used + CLEARLY + SPAN) return true;
    return own->used >= other->used - CLEARLY &&
           (double)own->viewers > SENDS_ON * (double)other->viewers + LEAST_GAP;
}

static uint64_t all_viewers(const struct hot_candidate *c, size_t count) {
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++) all += c[i].viewers;
    return all;
}

uint64_t hot_set_surplus(const struct hot_candidate *c, size_t count, size_t own) {
    double even = (double)all_viewers(c, count) / (double)count;
    if ((double)c[own].viewers < HOT_EVEN * even + LEAST_GAP) return 0;
    return c[own].viewers - (uint64_t)even;
}

void hot_crowd_count(struct hot_crowd *crowd, const struct hot_candidate *c, size_t count, int64_t now_ms) {
    uint64_t all = all_viewers(c, count);
    double passed_s = (double)(now_ms - crowd->at_ms) / 1000;
    if (crowd->at_ms && passed_s > 0) {
        double came = ((double)all - (double)crowd->all) / passed_s;
        crowd->arrivals = (1 - NEWEST) * crowd->arrivals + NEWEST * came;
    }
    crowd->all = all;
    crowd->at_ms = now_ms;
}

// Those that come go to others, so that `own` has what is even once `surplus` have come for each member.
uint64_t hot_set_moves(const struct hot_candidate *c, size_t count, size_t own,
                       const struct hot_crowd *crowd) {
    uint64_t surplus = hot_set_surplus(c, count, own);
    bool fills_up = (double)(surplus * count) <= SOON_S * crowd->arrivals;
    return fills_up && c[own].used < BUSY ? 0 : surplus;
}
