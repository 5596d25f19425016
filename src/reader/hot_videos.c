#include "hot_videos.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fanout/fanout.h"
#include "net/loop.h"
#include "placement/hot_set.h"
#include "placement/placement.h"
#include "placement/reader_load.h"
#include "busiest.h"
#include "moves.h"
#include "ranking.h"
#include "reader_core.h"
#include "watched.h"

// Between two measurements a delivery's cost is taken from so many deliveries at least, and kept within
// bounds: in a quiet moment, other work of the threads would count as that of few deliveries.
enum { DELIVERIES_MIN = 1000, MOST_US = 50, SETTLED_MS = 10000 };
#define FIRST_US    7.0 // of a send alone; with many comments in each it is less
#define LEAST_US    0.1
#define NEWEST      0.25 // weight of the newest measurement
#define WORTH_SHARE 0.05 // of a reader, from which on a video is mentioned

struct hot_videos {
    int64_t at_ms;               // of the last measurement
    uint64_t busy_us, delivered; // until then
    double delivery_us;          // what a delivery takes, lately; 0: not known yet
    uint64_t used;               // thousandths of a core, lately
};

struct hot_videos *hot_videos_new(void) {
    return mem_zalloc(sizeof(struct hot_videos));
}

void hot_videos_free(struct hot_videos *h) {
    free(h);
}

static void hot_videos_take(struct reader *r, int64_t now_ms) {
    struct hot_videos *h = r->hot_videos;
    uint64_t busy_us = fanout_lag(r->env.fanout).busy_us, delivered = counter_get(&r->counters.delivered);
    int64_t step_ms = now_ms - h->at_ms;
    if (h->at_ms && step_ms > 0) {
        uint64_t viewers = fanout_viewers(r->env.fanout), own = counter_get(&r->counters.viewers);
        double busy = (double)(busy_us - h->busy_us), share = viewers ? (double)own / (double)viewers : 0;
        double used = busy / (double)step_ms; // microseconds in a millisecond: thousandths
        uint64_t count = delivered - h->delivered;
        h->used = (uint64_t)((1 - NEWEST) * (double)h->used + NEWEST * used + 0.5);
        if (count >= DELIVERIES_MIN) {
            double us = busy * share / (double)count;
            us = us < LEAST_US ? LEAST_US : us > MOST_US ? MOST_US : us;
            h->delivery_us = h->delivery_us > 0 ? (1 - NEWEST) * h->delivery_us + NEWEST * us : us;
        }
    }
    h->at_ms = now_ms;
    h->busy_us = busy_us;
    h->delivered = delivered;
}

// In thousandths of a core: microseconds in a millisecond. A heartbeat costs about as much as a first
// delivery.
static uint64_t video_load(const struct reader *r, const struct watched *w, uint64_t viewers,
                           int64_t now_ms) {
    double us = r->hot_videos->delivery_us > 0 ? r->hot_videos->delivery_us : FIRST_US;
    double comments_per_ms = (double)rate_in_1000s(w->broadcast.comments, now_ms) / 1e6;
    double beats_per_ms = r->config.heartbeat_ms ? 1.0 / (double)r->config.heartbeat_ms : 0;
    return (uint64_t)((double)viewers * (comments_per_ms * us + beats_per_ms * FIRST_US));
}

// Keeps those with the most viewers.
static void load_add_video(struct reader_load *l, const struct reader_load_video *v) {
    size_t at = l->video_count;
    if (at == READER_LOAD_VIDEOS) {
        at = 0;
        for (size_t i = 1; i < l->video_count; i++)
            if (l->videos[i].viewers < l->videos[at].viewers) at = i;
        if (l->videos[at].viewers >= v->viewers) return;
    } else {
        l->video_count++;
    }
    l->videos[at] = *v;
}

void hot_videos_measure(struct reader *r, struct reader_load *load) {
    int64_t now_ms = loop_now_ms(r->service.loop);
    const struct busiest *b = ranking_busiest(r->ranking);
    hot_videos_take(r, now_ms);
    load->cores = r->config.cores;
    load->used = r->hot_videos->used;
    for (unsigned i = 0; i < b->count; i++) {
        struct watched *w = watched_find(r, b->videos[i].video);
        if (!w) continue;
        struct reader_load_video v = {.viewers = broadcast_viewers(&w->broadcast), .in_set = w->in_set};
        v.load = video_load(r, w, v.viewers, now_ms);
        w->is_mentioned = w->in_set || hot_set_share(load, &v) >= WORTH_SHARE;
        if (!w->is_mentioned) continue;
        memcpy(v.video, b->videos[i].video, sizeof v.video);
        load_add_video(load, &v);
    }
}

// Evening out

struct even_query {
    struct reader *reader;
    char video[];
};

// Viewers that leave come back to this address, which sends them on to the emptier member (connect.c), or to
// that one at once. Until the last of them have, and leases say so, no reader counts them, and what
// looks like a surplus is none.
static void even_out(struct reader *r, struct watched *w, const struct reader_set *set) {
    int64_t now_ms = loop_now_ms(r->service.loop);
    watched_note_set(r, w, set);
    uint64_t surplus = placement_set_moves(r->placement, set, w->video, r->config.reader_url,
                                           broadcast_viewers(&w->broadcast), &w->crowd);
    if (w->move || r->draining) w->even_ms = now_ms + SETTLED_MS;
    if (!surplus || !w->in_set || now_ms < w->even_ms) return;
    if (reader_may_log(r))
        log_info(r->service.instance_id, "evening_out", "video=%s viewers=%u surplus=%llu", w->video,
                 broadcast_viewers(&w->broadcast), (unsigned long long)surplus);
    w->even_ms = now_ms + SETTLED_MS;
    moves_start(r, w->video, (int64_t)surplus, 0);
}

static void on_set_looked_up(void *arg, const struct placement_answer *p) {
    struct even_query *q = arg;
    struct reader *r = q->reader;
    struct watched *w = watched_find(r, q->video);
    r->outstanding--;
    if (w && !r->stopping && p->status == PLACEMENT_OK) even_out(r, w, p->set);
    free(q);
}

void hot_videos_even_out(struct reader *r) {
    if (!r->config.cores) return;
    const struct busiest *b = ranking_busiest(r->ranking);
    for (unsigned i = 0; i < b->count; i++) {
        const struct watched *w = watched_find(r, b->videos[i].video);
        if (!w || !w->is_mentioned) continue;
        size_t size = strlen(w->video) + 1;
        struct even_query *q = mem_alloc(sizeof *q + size);
        q->reader = r;
        memcpy(q->video, w->video, size);
        r->outstanding++;
        placement_resolve(r->placement, w->video, on_set_looked_up, q);
    }
}
