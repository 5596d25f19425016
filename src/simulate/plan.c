#include "simulate/plan.h"

#include <math.h>

#include "placement/hot_set.h"
#include "placement/reader_set.h"
#include "simulate/audience.h"

enum { CLUSTER_LEAST = 3 };

struct plan_load plan_load_of(const struct audience *a, double comments) {
    struct plan_load l = {.videos = a->videos,
                          .viewers = a->total,
                          .comments = comments,
                          .heartbeats = cost_heartbeats(a->total),
                          .largest_viewers = a->viewers[a->ranking[0]]};
    for (size_t i = 0; i < a->videos; i++) {
        uint64_t viewers = a->viewers[i];
        double rate = a->total ? comments * (double)viewers / (double)a->total : 0;
        double sending = cost_sending(viewers, rate);
        l.deliveries += rate * (double)viewers;
        l.sending += sending;
        if (i == a->ranking[0]) l.largest = sending + cost_heartbeats(viewers);
    }
    return l;
}

static uint64_t at_least_one(double count) {
    return count > 1 ? (uint64_t)ceil(count) : 1;
}

static void plan_set(struct plan *p, const struct plan_load *l, const struct plan_machine *m) {
    double held = (double)l->largest_viewers / (double)m->max_viewers;
    double share = hot_set_share_of(l->largest / m->cores, held);
    p->set = share > HOT_GROW ? hot_set_filled(share) : 1;
    p->set_too_large = p->set > READER_SET_MAX;
    if (p->set_too_large) p->set = READER_SET_MAX;
}

static uint64_t redis_primaries(double comments, double rate) {
    if (comments <= rate) return 1;
    uint64_t count = at_least_one(comments / rate * COST_CLUSTER);
    return count > CLUSTER_LEAST ? count : CLUSTER_LEAST;
}

struct plan plan_make(const struct plan_load *l, const struct plan_machine *m) {
    double cores = m->cores * COST_ROOM_PERCENT / 100, sending = l->sending + l->heartbeats;
    double rate = m->redis_rate * COST_ROOM_PERCENT / 100;
    struct plan p = {.posting = l->comments * COST_POST_US / 1e6,
                     .readers_by_cores = at_least_one(sending / cores),
                     .readers_by_viewers = at_least_one((double)l->viewers / (double)m->max_viewers),
                     .redis = redis_primaries(l->comments, rate)};
    plan_set(&p, l, m);
    uint64_t needed = p.readers_by_cores > p.readers_by_viewers ? p.readers_by_cores : p.readers_by_viewers;
    if (p.set > needed) needed = p.set;
    p.readers = needed + 1;
    p.reader_bytes = (l->viewers * COST_VIEWER_BYTES + l->videos * COST_VIDEO_BYTES) / needed;
    p.posts_by_cores = at_least_one(p.posting / cores);
    p.comment_apis = p.posts_by_cores + 1;
    p.box_used = (sending + l->comments * COST_BOX_US / 1e6) / cores;
    double box_rate = (double)COST_BOX_RATE * COST_ROOM_PERCENT / 100;
    bool is_enough = p.box_used <= 1 && l->comments <= box_rate && l->viewers <= m->max_viewers;
    p.setup = is_enough ? PLAN_ONE_MACHINE : p.redis == 1 ? PLAN_ONE_REDIS : PLAN_CLUSTER;
    return p;
}
