// An engine that keeps everything in memory, for the tests: a second implementer of engine.h inside a
// process, and the proof that nothing above an engine needs a file. It replaces embedded_open() at link time.
//
// Operations wait in one queue until the turn of the loop ends, and are then carried out and called back, one
// after the other. Nothing outlives the process, so unused mappings and leases are not dropped after 30 days
// either.
#include "engine/embedded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/uthash.h"
#include "base/name_table.h"
#include "engine/engine.h"
#include "engine/hub.h"
#include "engine/lease.h"
#include "engine/numbering.h"
#include "net/loop.h"

enum { WAITING_MOST = 16384 };

struct logged {
    struct engine_entry entry; // its body is ours
    int64_t at_ms, bytes;      // bytes: of the video's bodies up to here
};

struct token {
    struct engine_token is;
    struct position at;
    int64_t added_ms;
    struct token *next; // older
};

struct video { // or a counter
    struct name_entry entry;
    bool stored; // counts; else it is only noted as watched
    struct position at, prev;
    struct logged *log; // oldest first
    size_t count, room;
    int64_t bytes, watched_until_ms;
    struct token *tokens;
    char *reader;        // mapped to, or NULL
    uint64_t used, made; // last, and mapped, by memory.clock
    uint64_t value;
};

struct memory {
    struct engine engine; // first
    struct loop *loop;
    struct hub *hub;
    struct engine_limits limits;
    struct name_table videos; // and counters, behind a slash
    size_t stored;
    uint64_t clock, epoch, comments;
    struct logged newest[ENGINE_NEWEST]; // the n-th comment at n modulo that
    struct lease *leases;
    struct op *first, **end; // waiting
    struct engine_stats stats;
    struct loop_timer turn_end;
    struct loop_job reap;
    bool closing;
};

// What was asked; strings are copies.
struct op {
    struct op *next;
    void (*run)(struct memory *, struct op *);
    enum engine_status status; // not OK: it is only called back
    union engine_cb on;
    void *arg;
    const char *name, *url, *expected; // name: of a video or a counter
    struct position at;                // known, or after
    size_t limit;
    struct engine_entry entry; // of an append
    bool has_token, watched;
    struct engine_token token;
    struct engine_lease lease;
    int ttl_ms;
};

// The queue

static void own(const char **text) {
    if (*text) *text = mem_strdup(*text);
}

static void push(struct engine *engine, void (*run)(struct memory *, struct op *), void *arg,
                 struct op asked) {
    struct memory *m = (struct memory *)engine;
    struct op *o = mem_alloc(sizeof *o);
    *o = asked;
    o->run = run;
    o->arg = arg;
    own(&o->name), own(&o->url), own(&o->expected);
    own(&o->lease.reader_url), own(&o->lease.public_url), own(&o->lease.instance_id);
    o->entry.body = mem_strndup(o->entry.body_len ? o->entry.body : "", o->entry.body_len);
    if (m->stats.waiting >= WAITING_MOST) o->status = ENGINE_BUSY;
    if (m->closing) o->status = ENGINE_CLOSED;
    m->stats.waiting++;
    *m->end = o;
    m->end = &o->next;
    if (!m->closing && !m->turn_end.slot) loop_timer_start(m->loop, &m->turn_end, 0);
}

// A callback may close the engine, which then runs the rest itself.
static void run_first(struct memory *m) {
    struct op *o = m->first;
    if (!(m->first = o->next)) m->end = &m->first;
    m->stats.waiting--;
    o->run(m, o);
    const void *owned[] = {o->name,
                           o->url,
                           o->expected,
                           o->lease.reader_url,
                           o->entry.body,
                           o->lease.public_url,
                           o->lease.instance_id,
                           o};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free((void *)owned[i]);
}

static void on_turn_end(struct loop_timer *t) {
    struct memory *m = container_of(t, struct memory, turn_end);
    int64_t begin_us = clock_monotonic_us();
    for (uint64_t left = m->stats.waiting; left && m->first; left--) run_first(m);
    if (m->closing) return;
    engine_stats_add(&m->stats, clock_monotonic_us() - begin_us, false);
    hub_flush_notifications(m->hub);
}

// Videos

static struct video *find(const struct memory *m, const char *name) {
    struct name_entry *e = name_table_find(&m->videos, name);
    return e ? container_of(e, struct video, entry) : NULL;
}

static struct video *find_stored(const struct memory *m, const struct op *o) {
    struct video *v = o->status == ENGINE_OK ? find(m, o->name) : NULL;
    return v && v->stored ? v : NULL;
}

static struct video *find_or_note(struct memory *m, const char *name) {
    struct video *v = find(m, name);
    if (v) return v;
    v = mem_zalloc(sizeof *v);
    v->entry.name = mem_strdup(name);
    name_table_add(&m->videos, &v->entry);
    return v;
}

// Drops entries that have expired, or that the video has too many newer ones of.
static void prune(struct memory *m, struct video *v) {
    int64_t now_ms = clock_monotonic_ms();
    size_t gone = 0;
    for (; gone < v->count; gone++) {
        const struct logged *l = &v->log[gone];
        int64_t newer = (int64_t)(v->count - 1 - gone);
        if (!limits_expired(&m->limits, now_ms, l->at_ms) &&
            limits_keep(&m->limits, now_ms, l->at_ms, newer, v->bytes - l->bytes))
            break;
        free((char *)l->entry.body);
    }
    v->count -= gone;
    if (gone) memmove(v->log, v->log + gone, v->count * sizeof *v->log);
}

// Forgets what is stored of a video.
static void empty(struct memory *m, struct video *v) {
    for (size_t i = 0; i < v->count; i++) free((char *)v->log[i].entry.body);
    for (struct token *t = v->tokens, *next; t; t = next) {
        next = t->next;
        free(t);
    }
    free(v->log);
    free(v->reader);
    m->stored -= v->stored;
    name_table_remove(&m->videos, &v->entry);
    free((char *)v->entry.name);
    free(v);
}

static bool is_in_use(struct memory *m, struct video *v) {
    prune(m, v);
    return v->count || v->watched_until_ms > clock_monotonic_ms();
}

// Returns the one to be evicted: the least recently used that is not in use, those without a comment first.
static struct video *find_victim(struct memory *m, bool commented) {
    struct video *victim = NULL;
    for (struct name_entry *e = name_table_next(&m->videos, NULL); e; e = name_table_next(&m->videos, e)) {
        struct video *v = container_of(e, struct video, entry);
        if (!v->stored || (v->at.seq && !commented) || is_in_use(m, v)) continue;
        if (!victim || v->used < victim->used) victim = v;
    }
    return victim;
}

static struct video *find_or_add(struct memory *m, struct op *o) {
    struct video *v = find_stored(m, o);
    if (v || o->status != ENGINE_OK) return v;
    while (m->limits.max_videos && m->stored >= m->limits.max_videos) {
        struct video *victim = find_victim(m, false);
        if (!victim && !(victim = find_victim(m, true))) {
            o->status = ENGINE_FULL;
            return NULL;
        }
        empty(m, victim);
    }
    m->stored++;
    v = find_or_note(m, o->name);
    v->stored = true;
    return v;
}

// The log

static void begin_epoch(struct memory *m, struct video *v, struct position known) {
    v->at = (struct position){numbering_new_epoch(clock_wall_ms(), v->at, known, &m->epoch), 0};
}

static struct logged with_body(struct logged l) {
    l.entry.body = mem_strndup(l.entry.body_len ? l.entry.body : "", l.entry.body_len);
    return l;
}

static void add(struct memory *m, struct video *v, struct engine_entry *e) {
    if (v->count == v->room) v->log = mem_realloc(v->log, (v->room = v->room * 2 + 4) * sizeof *v->log);
    v->at.seq++;
    e->at = v->at;
    v->bytes += (int64_t)e->body_len;
    struct logged l = {.entry = *e, .at_ms = clock_monotonic_ms(), .bytes = v->bytes};
    v->log[v->count++] = with_body(l);
    if (e->kind == ENTRY_COMMENT) {
        struct logged *place = &m->newest[++m->comments % ENGINE_NEWEST];
        free((char *)place->entry.body);
        *place = with_body(l);
    }
    prune(m, v);
}

// Begins an epoch where one has to begin.
static void announce_loss(struct memory *m, struct video *v, struct position known,
                          struct engine_entry *loss) {
    struct position kept;
    v->used = ++m->clock;
    if (numbering_finds_loss(v->at, v->prev, known, &kept)) {
        *loss = (struct engine_entry){.prev = kept, .kind = ENTRY_TOMBSTONE};
        begin_epoch(m, v, known);
        v->prev = (struct position){0};
        add(m, v, loss);
    } else if (!position_is_set(v->at)) {
        begin_epoch(m, v, (struct position){0});
    }
}

// An expired token is followed by its successor, which is found first.
static const struct token *find_token(const struct memory *m, const struct video *v, const struct op *o) {
    const struct token *t = v && o->has_token ? v->tokens : NULL;
    while (t && memcmp(t->is.name, o->token.name, ENGINE_DIGEST) != 0) t = t->next;
    return t && !limits_expired(&m->limits, clock_monotonic_ms(), t->added_ms) ? t : NULL;
}

static void add_token(struct video *v, const struct engine_token *token) {
    struct token *t = mem_zalloc(sizeof *t);
    *t = (struct token){.is = *token, .at = v->at, .added_ms = clock_monotonic_ms(), .next = v->tokens};
    v->tokens = t;
}

static void publish(struct memory *m, const struct op *o, const struct engine_entry *e) {
    if (o->status == ENGINE_OK && position_is_set(e->at) && !m->closing) hub_publish(m->hub, o->name, e);
}

static void run_append(struct memory *m, struct op *o) {
    struct engine_entry loss = {0}, e = o->entry;
    struct engine_first first = {0};
    struct video *v = find_stored(m, o);
    const struct token *t = find_token(m, v, o);
    if (t) {
        if (memcmp(t->is.digest, o->token.digest, ENGINE_DIGEST) != 0) o->status = ENGINE_KEY_REUSED;
        first.at_ms = t->is.at_ms;
        e.at = t->at;
    } else if ((v = find_or_add(m, o))) {
        announce_loss(m, v, o->at, &loss);
        add(m, v, &e);
        if (o->has_token) add_token(v, &o->token);
    }
    bool ok = o->status == ENGINE_OK;
    o->on.append(o->arg, o->status, ok ? &e : NULL, ok && t ? &first : NULL);
    if (t) return;
    publish(m, o, &loss);
    publish(m, o, &e);
}

static void append(struct engine *engine, const struct engine_append *a, engine_append_cb *cb, void *arg) {
    static const struct engine_token none;
    push(engine, run_append, arg,
         (struct op){.on.append = cb,
                     .name = a->video,
                     .entry = {.kind = a->kind, .body = a->body, .body_len = a->body_len},
                     .at = a->known,
                     .has_token = a->token != NULL,
                     .token = a->token ? *a->token : none});
}

static void run_head(struct memory *m, struct op *o) {
    struct engine_entry loss = {0};
    struct engine_head h = {0};
    struct video *v = find_or_add(m, o);
    if (v) {
        struct position before = v->at;
        announce_loss(m, v, o->at, &loss);
        if (position_is_set(loss.at)) h.before = before;
        h.at = v->at;
    }
    o->on.head(o->arg, o->status, v ? &h : NULL);
    publish(m, o, &loss);
}

static void head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                 void *arg) {
    push(engine, run_head, arg, (struct op){.on.head = cb, .name = video, .at = known});
}

static void run_range(struct memory *m, struct op *o) {
    struct video *v = find_stored(m, o);
    struct engine_range r = {0};
    if (v) prune(m, v);
    struct engine_entry *entries = mem_alloc((v ? v->count + 1 : 1) * sizeof *entries);
    r.entries = entries;
    if (v) r.head = v->at;
    for (size_t i = 0; v && i < v->count && !r.more; i++) {
        if (position_compare(v->log[i].entry.at, o->at) <= 0) continue;
        r.more = r.count == o->limit;
        if (!r.more) entries[r.count++] = v->log[i].entry;
    }
    o->on.range(o->arg, o->status, o->status == ENGINE_OK ? &r : NULL);
    free(entries);
}

static void range(struct engine *engine, const char *video, struct position after, size_t limit,
                  engine_range_cb *cb, void *arg) {
    push(engine, run_range, arg, (struct op){.on.range = cb, .name = video, .at = after, .limit = limit});
}

// Mappings

static bool is_mapped(const struct video *v, const char *reader) {
    return v && v->reader && !strcmp(v->reader, reader);
}

static void set_reader(struct video *v, const char *reader) {
    free(v->reader);
    v->reader = reader ? mem_strdup(reader) : NULL;
}

// A reader alone assigns, with an expected one it replaces that; without a reader the video is looked up.
static void run_mapping(struct memory *m, struct op *o) {
    struct video *v = o->url && !o->expected ? find_or_add(m, o) : find_stored(m, o);
    bool changes =
        v && o->url && (o->expected ? is_mapped(v, o->expected) && !is_mapped(v, o->url) : !v->reader);
    if (changes && !v->reader) v->made = ++m->clock;
    if (changes) set_reader(v, o->url);
    if (v && v->reader) v->used = ++m->clock;
    if (o->status == ENGINE_OK && !(v && v->reader)) o->status = ENGINE_NOT_FOUND;
    o->on.mapping(o->arg, o->status, v ? v->reader : NULL, changes);
}

static void reassign(struct engine *engine, const char *video, const char *expected, const char *reader_url,
                     engine_mapping_cb *cb, void *arg) {
    push(engine, run_mapping, arg,
         (struct op){.on.mapping = cb, .name = video, .expected = expected, .url = reader_url});
}

static void assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                   void *arg) {
    reassign(engine, video, NULL, reader_url, cb, arg);
}

static void lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    reassign(engine, video, NULL, NULL, cb, arg);
}

static void run_release(struct memory *m, struct op *o) {
    struct video *v = find_stored(m, o);
    if (is_mapped(v, o->expected)) {
        set_reader(v, NULL);
        if (!position_is_set(v->at)) empty(m, v);
    }
    o->on.done(o->arg, o->status);
}

static void release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                    void *arg) {
    push(engine, run_release, arg, (struct op){.on.done = cb, .name = video, .expected = expected});
}

static void run_watch(struct memory *m, struct op *o) {
    if (o->status != ENGINE_OK) return;
    struct video *v = find_or_note(m, o->name);
    v->watched_until_ms = o->watched ? clock_monotonic_ms() + 3 * ENGINE_WATCH_AGAIN_MS : 0;
    v->used = ++m->clock;
    if (!o->watched && !v->stored) empty(m, v);
}

static void watch(struct engine *engine, const char *const *videos, size_t count, bool watched) {
    for (size_t i = 0; i < count; i++)
        if (watched || !hub_is_shared(((struct memory *)engine)->hub, videos[i]))
            push(engine, run_watch, NULL, (struct op){.name = videos[i], .watched = watched});
}

// Leases and counters

static void run_renew(struct memory *m, struct op *o) {
    struct engine_lease_answer answer = {0};
    bool ok = o->status == ENGINE_OK;
    if (ok) lease_renew(&m->leases, &o->lease, o->ttl_ms, clock_monotonic_ms(), &answer);
    o->on.lease(o->arg, o->status, ok ? &answer : NULL);
}

static void renew(struct engine *engine, const struct engine_lease *lease, int ttl_ms, engine_lease_cb *cb,
                  void *arg) {
    push(engine, run_renew, arg, (struct op){.on.lease = cb, .lease = *lease, .ttl_ms = ttl_ms});
}

static void run_drop(struct memory *m, struct op *o) {
    if (o->status == ENGINE_OK)
        lease_drop(m->leases, o->lease.reader_url, o->lease.generation, clock_monotonic_ms());
    o->on.done(o->arg, o->status);
}

static void drop(struct engine *engine, const char *reader_url, uint64_t generation, engine_done_cb *cb,
                 void *arg) {
    push(engine, run_drop, arg,
         (struct op){.on.done = cb, .lease = {.reader_url = reader_url, .generation = generation}});
}

static void run_leases(struct memory *m, struct op *o) {
    size_t count = 0;
    const struct lease *l;
    DL_COUNT(m->leases, l, count);
    struct engine_lease *list = mem_alloc((count + 1) * sizeof *list), *end = list;
    if (o->status == ENGINE_OK)
        DL_FOREACH(m->leases, l) *end++ = lease_view(l, clock_monotonic_ms());
    o->on.leases(o->arg, o->status, list, (size_t)(end - list));
    free(list);
}

static void leases(struct engine *engine, engine_leases_cb *cb, void *arg) {
    push(engine, run_leases, arg, (struct op){.on.leases = cb});
}

static void run_counter(struct memory *m, struct op *o) {
    o->on.counter(o->arg, o->status, o->status == ENGINE_OK ? find_or_note(m, o->name)->value++ : 0);
}

static void counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    char with_slash[ENGINE_VIDEO_MAX];
    snprintf(with_slash, sizeof with_slash, "/%s", name);
    push(engine, run_counter, arg, (struct op){.on.counter = cb, .name = with_slash});
}

// The rest

static int last_first(const void *a, const void *b) {
    return (*(const struct video *const *)a)->made < (*(const struct video *const *)b)->made ? 1 : -1;
}

static void run_overview(struct memory *m, struct op *o) {
    struct engine_entry newest[ENGINE_NEWEST];
    struct engine_mapping mapped[ENGINE_MAPPED];
    struct engine_overview all = {.comments = m->comments, .newest = newest, .mapped = mapped};
    struct video **videos = mem_alloc((m->videos.count + 1) * sizeof(struct video *));
    for (struct name_entry *t = name_table_next(&m->videos, NULL); t; t = name_table_next(&m->videos, t))
        if ((videos[all.mappings] = container_of(t, struct video, entry))->reader) all.mappings++;
    qsort(videos, all.mappings, sizeof(struct video *), last_first);
    for (size_t i = 0; i < all.mappings && i < ENGINE_MAPPED; i++)
        mapped[all.mapped_count++] = (struct engine_mapping){videos[i]->entry.name, videos[i]->reader};
    for (uint64_t n = m->comments; n && n + ENGINE_NEWEST > m->comments; n--) {
        const struct logged *l = &m->newest[n % ENGINE_NEWEST];
        if (limits_expired(&m->limits, clock_monotonic_ms(), l->at_ms)) break;
        newest[all.newest_count++] = l->entry;
    }
    o->on.overview(o->arg, o->status, o->status == ENGINE_OK ? &all : NULL);
    free(videos);
}

static void overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    push(engine, run_overview, arg, (struct op){.on.overview = cb});
}

static struct engine_subscription *subscribe(struct engine *engine, const char *video,
                                             const struct engine_subscriber *subscriber, void *arg) {
    struct memory *m = (struct memory *)engine;
    struct engine_subscription *s = hub_subscribe(m->hub, video, subscriber, arg);
    hub_defer_notify(m->hub, s);
    if (!m->closing && !m->turn_end.slot) loop_timer_start(m->loop, &m->turn_end, 0);
    return s;
}

static void unsubscribe(struct engine *engine, struct engine_subscription *s) {
    hub_unsubscribe(((struct memory *)engine)->hub, s);
}

static bool ready(struct engine *engine, const char **why) {
    (void)engine, (void)why;
    return true;
}

static struct engine_stats stats(struct engine *engine) {
    return ((struct memory *)engine)->stats;
}

static void on_reap(struct loop_job *job) {
    free(container_of(job, struct memory, reap));
}

static void close_engine(struct engine *engine) {
    struct memory *m = (struct memory *)engine;
    if (m->closing) return;
    m->closing = true;
    loop_timer_stop(m->loop, &m->turn_end);
    for (struct op *o = m->first; o; o = o->next)
        if (o->run != run_append && o->status == ENGINE_OK) o->status = ENGINE_CLOSED;
    while (m->first) run_first(m);
    hub_free(m->hub);
    for (struct name_entry *e; (e = name_table_next(&m->videos, NULL));)
        empty(m, container_of(e, struct video, entry));
    while (m->leases) lease_remove(&m->leases, m->leases);
    for (int i = 0; i < ENGINE_NEWEST; i++) free((char *)m->newest[i].entry.body);
    loop_defer(m->loop, &m->reap);
}

static const struct engine_ops memory_ops = {.name = "memory",
                                             .append = append,
                                             .subscribe = subscribe,
                                             .unsubscribe = unsubscribe,
                                             .head = head,
                                             .range = range,
                                             .lookup = lookup,
                                             .assign = assign,
                                             .reassign = reassign,
                                             .release = release,
                                             .watch = watch,
                                             .lease_renew = renew,
                                             .lease_drop = drop,
                                             .leases = leases,
                                             .counter_next = counter_next,
                                             .overview = overview,
                                             .ready = ready,
                                             .stats = stats,
                                             .close = close_engine};

struct engine *embedded_open(struct loop *loop, const struct embedded_config *config, char *why,
                             size_t why_size) {
    (void)why, (void)why_size;
    struct memory *m = mem_zalloc(sizeof *m);
    *m = (struct memory){.engine.ops = &memory_ops, .loop = loop, .hub = hub_new(), .limits = config->limits};
    m->end = &m->first;
    m->turn_end.on_due = on_turn_end;
    m->reap.run = on_reap;
    return &m->engine;
}
