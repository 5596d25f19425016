// An engine with its loop (the embedded one with a folder of its own, or the one on a Redis), and its
// operations as calls that wait for their answer.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/sha256.h"
#include "engine/embedded.h"
#include "engine/engine.h"
#include "engine/redis.h"
#include "net/loop.h"

enum { WORLD_LONG_MS = 60000 }; // more than any answer takes

struct world {
    struct loop *loop;
    struct engine *engine;
    const struct engine_ops *ops;
    struct embedded_config config;
    int redis_port;        // 0: the embedded engine
    const char *redis_url; // NULL: of the server at that port
    char folder[64];
    char path[80]; // of the database
    char why[512];
    unsigned awaited; // answers
    const char *note; // of what moderators do; NULL: none
    bool late;
    struct loop_timer guard;
};

static inline void world_on_guard(struct loop_timer *t) {
    struct world *w = container_of(t, struct world, guard);
    w->late = true;
    loop_stop(w->loop);
}

// Runs the loop until a callback stops it.
static inline void world_run(struct world *w) {
    loop_timer_start(w->loop, &w->guard, WORLD_LONG_MS + (clock_monotonic_ms() - loop_now_ms(w->loop)));
    assert_int_equal(loop_run(w->loop), 0);
    loop_timer_stop(w->loop, &w->guard);
    assert_false(w->late);
}

// Runs the loop until all awaited answers have come.
static inline void world_wait(struct world *w) {
    while (w->awaited) world_run(w);
}

static inline void world_answered(struct world *w) {
    assert_true(w->awaited > 0);
    if (!--w->awaited) loop_stop(w->loop);
}

// Runs the loop for a while: for tests that have no event to wait for.
struct world_pause {
    struct loop_timer timer;
    struct loop *loop;
};

static inline void world_on_pause_end(struct loop_timer *t) {
    loop_stop(((struct world_pause *)t)->loop);
}

static inline void world_let_pass(struct world *w, int64_t ms) {
    struct world_pause pause = {.timer.on_due = world_on_pause_end, .loop = w->loop};
    loop_timer_start(w->loop, &pause.timer, ms + (clock_monotonic_ms() - loop_now_ms(w->loop)));
    world_run(w);
}

static inline void world_await_ready(struct world *w) {
    const char *why;
    for (int i = 0; i < WORLD_LONG_MS && !w->ops->ready(w->engine, &why); i++) world_let_pass(w, 1);
    assert_true(w->ops->ready(w->engine, &why));
}

static inline bool world_open_redis(struct world *w) {
    char url[64];
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", w->redis_port);
    w->engine = redis_open(w->loop, &(struct redis_config){.url = w->redis_url ? w->redis_url : url,
                                                           .limits = w->config.limits});
    w->ops = w->engine->ops;
    world_await_ready(w);
    return true;
}

static inline bool world_try_open(struct world *w) {
    memset(w->why, 0, sizeof w->why);
    if (w->redis_port) return world_open_redis(w);
    w->engine = embedded_open(w->loop, &w->config, w->why, sizeof w->why);
    w->ops = w->engine ? w->engine->ops : NULL;
    return w->engine != NULL;
}

static inline void world_open(struct world *w) {
    if (!world_try_open(w)) fail_msg("%s", w->why);
}

static inline void world_close(struct world *w) {
    if (w->engine) w->ops->close(w->engine);
    w->engine = NULL;
}

// Whether anything is left when the engine is opened again.
static inline bool world_has_disk(const struct world *w) {
    return strcmp(w->ops->name, "memory") != 0;
}

static inline void world_reopen(struct world *w) {
    world_close(w);
    world_open(w);
}

static inline int world_make(void **state) {
    struct world *w = calloc(1, sizeof *w);
    snprintf(w->folder, sizeof w->folder, "/tmp/chorus-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/chorus.db", w->folder);
    w->loop = loop_new();
    w->guard.on_due = world_on_guard;
    w->config =
        (struct embedded_config){.folder = w->folder, .limits = {.log_entries = 1000, .log_age_ms = 3600000}};
    *state = w;
    return 0;
}

static inline int world_make_open(void **state) {
    world_make(state);
    world_open(*state);
    return 0;
}

static inline int world_remove(const char *path, const struct stat *stat, int type, struct FTW *ftw) {
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int world_free(void **state) {
    struct world *w = *state;
    world_close(w);
    loop_free(w->loop);
    nftw(w->folder, world_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(w);
    return 0;
}

// Appending

struct world_append {
    struct world *world;
    unsigned calls;
    enum engine_status status;
    struct position at, prev;
    enum entry_kind kind;
    char json[8192]; // as viewers see it
    bool repeated;
    struct engine_first first;
};

// Writes the entry's JSON; for a tombstone nothing.
static inline void world_text(const struct engine_entry *e, char *out, size_t size) {
    struct buf b = {0};
    if (e->kind != ENTRY_TOMBSTONE) entry_write(&b, e);
    assert_true(b.len < size);
    memcpy(out, buf_string(&b), b.len + 1);
    buf_release(&b);
}

// Takes the braces off an object.
static inline struct engine_append world_what(const char *video, enum entry_kind kind, const char *json) {
    size_t len = strlen(json);
    return (struct engine_append){
        .video = video, .kind = kind, .body = len ? json + 1 : "", .body_len = len ? len - 2 : 0};
}

static inline struct engine_append world_comment(const char *video, const char *json) {
    return world_what(video, *json ? ENTRY_COMMENT : ENTRY_TOMBSTONE, json);
}

static inline void world_on_append(void *arg, enum engine_status status, const struct engine_entry *entry,
                                   const struct engine_first *first) {
    struct world_append *a = arg;
    a->calls++;
    a->status = status;
    a->repeated = first != NULL;
    if (first) a->first = *first;
    assert_int_equal(entry != NULL, status == ENGINE_OK || status == ENGINE_REFUSED);
    if (entry) {
        a->at = entry->at;
        a->prev = entry->prev;
        a->kind = entry->kind;
        world_text(entry, a->json, sizeof a->json);
    }
    world_answered(a->world);
}

// A token of this name, for exactly this JSON.
static inline void world_token(struct engine_token *t, const char *name, const char *json) {
    unsigned char digest[SHA256_SIZE];
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, json, strlen(json));
    sha256_end(&h, digest);
    *t = (struct engine_token){.at_ms = 1234567890123, .old_name = name};
    memcpy(t->digest, digest, sizeof t->digest);
    snprintf((char *)t->name, sizeof t->name, "%s", name);
}

static inline void world_begin_append_known(struct world *w, struct world_append *a, const char *video,
                                            const char *json, const char *token, struct position known) {
    struct engine_token named;
    *a = (struct world_append){.world = w};
    if (token) world_token(&named, token, json);
    struct engine_append what = world_comment(video, json);
    what.token = token ? &named : NULL;
    what.known = known;
    w->awaited++;
    w->ops->append(w->engine, &what, world_on_append, a);
    assert_int_equal(a->calls, 0); // never from inside the call
}

static inline void world_begin_append(struct world *w, struct world_append *a, const char *video,
                                      const char *json, const char *token) {
    world_begin_append_known(w, a, video, json, token, (struct position){0});
}

static inline struct world_append world_append(struct world *w, const char *video, const char *json,
                                               const char *token) {
    struct world_append a;
    world_begin_append(w, &a, video, json, token);
    world_wait(w);
    assert_int_equal(a.calls, 1);
    return a;
}

// Appends a comment whose text is a number, and expects it to work.
static inline struct position world_post(struct world *w, const char *video, unsigned text) {
    char json[64];
    snprintf(json, sizeof json, "{\"comment\":\"%u\"}", text);
    struct world_append a = world_append(w, video, json, NULL);
    assert_int_equal(a.status, ENGINE_OK);
    return a.at;
}

// Appends `count` of them together.
static inline void world_post_many(struct world *w, const char *video, unsigned count) {
    struct world_append *all = calloc(count, sizeof *all);
    char json[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(json, sizeof json, "{\"comment\":\"%u\"}", i);
        world_begin_append(w, &all[i], video, json, NULL);
    }
    world_wait(w);
    for (unsigned i = 0; i < count; i++) assert_int_equal(all[i].status, ENGINE_OK);
    free(all);
}

// Amending

struct world_amend {
    struct world *world;
    enum engine_status status;
    struct position at; // not set: nothing was stored
    size_t taken;
};

static inline void world_on_amend(void *arg, enum engine_status status, const struct engine_entry *entry,
                                  size_t taken) {
    struct world_amend *a = arg;
    a->status = status;
    assert_true(!entry || status == ENGINE_OK);
    if (entry) a->at = entry->at;
    a->taken = taken;
    world_answered(a->world);
}

static inline struct world_amend world_amend(struct world *w, const struct engine_amend *what) {
    struct world_amend a = {.world = w};
    w->awaited++;
    w->ops->amend(w->engine, what, world_on_amend, &a);
    world_wait(w);
    return a;
}

static inline struct world_amend world_retract(struct world *w, const char *video, struct position target) {
    static const char body[] = "\"target\":\"x\"";
    return world_amend(w, &(struct engine_amend){.video = video,
                                                 .kind = ENTRY_RETRACT,
                                                 .body = body,
                                                 .body_len = sizeof body - 1,
                                                 .target = target});
}

// Reading the log

struct world_head {
    struct world *world;
    enum engine_status status;
    struct position at, before;
    bool over;
};

static inline void world_on_head(void *arg, enum engine_status status, const struct engine_head *head) {
    struct world_head *h = arg;
    h->status = status;
    assert_int_equal(head != NULL, status == ENGINE_OK);
    if (head) {
        h->at = head->at;
        h->before = head->before;
        h->over = head->over;
    }
    world_answered(h->world);
}

static inline struct world_head world_head_known(struct world *w, const char *video, struct position known) {
    struct world_head h = {.world = w};
    w->awaited++;
    w->ops->head(w->engine, video, known, world_on_head, &h);
    world_wait(w);
    return h;
}

static inline struct world_head world_head(struct world *w, const char *video) {
    return world_head_known(w, video, (struct position){0});
}

enum { WORLD_RANGE = 2000 };

struct world_range {
    struct world *world;
    enum engine_status status;
    size_t count;
    bool more;
    struct position head;
    struct position at[WORLD_RANGE], prev[WORLD_RANGE];
    enum entry_kind kind[WORLD_RANGE];
    char *json[WORLD_RANGE]; // freed by the next world_range()
};

static inline void world_on_range(void *arg, enum engine_status status, const struct engine_range *range) {
    struct world_range *r = arg;
    r->status = status;
    assert_int_equal(range != NULL, status == ENGINE_OK);
    for (size_t i = 0; range && i < range->count; i++) {
        const struct engine_entry *e = &range->entries[i];
        assert_true(i < WORLD_RANGE);
        r->at[i] = e->at;
        r->prev[i] = e->prev;
        r->kind[i] = e->kind;
        char text[8192];
        world_text(e, text, sizeof text);
        r->json[i] = strdup(text);
    }
    if (range) {
        r->count = range->count;
        r->more = range->more;
        r->head = range->head;
    }
    world_answered(r->world);
}

static inline struct world_range *world_new_range(struct world *w) {
    static struct world_range r;
    for (size_t i = 0; i < r.count; i++) free(r.json[i]);
    memset(&r, 0, sizeof r);
    r.world = w;
    w->awaited++;
    return &r;
}

// Both answers are valid until the next call of either.
static inline const struct world_range *world_range(struct world *w, const char *video, struct position after,
                                                    size_t limit) {
    struct world_range *r = world_new_range(w);
    w->ops->range(w->engine, video, after, limit, world_on_range, r);
    world_wait(w);
    return r;
}

static inline const struct world_range *world_range_before(struct world *w, const char *video,
                                                           struct position before, size_t limit) {
    struct world_range *r = world_new_range(w);
    w->ops->range_before(w->engine, video, before, limit, world_on_range, r);
    world_wait(w);
    return r;
}

// Mappings and the rest

struct world_mapping {
    struct world *world;
    enum engine_status status;
    bool changed;
    char reader[ENGINE_URL_MAX + 1]; // empty: none
};

static inline void world_on_mapping(void *arg, enum engine_status status, const char *reader_url,
                                    bool changed) {
    struct world_mapping *m = arg;
    m->status = status;
    m->changed = changed;
    assert_int_equal(reader_url != NULL, status == ENGINE_OK);
    snprintf(m->reader, sizeof m->reader, "%s", reader_url ? reader_url : "");
    world_answered(m->world);
}

static inline struct world_mapping world_lookup(struct world *w, const char *video) {
    struct world_mapping m = {.world = w};
    w->awaited++;
    w->ops->lookup(w->engine, video, world_on_mapping, &m);
    world_wait(w);
    return m;
}

static inline struct world_mapping world_assign(struct world *w, const char *video, const char *reader_url) {
    struct world_mapping m = {.world = w};
    w->awaited++;
    w->ops->assign(w->engine, video, reader_url, world_on_mapping, &m);
    world_wait(w);
    return m;
}

static inline struct world_mapping world_reassign(struct world *w, const char *video, const char *expected,
                                                  const char *reader_url) {
    struct world_mapping m = {.world = w};
    w->awaited++;
    w->ops->reassign(w->engine, video, expected, reader_url, world_on_mapping, &m);
    world_wait(w);
    return m;
}

struct world_set {
    struct world *world;
    enum engine_status status;
    uint64_t generation;
    bool written;
    char text[256];
};

static inline void world_on_set(void *arg, enum engine_status status, const struct engine_set *set) {
    struct world_set *s = arg;
    s->status = status;
    assert_int_equal(set != NULL, status == ENGINE_OK);
    if (set) s->generation = set->generation;
    s->written = set && set->written;
    snprintf(s->text, sizeof s->text, "%s", set ? set->text : "");
    world_answered(s->world);
}

static inline struct world_set world_read_set(struct world *w, const char *video) {
    struct world_set s = {.world = w};
    w->awaited++;
    w->ops->set_read(w->engine, video, world_on_set, &s);
    world_wait(w);
    return s;
}

static inline struct world_set world_write_set(struct world *w, const char *video, uint64_t generation,
                                               const char *text) {
    struct world_set s = {.world = w};
    w->awaited++;
    w->ops->set_write(w->engine, video, generation, text, world_on_set, &s);
    world_wait(w);
    return s;
}

struct world_done {
    struct world *world;
    enum engine_status status;
};

static inline void world_on_done(void *arg, enum engine_status status) {
    struct world_done *d = arg;
    d->status = status;
    world_answered(d->world);
}

static inline enum engine_status world_release(struct world *w, const char *video, const char *expected) {
    struct world_done d = {.world = w};
    w->awaited++;
    w->ops->release(w->engine, video, expected, world_on_done, &d);
    world_wait(w);
    return d.status;
}

static inline enum engine_status world_write_settings(struct world *w, const char *video,
                                                      const char *settings) {
    struct world_done d = {.world = w};
    w->awaited++;
    w->ops->settings_write(w->engine, video, settings, world_on_done, &d);
    world_wait(w);
    return d.status;
}

struct world_settings {
    struct world *world;
    enum engine_status status;
    size_t count;
    char text[ENGINE_SETTINGS_BATCH][64]; // empty: none
};

static inline void world_on_settings(void *arg, enum engine_status status, const char *const *settings) {
    struct world_settings *s = arg;
    s->status = status;
    for (size_t i = 0; settings && i < s->count; i++)
        snprintf(s->text[i], sizeof s->text[i], "%s", settings[i] ? settings[i] : "");
    world_answered(s->world);
}

static inline struct world_settings world_read_settings(struct world *w, const char *const *videos,
                                                        size_t count) {
    struct world_settings s = {.world = w, .count = count};
    w->awaited++;
    w->ops->settings_read(w->engine, videos, count, world_on_settings, &s);
    world_wait(w);
    return s;
}

struct world_lease {
    struct world *world;
    enum engine_status status;
    struct engine_lease_answer answer; // without the instance
    char holder[64];
};

static inline void world_on_lease(void *arg, enum engine_status status, const struct engine_lease_answer *a) {
    struct world_lease *l = arg;
    l->status = status;
    assert_int_equal(a != NULL, status == ENGINE_OK);
    if (a) l->answer = *a;
    if (a) snprintf(l->holder, sizeof l->holder, "%s", a->instance_id);
    l->answer.instance_id = NULL;
    world_answered(l->world);
}

static inline struct world_lease world_claim(struct world *w, const struct engine_lease *lease, int ttl_ms) {
    struct world_lease l = {.world = w};
    w->awaited++;
    w->ops->lease_renew(w->engine, lease, ttl_ms, world_on_lease, &l);
    world_wait(w);
    assert_int_equal(l.status, ENGINE_OK);
    return l;
}

// Returns whether it was new to the caller.
static inline bool world_renew(struct world *w, const struct engine_lease *lease, int ttl_ms) {
    return world_claim(w, lease, ttl_ms).answer.outcome != LEASE_KEPT;
}

static inline enum engine_status world_drop(struct world *w, const char *reader_url, uint64_t generation) {
    struct world_done d = {.world = w};
    w->awaited++;
    w->ops->lease_drop(w->engine, reader_url, generation, world_on_done, &d);
    world_wait(w);
    return d.status;
}

// Leases as text: `url public instance generation viewers live|expired;` each, a load after that in brackets.
struct world_leases {
    struct world *world;
    enum engine_status status;
    char text[1024];
};

static inline void world_on_leases(void *arg, enum engine_status status, const struct engine_lease *list,
                                   size_t count) {
    struct world_leases *l = arg;
    l->status = status;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(l->text);
        snprintf(l->text + len, sizeof l->text - len, "%s %s %s %llu %llu %s%s%s%s;", list[i].reader_url,
                 list[i].public_url ? list[i].public_url : "-", list[i].instance_id,
                 (unsigned long long)list[i].generation, (unsigned long long)list[i].viewers,
                 list[i].live ? "live" : "expired", list[i].load ? " [" : "",
                 list[i].load ? list[i].load : "", list[i].load ? "]" : "");
    }
    world_answered(l->world);
}

static inline struct world_leases world_leases(struct world *w) {
    struct world_leases l = {.world = w};
    w->awaited++;
    w->ops->leases(w->engine, world_on_leases, &l);
    world_wait(w);
    return l;
}

struct world_counter {
    struct world *world;
    enum engine_status status;
    uint64_t value;
};

static inline void world_on_counter(void *arg, enum engine_status status, uint64_t value) {
    struct world_counter *c = arg;
    c->status = status;
    c->value = value;
    world_answered(c->world);
}

static inline uint64_t world_counter_next(struct world *w, const char *name) {
    struct world_counter c = {.world = w};
    w->awaited++;
    w->ops->counter_next(w->engine, name, world_on_counter, &c);
    world_wait(w);
    assert_int_equal(c.status, ENGINE_OK);
    return c.value;
}

struct world_secret {
    struct world *world;
    enum engine_status status;
    unsigned char bytes[ENGINE_SECRET];
};

static inline void world_on_secret(void *arg, enum engine_status status, const unsigned char *secret) {
    struct world_secret *s = arg;
    s->status = status;
    if (secret) memcpy(s->bytes, secret, sizeof s->bytes);
    world_answered(s->world);
}

// Offers a secret of this byte alone; returns the first byte of the one that there is.
static inline unsigned char world_secret(struct world *w, const char *name, unsigned char offered,
                                         int64_t keep_ms) {
    struct world_secret s = {.world = w};
    unsigned char bytes[ENGINE_SECRET];
    memset(bytes, offered, sizeof bytes);
    w->awaited++;
    w->ops->secret(w->engine, name, bytes, keep_ms, world_on_secret, &s);
    world_wait(w);
    assert_int_equal(s.status, ENGINE_OK);
    for (size_t i = 1; i < sizeof s.bytes; i++) assert_int_equal(s.bytes[i], s.bytes[0]);
    return s.bytes[0];
}

struct world_overview {
    struct world *world;
    enum engine_status status;
    uint64_t comments, mappings;
    size_t newest_count, mapped_count;
    char newest[ENGINE_NEWEST][256];
    char mapped[ENGINE_MAPPED][256]; // `video reader`
};

static inline void world_on_overview(void *arg, enum engine_status status, const struct engine_overview *o) {
    struct world_overview *to = arg;
    to->status = status;
    if (o) {
        to->comments = o->comments;
        to->mappings = o->mappings;
        to->newest_count = o->newest_count;
        to->mapped_count = o->mapped_count;
        for (size_t i = 0; i < o->newest_count; i++)
            world_text(&o->newest[i], to->newest[i], sizeof to->newest[i]);
        for (size_t i = 0; i < o->mapped_count; i++)
            snprintf(to->mapped[i], sizeof to->mapped[i], "%s %s", o->mapped[i].video,
                     o->mapped[i].reader_url);
    }
    world_answered(to->world);
}

static inline const struct world_overview *world_overview(struct world *w) {
    static struct world_overview o;
    memset(&o, 0, sizeof o);
    o.world = w;
    w->awaited++;
    w->ops->overview(w->engine, world_on_overview, &o);
    world_wait(w);
    assert_int_equal(o.status, ENGINE_OK);
    return &o;
}

// The file itself, while no engine has it open.

static inline void world_sql(struct world *w, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail_msg("%s", sqlite3_errmsg(db));
    sqlite3_close(db);
}

static inline int64_t world_sql_number(struct world *w, const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return value;
}

// Lets the open store work until the query gives 0.
static inline void world_wait_until(struct world *w, const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open_v2(w->path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 1000);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &q, NULL), SQLITE_OK);
    while (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int64(q, 0)) {
        sqlite3_reset(q);
        world_let_pass(w, 5);
    }
    sqlite3_finalize(q);
    sqlite3_close(db);
}
