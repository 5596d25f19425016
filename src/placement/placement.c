// The way of a question: answered from the cache if that is fresh (answer_from_cache); otherwise it waits on
// the video's entry while the engine is asked (look_up), and a mapping is made (assign) or moved (reassign)
// where needed. However many ask for one video at once, one trip is made, and only the first can be
// `registered`.
#include "placement/placement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/map.h"
#include "engine/engine.h"
#include "net/loop.h"
#include "placement/readers.h"

enum { REFRESH_MS = 500, SLOW_LISTING_MS = 1000, AGEING_TURNS = 16, AGED_AT_LEAST = 100, BUSY_SKIPPED = 8 };

struct waiting {
    placement_cb *cb;
    void *arg;
    bool may_assign;
    uint32_t lookup; // wants the answer of this one, or of a later one
    struct waiting *prev, *next;
};

struct cached {
    struct placement *placement;
    char *reader_url; // NULL: not known, or none
    int64_t known_ms; // when the engine said so
    bool asking;      // an operation is under way
    bool settling;    // callbacks run, which may ask for other videos: it must stay
    bool want_assign; // somebody who waits wants a mapping to be made
    uint32_t lookups; // begun so far
    struct waiting *waiting;
    struct cached *next; // in placement.unlisted
    UT_hash_handle hh;
    char video[];
};

struct placement {
    struct loop *loop;
    struct engine *engine;
    struct placement_config config;
    struct readers readers;
    bool listed, listing;
    int64_t listing_ms;      // when the list was asked for
    int64_t away_ms;         // since when the store has not given it; 0: it has
    struct cached *cache;    // those found busy come last
    struct cached *unlisted; // they wait for the first listing
    struct loop_timer refresh;
    struct log_sampler sampler;
};

static void look_up(struct cached *);
static void settle_without_store(struct cached *, enum engine_status);

// Before the first listing all that is cached waits for it; but not for longer than the store takes to fail.
// What the callbacks ask for waits for the next attempt.
static void refuse_waiting(struct placement *p, enum engine_status status) {
    struct cached *list = p->unlisted, *c;
    p->unlisted = NULL;
    while ((c = list)) {
        LL_DELETE(list, c);
        c->asking = false;
        settle_without_store(c, status);
    }
}

static void look_up_waiting(struct placement *p) {
    struct cached *c;
    while ((c = p->unlisted)) {
        LL_DELETE(p->unlisted, c);
        look_up(c);
    }
}

// A store that took long may have kept readers from renewing their leases, and answered us first.
static void on_leases(void *arg, enum engine_status status, const struct engine_lease *leases, size_t count) {
    struct placement *p = arg;
    int64_t now_ms = loop_now_ms(p->loop), took_ms = now_ms - p->listing_ms;
    if (status == ENGINE_CLOSED) return;
    p->listing = false;
    if (status != ENGINE_OK) {
        if (!p->away_ms) p->away_ms = p->listing_ms;
        if (!p->listed) refuse_waiting(p, status);
        return;
    }
    int64_t away_ms = p->away_ms ? now_ms - p->away_ms : took_ms >= SLOW_LISTING_MS ? took_ms : 0;
    p->away_ms = 0;
    readers_update(&p->readers, leases, count, now_ms, away_ms);
    if (p->listed) return;
    p->listed = true;
    look_up_waiting(p);
}

static void refresh(struct placement *p) {
    if (p->listing) return;
    p->listing = true;
    p->listing_ms = loop_now_ms(p->loop);
    p->engine->ops->leases(p->engine, on_leases, p);
}

static void drop(struct cached *c) {
    HASH_DEL(c->placement->cache, c);
    struct waiting *w, *next;
    DL_FOREACH_SAFE(c->waiting, w, next) free(w);
    free(c->reader_url);
    free(c);
}

static bool is_busy(const struct cached *c) {
    return c->waiting || c->asking || c->settling;
}

static void move_to_end(struct cached *c) {
    HASH_DEL(c->placement->cache, c);
    HASH_ADD_KEYPTR(hh, c->placement->cache, c->video, strlen(c->video), c);
}

static bool is_worthless(const struct cached *c) {
    return !is_busy(c) && loop_now_ms(c->placement->loop) - c->known_ms > PLACEMENT_STALE_MS;
}

// Looks at a share of the cache, and drops what even a store that is away could not make us use any more. The
// others come last again.
static void age_cache(struct placement *p) {
    size_t count = HASH_COUNT(p->cache), share = count / AGEING_TURNS + AGED_AT_LEAST;
    struct cached *c, *next;
    if (share > count) share = count;
    HASH_ITER(hh, p->cache, c, next) {
        if (!share--) return;
        if (is_worthless(c))
            drop(c);
        else
            move_to_end(c);
    }
}

static void on_refresh(struct loop_timer *t) {
    struct placement *p = container_of(t, struct placement, refresh);
    refresh(p);
    age_cache(p);
    loop_timer_start(p->loop, t, REFRESH_MS);
}

static void log_reader(const char *reader_url, bool live) {
    log_info("manager", live ? "reader_came" : "reader_gone", "reader=%s", reader_url);
}

struct placement *placement_new(struct loop *loop, struct engine *engine,
                                const struct placement_config *config) {
    struct placement *p = mem_zalloc(sizeof *p);
    p->loop = loop;
    p->engine = engine;
    p->config = *config;
    p->refresh.on_due = on_refresh;
    readers_init(&p->readers, config->static_readers, config->grace_ms);
    p->readers.on_change = log_reader;
    return p;
}

void placement_start(struct placement *p) {
    on_refresh(&p->refresh);
}

void placement_free(struct placement *p) {
    if (!p) return;
    struct cached *c, *next;
    HASH_ITER(hh, p->cache, c, next) drop(c);
    loop_timer_stop(p->loop, &p->refresh);
    readers_release(&p->readers);
    free(p);
}

// Makes room by dropping an entry that was looked at long ago and is not busy. Returns false if there is none
// among the first few.
static bool bound_cache(struct placement *p) {
    for (int i = 0; i < BUSY_SKIPPED && HASH_COUNT(p->cache) >= PLACEMENT_CACHE_MAX; i++) {
        if (is_busy(p->cache))
            move_to_end(p->cache);
        else
            drop(p->cache);
    }
    return HASH_COUNT(p->cache) < PLACEMENT_CACHE_MAX;
}

// Returns NULL if the cache is full of entries that are waited for.
static struct cached *cached_of(struct placement *p, const char *video) {
    struct cached *c;
    HASH_FIND_STR(p->cache, video, c);
    if (c) return c;
    if (!bound_cache(p)) return NULL;
    size_t len = strlen(video);
    c = mem_zalloc(sizeof *c + len + 1);
    c->placement = p;
    memcpy(c->video, video, len + 1);
    HASH_ADD_KEYPTR(hh, p->cache, c->video, len, c);
    return c;
}

// The one a reader advertises, or NULL.
static const char *public_url(struct placement *p, const char *reader_url) {
    const struct reader_row *row = readers_find(&p->readers, reader_url);
    return row ? row->public_url : NULL;
}

// An answer of the engine, or what stands in for it.
struct outcome {
    enum placement_status status;
    bool registered, confirmed;
};

static void call_back(struct cached *c, placement_cb *cb, void *arg, const struct outcome *o) {
    bool ok = o->status == PLACEMENT_OK;
    cb(arg, &(struct placement_answer){.status = o->status,
                                       .reader_url = ok ? c->reader_url : NULL,
                                       .public_url = ok ? public_url(c->placement, c->reader_url) : NULL,
                                       .registered = ok && o->registered,
                                       .confirmed = ok && o->confirmed});
}

// Takes the requests that the lookup which has just ended answers; the others want a later one.
static struct waiting *take_answered(struct cached *c) {
    struct waiting *answered = NULL, *w, *next;
    DL_FOREACH_SAFE(c->waiting, w, next) {
        if (w->lookup > c->lookups) continue;
        DL_DELETE(c->waiting, w);
        DL_APPEND(answered, w);
    }
    return answered;
}

// Answers all that this lookup answers. A callback may ask again.
static void settle_as(struct cached *c, struct outcome o) {
    struct waiting *answered = take_answered(c), *w, *next;
    bool registered = o.registered; // only one of them made it
    c->asking = c->want_assign = false;
    c->settling = true;
    DL_FOREACH_SAFE(answered, w, next) {
        o.registered = registered && w->may_assign;
        if (w->may_assign) registered = false;
        call_back(c, w->cb, w->arg, &o);
        free(w);
    }
    c->settling = false;
    if (c->waiting && !c->asking)
        look_up(c);
    else if (!c->reader_url && !is_busy(c))
        drop(c); // a name without a mapping is not worth memory
}

static void settle(struct cached *c, enum placement_status status, bool registered) {
    settle_as(c, (struct outcome){.status = status, .registered = registered, .confirmed = true});
}

static bool is_gone(struct placement *p, const char *reader_url) {
    if (readers_state(&p->readers, reader_url) != READER_GONE) return false;
    const struct reader_row *row = readers_find(&p->readers, reader_url);
    return !row || loop_now_ms(p->loop) >= row->may_return_ms;
}

static bool known_within(const struct cached *c, int64_t ms) {
    return c->reader_url && loop_now_ms(c->placement->loop) - c->known_ms <= ms;
}

// The store could not be asked: a mapping known a while ago still serves.
static void settle_without_store(struct cached *c, enum engine_status status) {
    enum placement_status known = known_within(c, PLACEMENT_STALE_MS) ? PLACEMENT_OK : PLACEMENT_UNAVAILABLE;
    settle_as(c, (struct outcome){.status = status == ENGINE_FULL ? PLACEMENT_FULL : known});
}

static void remember(struct cached *c, const char *reader_url) {
    if (!c->reader_url || strcmp(c->reader_url, reader_url) != 0) {
        free(c->reader_url);
        c->reader_url = mem_strdup(reader_url);
    }
    c->known_ms = loop_now_ms(c->placement->loop);
}

static void log_assigned(struct cached *c, const char *event, const char *from) {
    struct placement *p = c->placement;
    if (!log_sample(&p->sampler, "manager", 20, loop_now_ms(p->loop))) return;
    log_info("manager", event, "video=%s reader=%s%s%s", c->video, c->reader_url, from ? " from=" : "",
             from ? from : "");
}

static void on_assigned(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct cached *c = arg;
    if (status != ENGINE_OK) {
        settle_without_store(c, status);
        return;
    }
    remember(c, reader_url);
    if (changed) log_assigned(c, "assigned", NULL);
    settle(c, PLACEMENT_OK, changed);
}

static void on_reassigned(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct cached *c = arg;
    if (status == ENGINE_NOT_FOUND) { // dropped in between: begin again
        look_up(c);
        return;
    }
    if (status != ENGINE_OK) {
        settle_without_store(c, status);
        return;
    }
    char *from = changed && c->reader_url ? mem_strdup(c->reader_url) : NULL;
    remember(c, reader_url);
    if (changed) log_assigned(c, "reassigned", from);
    free(from);
    settle(c, PLACEMENT_OK, false);
}

static void on_turn(void *arg, enum engine_status status, uint64_t turn) {
    struct cached *c = arg;
    struct placement *p = c->placement;
    if (status != ENGINE_OK) {
        settle_without_store(c, status);
        return;
    }
    if (!p->readers.live_count) {
        settle(c, PLACEMENT_NO_READER, false);
        return;
    }
    size_t i = policy_pick(p->config.policy, p->readers.live, p->readers.live_count, c->video, turn);
    const char *chosen = p->readers.live[i].reader_url;
    if (c->reader_url)
        p->engine->ops->reassign(p->engine, c->video, c->reader_url, chosen, on_reassigned, c);
    else
        p->engine->ops->assign(p->engine, c->video, chosen, on_assigned, c);
}

static void choose_reader(struct cached *c) {
    struct placement *p = c->placement;
    if (!p->readers.live_count)
        settle(c, PLACEMENT_NO_READER, false);
    else
        p->engine->ops->counter_next(p->engine, "readers:next", on_turn, c);
}

static void on_looked_up(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct cached *c = arg;
    (void)changed;
    if (status == ENGINE_NOT_FOUND) {
        free(c->reader_url);
        c->reader_url = NULL;
        if (c->want_assign)
            choose_reader(c);
        else
            settle(c, PLACEMENT_NONE, false);
        return;
    }
    if (status != ENGINE_OK) {
        settle_without_store(c, status);
        return;
    }
    remember(c, reader_url);
    if (is_gone(c->placement, reader_url))
        choose_reader(c);
    else
        settle(c, PLACEMENT_OK, false);
}

static void look_up(struct cached *c) {
    struct waiting *w;
    c->asking = true;
    c->lookups++;
    DL_FOREACH(c->waiting, w) c->want_assign |= w->may_assign;
    c->placement->engine->ops->lookup(c->placement->engine, c->video, on_looked_up, c);
}

static bool answer_from_cache(struct placement *p, struct cached *c, placement_cb *cb, void *arg) {
    if (c->waiting || !known_within(c, PLACEMENT_FRESH_MS)) return false;
    if (is_gone(p, c->reader_url)) return false;
    call_back(c, cb, arg, &(struct outcome){.status = PLACEMENT_OK});
    return true;
}

// Before the first listing a dead reader cannot be distinguished from an unknown one.
static void begin(struct placement *p, struct cached *c) {
    if (p->listed) {
        look_up(c);
        return;
    }
    c->asking = true;
    LL_PREPEND(p->unlisted, c);
}

static void ask(struct placement *p, const char *video, bool may_assign, bool confirm, placement_cb *cb,
                void *arg) {
    struct cached *c = cached_of(p, video);
    if (!c) {
        cb(arg, &(struct placement_answer){.status = PLACEMENT_UNAVAILABLE});
        return;
    }
    if (!confirm && answer_from_cache(p, c, cb, arg)) return;
    struct waiting *w = mem_zalloc(sizeof *w);
    *w = (struct waiting){.cb = cb, .arg = arg, .may_assign = may_assign};
    w->lookup = confirm ? c->lookups + 1 : 0;
    DL_APPEND(c->waiting, w);
    if (may_assign) c->want_assign = true;
    if (!c->asking && !c->settling) begin(p, c);
}

void placement_register(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    ask(p, video, true, false, cb, arg);
}

void placement_resolve(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    ask(p, video, false, false, cb, arg);
}

void placement_confirm(struct placement *p, const char *video, bool may_assign, placement_cb *cb, void *arg) {
    ask(p, video, may_assign, true, cb, arg);
}

bool placement_is_reader_host(struct placement *p, const char *host) {
    for (size_t i = 0; i < p->readers.count; i++) {
        const char *at = strstr(p->readers.rows[i].reader_url, "://");
        if (!at) continue;
        size_t len = strcspn(at + 3, "/");
        if (strlen(host) == len && !strncasecmp(at + 3, host, len)) return true;
    }
    return false;
}

bool placement_is_leased(struct placement *p, const char *reader_url) {
    const struct reader_row *row = readers_find(&p->readers, reader_url);
    return row && row->leased;
}

bool placement_ready(struct placement *p) {
    return p->listed;
}

size_t placement_reader_count(struct placement *p) {
    return p->readers.live_count;
}

size_t placement_cached_count(const struct placement *p) {
    return HASH_COUNT(p->cache);
}
