#include "recheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "engine/engine.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "moves.h"
#include "reader_core.h"
#include "watched.h"

enum { AGAIN_MS = 2000, RECHECKS_MAX = 1000 }; // the engine queues some 16,000 requests in all

struct recheck {
    struct reader *reader;
    struct recheck *next;
    char video[];
};

static void on_rechecked(void *arg, const struct placement_answer *);

static void recheck_next(struct reader *r) {
    while (r->to_recheck && r->rechecking < RECHECKS_MAX) {
        struct recheck *check = r->to_recheck;
        LL_DELETE(r->to_recheck, check);
        r->rechecking++;
        placement_confirm(r->placement, check->video, false, on_rechecked, check);
    }
}

static void recheck_end(struct recheck *check) {
    struct reader *r = check->reader;
    free(check);
    r->rechecking--;
    recheck_next(r);
}

// What it serves, or served, with others stays: nobody is cut because a set has become smaller.
static void recheck_yield(struct recheck *check, const char *owner) {
    struct reader *r = check->reader;
    struct watched *w = watched_find(r, check->video);
    if (!w || reader_owns_url(r, w, owner)) return;
    if (w->move || r->draining) return; // its viewers leave at a pace
    if (w->was_in_set && !reader_lease_is_anothers(r->lease_state)) return;
    if (reader_may_log(r))
        log_info(r->service.instance_id, "moved_away", "video=%s to=%s viewers=%u", w->video, owner,
                 broadcast_viewers(&w->broadcast));
    bool others_may_take = moves_rate(r) > 0 || readers_is_full(placement_readers(r->placement), owner);
    if (broadcast_viewers(&w->broadcast) && others_may_take)
        moves_start(r, w->video, MOVES_ALL, 0);
    else
        watched_close(r, w);
}

static void on_claimed(void *arg, enum engine_status status, const char *owner, bool changed) {
    struct recheck *check = arg;
    if (status == ENGINE_OK && changed)
        log_debug(check->reader->service.instance_id, "claimed", "video=%s", check->video);
    else if (status == ENGINE_OK && !check->reader->stopping)
        recheck_yield(check, owner);
    recheck_end(check);
}

static void on_rechecked(void *arg, const struct placement_answer *p) {
    struct recheck *check = arg;
    struct reader *r = check->reader;
    struct watched *w = watched_find(r, check->video);
    bool ours = !reader_lease_is_anothers(r->lease_state);
    if (w && !r->stopping && ours && p->status == PLACEMENT_NONE && broadcast_viewers(&w->broadcast)) {
        struct engine *e = r->service.engine;
        e->ops->assign(e, check->video, w->alias_url ? w->alias_url : r->config.reader_url, on_claimed,
                       check);
        return;
    }
    if (w && p->status == PLACEMENT_OK) watched_note_set(r, w, p->set);
    if (p->status == PLACEMENT_OK) recheck_yield(check, p->owner_url);
    recheck_end(check);
}

void recheck_drop(struct reader *r) {
    struct recheck *check, *next;
    LL_FOREACH_SAFE(r->to_recheck, check, next) free(check);
    r->to_recheck = NULL;
}

void recheck_videos(struct reader *r) {
    r->recheck_ms = 0;
    recheck_drop(r); // all are checked again
    for (const struct watched *w = watched_next(r, NULL); w; w = watched_next(r, w)) {
        if (!w->is_rechecked) continue;
        size_t size = strlen(w->video) + 1;
        struct recheck *check = mem_zalloc(sizeof *check + size);
        check->reader = r;
        memcpy(check->video, w->video, size);
        LL_PREPEND(r->to_recheck, check);
    }
    recheck_next(r);
}

void recheck_again(struct reader *r) {
    r->recheck_ms = loop_now_ms(r->service.loop) + AGAIN_MS;
}

void recheck_sweep(struct reader *r, int64_t now_ms) {
    if (r->recheck_ms && now_ms >= r->recheck_ms) recheck_videos(r);
}
