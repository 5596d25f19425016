#include "reader/recheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "placement/placement.h"
#include "reader/reader_core.h"
#include "reader/watched.h"

enum { AGAIN_MS = 2000 };

struct recheck {
    struct reader *reader;
    char video[];
};

static void let_go(struct recheck *check, const char *owner) {
    struct reader *r = check->reader;
    struct watched *w = watched_find(r, check->video);
    if (!w || watched_means_us(r, w, owner)) return;
    if (reader_may_log(r))
        log_info(r->service.instance_id, "moved_away", "video=%s to=%s viewers=%u", w->video, owner,
                 stream_viewers(&w->stream));
    watched_close(r, w);
}

static void on_claimed(void *arg, enum engine_status status, const char *owner, bool changed) {
    struct recheck *check = arg;
    if (status == ENGINE_OK && changed)
        log_debug(check->reader->service.instance_id, "claimed", "video=%s", check->video);
    else if (status == ENGINE_OK && !check->reader->stopping)
        let_go(check, owner);
    free(check);
}

static void claim(struct recheck *check, const struct watched *w) {
    struct reader *r = check->reader;
    struct engine *e = r->service.engine;
    e->ops->assign(e, check->video, w->other_name ? w->other_name : r->config.reader_url, on_claimed, check);
}

static void on_rechecked(void *arg, const struct placement_answer *p) {
    struct recheck *check = arg;
    struct reader *r = check->reader;
    struct watched *w = watched_find(r, check->video);
    if (w && !r->stopping && p->status == PLACEMENT_NONE && stream_viewers(&w->stream)) {
        claim(check, w);
        return;
    }
    if (p->status == PLACEMENT_OK) let_go(check, p->reader_url);
    free(check);
}

void recheck_videos(struct reader *r) {
    r->recheck_ms = 0;
    struct watched *w, *next;
    for (w = watched_next(r, NULL); w; w = next) {
        next = watched_next(r, w);
        size_t size = strlen(w->video) + 1;
        struct recheck *check = mem_zalloc(sizeof *check + size);
        check->reader = r;
        memcpy(check->video, w->video, size);
        placement_resolve(r->placement, check->video, on_rechecked, check);
    }
}

void recheck_again(struct reader *r) {
    r->recheck_ms = loop_now_ms(r->service.loop) + AGAIN_MS;
}

void recheck_sweep(struct reader *r, int64_t now_ms) {
    if (r->recheck_ms && now_ms >= r->recheck_ms) recheck_videos(r);
}
