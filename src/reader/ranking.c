#include "ranking.h"

#include <stdlib.h>

#include "base/mem.h"
#include "busiest.h"
#include "reader_core.h"
#include "watched.h"

enum { RANKED_SHARE = 8, RANKED_MIN = 2048 };

struct ranking {
    const struct watched *next; // NULL: a walk begins
    struct busiest walking, whole;
};

struct ranking *ranking_new(void) {
    return mem_zalloc(sizeof(struct ranking));
}

void ranking_free(struct ranking *k) {
    free(k);
}

static void ranking_take(struct ranking *k, const struct watched *w, int64_t now_ms) {
    unsigned viewers = broadcast_viewers(&w->broadcast);
    if (viewers) busiest_add(&k->walking, w->video, viewers, rate_in_1000s(w->broadcast.comments, now_ms));
}

void ranking_sweep(struct reader *r) {
    struct ranking *k = r->ranking;
    int64_t now_ms = loop_now_ms(r->service.loop);
    if (!k->next) k->next = watched_next(r, NULL);
    for (size_t left = r->videos.count / RANKED_SHARE + RANKED_MIN; left && k->next; left--) {
        ranking_take(k, k->next, now_ms);
        k->next = watched_next(r, k->next);
    }
    if (k->next) return;
    k->whole = k->walking;
    k->walking.count = 0;
}

const struct busiest *ranking_busiest(const struct ranking *k) {
    return &k->whole;
}

void ranking_leave(struct reader *r, const struct watched *w) {
    if (r->ranking->next == w) r->ranking->next = watched_next(r, w);
}

void ranking_add_to_report(const struct reader *r, json_t *report) {
    const struct busiest *b = &r->ranking->whole;
    json_t *viewers = json_object(), *comments = json_object();
    for (unsigned i = 0; i < b->count; i++) {
        const struct busy_video *v = &b->videos[i];
        json_object_set_new(viewers, v->video, json_integer((json_int_t)v->viewers));
        if (v->comments_in_1000s)
            json_object_set_new(comments, v->video, json_integer((json_int_t)v->comments_in_1000s));
    }
    json_object_set_new(report, "viewersByVideo", viewers);
    json_object_set_new(report, "commentsPer1000s", comments);
}
