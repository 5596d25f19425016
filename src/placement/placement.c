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

enum { REFRESH_MS = 500, SLOW_LISTING_MS = 1000, AGEING_TURNS = 16, AGED_AT_LEAST = 100 };

struct waiting {
    placement_cb *cb;
    void *arg;
    bool may_assign;
    struct waiting *next;
};

struct cached {
    struct placement *placement;
    char *reader_url; // NULL: not known, or none
    int64_t known_ms; // when the engine said so
    bool asking;      // an operation is under way
    bool settling;    // callbacks run, which may ask for other videos: it must stay
    bool want_assign; // somebody who waits wants a mapping to be made
    struct waiting *waiting;
    UT_hash_handle hh;
    char video[];
};

struct placement {
    struct loop *loop;
    struct engine *engine;
    struct placement_config config;
    struct readers readers;
    bool listed, listing, store_away;
    int64_t listing_ms; // when the list was asked for
    int64_t grace_until_ms;
    struct cached *cache;
    struct loop_timer refresh;
    struct log_sampler sampler;
};

static void look_up(struct cached *);
static void settle_without_store(struct cached *, enum engine_status);
static void settle(struct cached *, enum placement_status, bool registered);

static void begin_grace(struct placement *p) {
    p->grace_until_ms = loop_now_ms(p->loop) + p->config.grace_ms;
}

// Before the first listing all that is cached waits for it; but not for longer than the store takes to fail.
static void refuse_waiting(struct placement *p, enum engine_status status) {
    struct cached *c, *next;
    HASH_ITER(hh, p->cache, c, next) {
        if (c->waiting && !c->asking) settle_without_store(c, status);
    }
}

static void on_leases(void *arg, enum engine_status status, const struct engine_lease *leases, size_t count) {
    struct placement *p = arg;
    if (status == ENGINE_CLOSED) return;
    p->listing = false;
    if (status != ENGINE_OK) {
        p->store_away = status == ENGINE_UNAVAILABLE;
        if (!p->listed) refuse_waiting(p, status);
        return;
    }
    // A store that took long may have kept readers from renewing their leases, and answered us first.
    bool slow = loop_now_ms(p->loop) - p->listing_ms >= SLOW_LISTING_MS;
    if (p->store_away || slow) begin_grace(p);
    p->store_away = false;
    readers_update(&p->readers, leases, count, loop_now_ms(p->loop));
    if (p->listed) return;
    p->listed = true;
    struct cached *c, *next; // those who came before the first listing
    HASH_ITER(hh, p->cache, c, next) {
        if (c->waiting && !c->asking) look_up(c);
    }
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
    LL_FOREACH_SAFE(c->waiting, w, next) free(w);
    free(c->reader_url);
    free(c);
}

static bool is_worthless(const struct cached *c) {
    if (c->waiting || c->asking || c->settling) return false;
    return loop_now_ms(c->placement->loop) - c->known_ms > PLACEMENT_STALE_MS;
}

// Looks at a share of the cache, and drops what even a store that is away could not make us use any more. The
// others come last again.
static void age_cache(struct placement *p) {
    size_t count = HASH_COUNT(p->cache), share = count / AGEING_TURNS + AGED_AT_LEAST;
    struct cached *c, *next;
    if (share > count) share = count;
    HASH_ITER(hh, p->cache, c, next) {
        if (!share--) return;
        if (is_worthless(c)) {
            drop(c);
            continue;
        }
        HASH_DEL(p->cache, c);
        HASH_ADD_KEYPTR(hh, p->cache, c->video, strlen(c->video), c);
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
    readers_init(&p->readers, config->static_readers);
    p->readers.on_change = log_reader;
    return p;
}

void placement_start(struct placement *p) {
    begin_grace(p);
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

// Makes room by dropping the entry looked at longest ago that nobody waits for.
static void bound_cache(struct placement *p) {
    if (HASH_COUNT(p->cache) < PLACEMENT_CACHE_MAX) return;
    struct cached *c, *next;
    HASH_ITER(hh, p->cache, c, next) {
        if (c->waiting || c->asking || c->settling) continue;
        drop(c);
        return;
    }
}

static struct cached *cached_of(struct placement *p, const char *video) {
    struct cached *c;
    HASH_FIND_STR(p->cache, video, c);
    if (c) return c;
    bound_cache(p);
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

static void say(struct cached *c, placement_cb *cb, void *arg, enum placement_status status,
                bool registered) {
    bool ok = status == PLACEMENT_OK;
    cb(arg, &(struct placement_answer){.status = status,
                                       .reader_url = ok ? c->reader_url : NULL,
                                       .public_url = ok ? public_url(c->placement, c->reader_url) : NULL,
                                       .registered = ok && registered});
}

// Answers everybody who waits. A callback may ask again, which starts a new list.
static void settle(struct cached *c, enum placement_status status, bool registered) {
    struct waiting *waiting = c->waiting, *w, *next;
    c->waiting = NULL;
    c->asking = c->want_assign = false;
    c->settling = true;
    LL_FOREACH_SAFE(waiting, w, next) {
        say(c, w->cb, w->arg, status, registered && w->may_assign);
        if (w->may_assign) registered = false; // only one of them made it
        free(w);
    }
    c->settling = false;
    if (!c->reader_url && !c->waiting && !c->asking) drop(c); // a name without a mapping is not worth memory
}

static bool is_gone(struct placement *p, const char *reader_url) {
    if (readers_state(&p->readers, reader_url) != READER_GONE) return false;
    bool may_return = readers_find(&p->readers, reader_url) && loop_now_ms(p->loop) < p->grace_until_ms;
    return !may_return;
}

static bool known_within(const struct cached *c, int64_t ms) {
    return c->reader_url && loop_now_ms(c->placement->loop) - c->known_ms <= ms;
}

// The store could not be asked: a mapping known a while ago still serves.
static void settle_without_store(struct cached *c, enum engine_status status) {
    if (status == ENGINE_FULL)
        settle(c, PLACEMENT_FULL, false);
    else
        settle(c, known_within(c, PLACEMENT_STALE_MS) ? PLACEMENT_OK : PLACEMENT_UNAVAILABLE, false);
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
    c->asking = true;
    c->placement->engine->ops->lookup(c->placement->engine, c->video, on_looked_up, c);
}

static bool answer_from_cache(struct placement *p, struct cached *c, placement_cb *cb, void *arg) {
    if (c->waiting || !known_within(c, PLACEMENT_FRESH_MS)) return false;
    if (is_gone(p, c->reader_url)) return false;
    say(c, cb, arg, PLACEMENT_OK, false);
    return true;
}

static void ask(struct placement *p, const char *video, bool may_assign, placement_cb *cb, void *arg) {
    struct cached *c = cached_of(p, video);
    if (answer_from_cache(p, c, cb, arg)) return;
    struct waiting *w = mem_zalloc(sizeof *w);
    *w = (struct waiting){.cb = cb, .arg = arg, .may_assign = may_assign};
    LL_APPEND(c->waiting, w);
    if (may_assign) c->want_assign = true;
    if (!c->asking && p->listed) look_up(c); // before the first listing nobody can be told dead from unknown
}

void placement_register(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    ask(p, video, true, cb, arg);
}

void placement_resolve(struct placement *p, const char *video, placement_cb *cb, void *arg) {
    ask(p, video, false, cb, arg);
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

bool placement_ready(struct placement *p) {
    return p->listed;
}

size_t placement_reader_count(struct placement *p) {
    return p->readers.live_count;
}

size_t placement_cached_count(const struct placement *p) {
    return HASH_COUNT(p->cache);
}
