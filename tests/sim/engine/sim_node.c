#include "sim_node.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"
#include "engine/lease.h"
#include "memory_gate.h"

enum { BUCKETS = 256, PREVS = 4, RUNS = 65536, WATCHED_MS = 3 * ENGINE_WATCH_AGAIN_MS };

struct token {
    struct engine_token is;
    struct position at;
    int64_t added_ms;
    struct token *next; // older
};

struct video {
    char *name;
    bool stored; // counts; else it is only noted as watched
    struct position at;
    uint64_t run; // that gave `at`
    struct position prevs[PREVS];
    bool announced[PREVS]; // what was lost behind it
    size_t prev_count;
    struct sim_entry *log; // oldest first
    size_t count, room;
    int64_t bytes, watched_until_ms;
    bool watched;
    struct token *tokens;
    size_t token_count;
    struct memory_gate gate;
    char *reader;  // mapped to, or NULL
    uint64_t used; // last, by node.clock
    char *set;     // of readers, or NULL
    uint64_t set_generation;
    struct video *bucket_next, *prev, *next;
};

struct secret {
    char *name;
    unsigned char bytes[ENGINE_SECRET];
    struct secret *next;
};

struct counter {
    char *name;
    uint64_t value;
    struct counter *next;
};

struct settings {
    char *video, *text;
    struct settings *next;
};

// No keyed hash: a process of the simulation has a key of its own, and the store is in none.
struct sim_node {
    struct video *videos, *buckets[BUCKETS];
    uint64_t stored, clock, comments;
    struct sim_entry newest[ENGINE_NEWEST]; // the n-th comment at n modulo that
    struct lease *leases;
    struct counter *counters;
    struct settings *settings;
    struct secret *secrets;
};

// Videos

static struct video **video_bucket(const struct sim_node *n, const char *name) {
    uint32_t hash = 2166136261u; // FNV-1a
    for (; *name; name++) hash = (hash ^ (unsigned char)*name) * 16777619u;
    return (struct video **)&n->buckets[hash % BUCKETS];
}

static struct video *video_find(const struct sim_node *n, const char *name) {
    struct video *v = *video_bucket(n, name);
    while (v && strcmp(v->name, name) != 0) v = v->bucket_next;
    return v;
}

static struct video *video_find_stored(const struct sim_node *n, const char *name) {
    struct video *v = video_find(n, name);
    return v && v->stored ? v : NULL;
}

static struct video *video_note(struct sim_node *n, const char *name) {
    struct video *v = video_find(n, name);
    if (v) return v;
    v = mem_zalloc(sizeof *v);
    v->name = mem_strdup(name);
    struct video **bucket = video_bucket(n, name);
    v->bucket_next = *bucket;
    *bucket = v;
    DL_APPEND(n->videos, v);
    return v;
}

static void video_drop(struct sim_node *n, struct video *v) {
    struct token *t, *next;
    struct video **at = video_bucket(n, v->name);
    while (*at != v) at = &(*at)->bucket_next;
    *at = v->bucket_next;
    DL_DELETE(n->videos, v);
    n->stored -= v->stored;
    for (size_t i = 0; i < v->count; i++) sim_body_unref(v->log[i].body);
    LL_FOREACH_SAFE(v->tokens, t, next) free(t);
    memory_gate_release(&v->gate);
    free(v->log);
    free(v->reader);
    free(v->set);
    free(v->name);
    free(v);
}

static bool video_is_kept(const struct video *v, size_t i, const struct engine_limits *limits,
                          int64_t wall_ms) {
    const struct sim_entry *e = &v->log[i];
    return !limits_expired(limits, wall_ms, e->at_ms) &&
           limits_keep(limits, wall_ms, e->at_ms, (int64_t)(v->count - 1 - i), v->bytes - e->bytes);
}

// Returns the index of the oldest entry that is kept.
static size_t video_first_kept(const struct video *v, const struct engine_limits *limits, int64_t wall_ms) {
    size_t first = 0;
    while (first < v->count && !video_is_kept(v, first, limits, wall_ms)) first++;
    return first;
}

static void video_prune(struct video *v, const struct sim_call *c) {
    size_t gone = video_first_kept(v, &c->limits, c->wall_ms);
    for (size_t i = 0; i < gone; i++) sim_body_unref(v->log[i].body);
    v->count -= gone;
    if (gone) memmove(v->log, v->log + gone, v->count * sizeof *v->log);
}

static bool video_is_watched(const struct video *v, const struct sim_call *c) {
    return v->watched && v->watched_until_ms > c->steady_ms;
}

// Returns the video to evict: the least recently used that is not in use, those without a comment first.
static struct video *node_find_victim(struct sim_node *n, const struct sim_call *c, bool commented) {
    struct video *victim = NULL, *v;
    DL_FOREACH(n->videos, v) {
        if (!v->stored || (v->at.seq && !commented)) continue;
        video_prune(v, c);
        bool in_use = v->count || video_is_watched(v, c);
        if (!in_use && (!victim || v->used < victim->used)) victim = v;
    }
    return victim;
}

static struct video *video_find_or_add(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    if (v) return v;
    while (c->limits.max_videos && n->stored >= c->limits.max_videos) {
        struct video *victim = node_find_victim(n, c, false);
        if (!victim && !(victim = node_find_victim(n, c, true))) {
            a->status = ENGINE_FULL;
            return NULL;
        }
        video_drop(n, victim);
    }
    n->stored++;
    v = video_note(n, c->name);
    v->stored = true;
    return v;
}

// Numbers

static uint64_t larger(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

// As position.lua does it: what is not the time leaves a remainder that is of the run and the moment.
static uint64_t new_epoch(const struct video *v, const struct sim_call *c) {
    uint64_t now = c->wall_ms > 0 ? (uint64_t)c->wall_ms : 1;
    uint64_t least = larger(v->at.epoch, c->at.epoch) + 1;
    if (v->count) least = larger(least, v->log[v->count - 1].at.epoch + 1);
    if (now + POSITION_CLOCK_TOLERANCE_MS < c->seen_epoch) least = larger(least, c->seen_epoch + 1);
    return now >= least ? now : least + (c->run + (uint64_t)c->steady_ms - least) % RUNS;
}

// Returns whether the caller knows of entries that were lost; *kept is then the last position before them.
static bool finds_loss(const struct video *v, struct position known, struct position *kept) {
    *kept = v->at;
    if (!position_is_set(known) || !position_compare(known, v->at)) return false;
    if (known.epoch == v->at.epoch) return known.seq > v->at.seq;
    struct position oldest = v->prev_count ? v->prevs[v->prev_count - 1] : (struct position){v->at.epoch, 0};
    if (known.epoch > v->at.epoch) {
        *kept = oldest;
        return true;
    }
    for (size_t i = 0; i < v->prev_count; i++) {
        *kept = v->prevs[i];
        if (known.epoch > kept->epoch) {
            *kept = oldest;
            return !v->announced[i];
        }
        if (known.epoch == kept->epoch) return known.seq > kept->seq && !v->announced[i];
    }
    return false;
}

// Where the log stood before this epoch; not set: there was none.
static void video_add_prev(struct video *v) {
    if (v->prev_count == PREVS) v->prev_count--;
    memmove(v->prevs + 1, v->prevs, v->prev_count * sizeof *v->prevs);
    memmove(v->announced + 1, v->announced, v->prev_count * sizeof *v->announced);
    v->prevs[0] = v->at;
    v->announced[0] = false;
    v->prev_count++;
}

// As position.lua does it: those below `kept` stay, since another process may know of a loss behind one of
// them.
static void video_add_loss(struct video *v, struct position kept) {
    size_t above = 0;
    video_add_prev(v);
    while (above < v->prev_count && position_compare(v->prevs[above], kept) != 0) above++;
    v->prev_count -= above;
    memmove(v->prevs, v->prevs + above, v->prev_count * sizeof *v->prevs);
    memmove(v->announced, v->announced + above, v->prev_count * sizeof *v->announced);
    if (v->prev_count) v->announced[0] = true;
}

// Adds an entry, whose body is taken over.
static void video_add(struct sim_node *n, struct video *v, const struct sim_call *c, struct sim_entry *e) {
    if (v->count == v->room) v->log = mem_realloc(v->log, (v->room = v->room * 2 + 4) * sizeof *v->log);
    v->at.seq++;
    v->run = c->run;
    v->bytes += (int64_t)e->body->len;
    e->at = v->at;
    e->at_ms = c->wall_ms;
    e->bytes = v->bytes;
    v->log[v->count++] = *e;
    e->body = sim_body_ref(e->body);
    if (e->kind == ENTRY_COMMENT) {
        struct sim_entry *place = &n->newest[++n->comments % ENGINE_NEWEST];
        sim_body_unref(place->body);
        *place = *e;
        sim_body_ref(e->body);
    }
    if (c->op != SIM_HEAD) video_prune(v, c); // a head() is of a process that only reads
}

static void video_announce_loss(struct sim_node *n, struct video *v, const struct sim_call *c,
                                struct position kept, struct sim_answer *a) {
    a->loss = (struct sim_entry){.prev = kept, .kind = ENTRY_TOMBSTONE, .body = sim_body_new("", 0)};
    uint64_t epoch = new_epoch(v, c);
    video_add_loss(v, kept);
    v->at = (struct position){epoch, 0};
    video_add(n, v, c, &a->loss);
}

// The log

static struct token *token_find(const struct video *v, const struct sim_call *c) {
    struct token *t = v && c->has_token ? v->tokens : NULL;
    while (t && memcmp(t->is.name, c->token.name, ENGINE_DIGEST) != 0) t = t->next;
    return t && !limits_expired(&c->limits, c->wall_ms, t->added_ms) ? t : NULL;
}

static void token_add(struct video *v, const struct sim_call *c) {
    struct token *t = mem_alloc(sizeof *t), **last = &v->tokens;
    *t = (struct token){.is = c->token, .at = v->at, .added_ms = c->wall_ms};
    LL_PREPEND(v->tokens, t);
    if (++v->token_count <= ENGINE_TOKENS_VIDEO) return;
    while ((*last)->next) last = &(*last)->next;
    free(*last);
    *last = NULL;
    v->token_count--;
}

static void answer_repeat(const struct token *t, const struct sim_call *c, struct sim_answer *a) {
    a->repeated = true;
    a->first_at_ms = t->is.at_ms;
    a->entry = (struct sim_entry){.at = t->at, .kind = c->kind, .body = sim_body_ref(c->body)};
    if (memcmp(t->is.digest, c->token.digest, ENGINE_DIGEST) != 0) a->status = ENGINE_KEY_REUSED;
}

// Stores the entry of a call, behind the announcement of a loss if the caller knows of one.
static void video_store(struct sim_node *n, struct video *v, const struct sim_call *c, struct sim_answer *a) {
    struct position kept;
    a->entry = (struct sim_entry){.kind = c->kind, .body = sim_body_ref(c->body)};
    if (position_is_set(v->at) && finds_loss(v, c->at, &kept)) {
        video_announce_loss(n, v, c, kept, a);
    } else if (!position_is_set(v->at) && position_is_set(c->at)) {
        video_announce_loss(n, v, c, (struct position){0}, a); // nothing is left
    } else if (v->run != c->run || !position_is_set(v->at)) {
        a->entry.prev = v->at;
        uint64_t epoch = new_epoch(v, c);
        video_add_prev(v);
        v->at = (struct position){epoch, 0};
    }
    v->used = ++n->clock;
    video_add(n, v, c, &a->entry);
}

static void node_append(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    const struct token *t = token_find(v, c);
    struct position kept;
    if (t) {
        answer_repeat(t, c, a);
        if (a->status == ENGINE_OK && finds_loss(v, c->at, &kept)) video_announce_loss(n, v, c, kept, a);
        return;
    }
    const struct memory_post post = {.video = c->name,
                                     .gate = &c->gate,
                                     .token = c->has_token ? &c->token : NULL,
                                     .body = c->body->bytes,
                                     .body_len = c->body->len,
                                     .wall_ms = c->wall_ms,
                                     .now_ms = c->wall_ms};
    if (!v && c->has_gate && c->gate.checks == GATE_HOLD && !(v = video_find_or_add(n, c, a))) return;
    if (v && c->has_gate && !memory_gate_admits(&v->gate, &post, &a->refusal)) {
        a->status = ENGINE_REFUSED;
        return;
    }
    v = video_find_or_add(n, c, a);
    if (!v) return;
    video_store(n, v, c, a);
    if (c->has_token) token_add(v, c);
}

// What is left of a comment that is taken out.
static void entry_blank(struct sim_node *n, struct sim_entry *e, struct sim_answer *a) {
    for (size_t i = 0; i < ENGINE_NEWEST; i++) {
        struct sim_entry *newest = &n->newest[i];
        if (newest->body != e->body) continue;
        sim_body_unref(newest->body);
        *newest = (struct sim_entry){0};
    }
    sim_body_unref(e->body);
    e->body = sim_body_new("", 0);
    e->kind = ENTRY_BLANK;
    a->taken++;
}

static struct sim_entry *video_entry(struct video *v, struct position at) {
    for (size_t i = 0; v && i < v->count; i++)
        if (position_compare(v->log[i].at, at) == 0) return &v->log[i];
    return NULL;
}

static bool entry_is_of(const struct sim_entry *e, const char *user) {
    struct engine_entry view = sim_entry_view(e);
    return user && entry_is_by(&view, user);
}

static void node_amend(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    if (v) video_prune(v, c);
    if (position_is_set(c->target)) {
        struct sim_entry *e = video_entry(v, c->target);
        bool retracts = c->kind == ENTRY_RETRACT;
        if (e && e->kind == ENTRY_BLANK && retracts) return;
        if (!e || e->kind != ENTRY_COMMENT) a->status = ENGINE_NOT_FOUND;
        if (a->status != ENGINE_OK) return;
        if (retracts) entry_blank(n, e, a);
    }
    if (!(v = video_find_or_add(n, c, a))) return;
    if (!memory_gate_amend(&v->gate, c->kind, c->target) && c->kind == ENTRY_END) return;
    for (size_t i = 0; i < v->count; i++) {
        if (!entry_is_of(&v->log[i], c->user)) continue;
        memory_gate_amend(&v->gate, ENTRY_RETRACT, v->log[i].at);
        entry_blank(n, &v->log[i], a);
    }
    video_store(n, v, c, a);
    memory_gate_note(&v->gate, c->note);
}

static bool head_begins(const struct video *v, const struct sim_call *c, struct position *kept) {
    *kept = (struct position){0};
    if (!v || !position_is_set(v->at)) return true;
    return finds_loss(v, c->at, kept);
}

static void node_head(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_or_add(n, c, a);
    struct position kept;
    if (!v) return;
    bool lost = head_begins(v, c, &kept) && (position_is_set(v->at) || position_is_set(c->at));
    if (lost) {
        a->before = v->at;
        video_announce_loss(n, v, c, kept, a);
    } else if (!position_is_set(v->at)) {
        uint64_t epoch = new_epoch(v, c);
        video_add_prev(v);
        v->at = (struct position){epoch, 0};
        v->run = c->run;
    }
    v->used = ++n->clock;
    a->head = v->at;
    a->over = v->gate.room.over;
}

bool sim_node_begins(const struct sim_node *n, const struct sim_call *c) {
    struct position kept;
    return c->op == SIM_HEAD && head_begins(video_find_stored(n, c->name), c, &kept);
}

static void answer_entries(struct sim_answer *a, const struct sim_entry *from, size_t count) {
    a->entries = mem_alloc((count + 1) * sizeof *a->entries);
    a->count = count;
    for (size_t i = 0; i < count; i++) {
        a->entries[i] = from[i];
        sim_body_ref(from[i].body);
    }
}

// A process that only reads has no say in how much is kept, but does not get what is too old for it.
static size_t video_first_readable(const struct video *v, const struct engine_limits *limits,
                                   int64_t wall_ms) {
    size_t first = 0;
    while (first < v->count && limits_expired(limits, wall_ms, v->log[first].at_ms)) first++;
    return first;
}

static void node_range(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = video_find_stored(n, c->name);
    if (!v) return;
    size_t first = video_first_readable(v, &c->limits, c->wall_ms);
    while (first < v->count && position_compare(v->log[first].at, c->at) <= 0) first++;
    size_t left = v->count - first;
    a->head = v->at;
    a->more = left > c->limit;
    answer_entries(a, v->log + first, a->more ? c->limit : left);
}

static void node_range_before(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = video_find_stored(n, c->name);
    if (!v) return;
    size_t first = video_first_readable(v, &c->limits, c->wall_ms), end = v->count;
    while (position_is_set(c->at) && end > first && position_compare(v->log[end - 1].at, c->at) >= 0) end--;
    size_t there = end - first, count = c->limit < there ? c->limit : there;
    a->head = v->at;
    a->more = count < there;
    answer_entries(a, v->log + (end - count), count);
}

struct position sim_node_oldest(const struct sim_node *n, const char *video,
                                const struct engine_limits *limits, int64_t wall_ms) {
    const struct video *v = video_find_stored(n, video);
    size_t first = v ? video_first_readable(v, limits, wall_ms) : 0;
    return v && first < v->count ? v->log[first].at : (struct position){0};
}

struct position sim_node_position(const struct sim_node *n, const char *video) {
    const struct video *v = video_find_stored(n, video);
    return v ? v->at : (struct position){0};
}

// Mappings

static void answer_mapping(struct sim_node *n, struct video *v, const struct sim_call *c,
                           struct sim_answer *a, bool changes) {
    if (changes) {
        free(v->reader);
        v->reader = mem_strdup(c->reader_url);
    }
    a->changed = changes;
    if (v && v->reader) {
        a->reader = mem_strdup(v->reader);
        v->used = ++n->clock;
    } else if (a->status == ENGINE_OK) {
        a->status = ENGINE_NOT_FOUND;
    }
}

static bool is_mapped(const struct video *v, const char *reader) {
    return v && v->reader && !strcmp(v->reader, reader);
}

static void node_lookup(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    answer_mapping(n, video_find_stored(n, c->name), c, a, false);
}

static void node_assign(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_or_add(n, c, a);
    answer_mapping(n, v, c, a, v && !v->reader);
}

static void node_reassign(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    answer_mapping(n, v, c, a, is_mapped(v, c->expected) && !is_mapped(v, c->reader_url));
}

static void node_release(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    (void)a;
    if (!is_mapped(v, c->expected)) return;
    free(v->reader);
    v->reader = NULL;
    if (!position_is_set(v->at) && !v->gate.exists) video_drop(n, v);
}

static void answer_set(const struct video *v, struct sim_answer *a) {
    a->reader = mem_strdup(v && v->set ? v->set : "");
    a->number = v ? v->set_generation : 0;
}

static void node_set_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    answer_set(video_find_stored(n, c->name), a);
}

static void node_set_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_or_add(n, c, a);
    if (v && v->set_generation == c->lease.generation) {
        free(v->set);
        v->set = mem_strdup(c->body->bytes);
        v->set_generation++;
        a->changed = true;
    }
    answer_set(v, a);
}

static void node_watch(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = c->watched ? video_note(n, c->name) : video_find(n, c->name);
    (void)a;
    if (!v) return;
    v->watched = c->watched;
    v->watched_until_ms = c->steady_ms + WATCHED_MS;
    if (c->watched) v->used = ++n->clock;
    if (!c->watched && !v->stored) video_drop(n, v);
}

// Leases: a stamp is when the lease ends by the server's clock, as with Redis, and differs after each renewal

static char *copy_text(const char *text) {
    return text ? mem_strdup(text) : NULL;
}

static void node_lease_renew(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct engine_lease asked = c->lease;
    asked.reader_url = c->name;
    asked.public_url = c->public_url;
    asked.instance_id = c->instance_id;
    asked.load = c->load;
    uint64_t before = 0;
    const struct lease *l;
    DL_FOREACH(n->leases, l) {
        if (!strcmp(l->reader_url, c->name)) before = l->stamp;
    }
    struct lease *renewed = lease_renew(&n->leases, &asked, c->ttl_ms, c->wall_ms, &a->lease);
    if (a->lease.outcome != LEASE_TAKEN) {
        renewed->stamp = (uint64_t)renewed->ends_ms;
        renewed->stamp += renewed->stamp == before;
        a->lease.stamp = renewed->stamp;
    }
    a->lease.instance_id = mem_strdup(a->lease.instance_id);
}

static void node_lease_drop(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    (void)a;
    lease_drop(n->leases, c->name, c->lease.generation, c->wall_ms);
}

static void node_leases(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct lease *l;
    DL_COUNT(n->leases, l, a->count);
    struct engine_lease *to = a->leases = mem_zalloc((a->count + 1) * sizeof *to);
    DL_FOREACH(n->leases, l) {
        *to = lease_view(l, c->wall_ms);
        to->reader_url = copy_text(to->reader_url);
        to->public_url = copy_text(to->public_url);
        to->instance_id = copy_text(to->instance_id);
        to->load = copy_text(to->load);
        to++;
    }
}

// The rest

static void node_counter(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct counter *k;
    LL_FOREACH(n->counters, k) {
        if (!strcmp(k->name, c->name)) break;
    }
    if (!k) {
        k = mem_zalloc(sizeof *k);
        k->name = mem_strdup(c->name);
        LL_PREPEND(n->counters, k);
    }
    a->number = k->value++;
}

static struct settings *settings_find(const struct sim_node *n, const char *video) {
    struct settings *s = n->settings;
    while (s && strcmp(s->video, video) != 0) s = s->next;
    return s;
}

static void settings_free(struct settings *s) {
    free(s->video);
    free(s->text);
    free(s);
}

static void settings_add(struct sim_node *n, const char *video, const char *text) {
    struct settings *s = mem_zalloc(sizeof *s);
    s->video = mem_strdup(video);
    s->text = mem_strdup(text);
    LL_PREPEND(n->settings, s);
}

static void node_settings_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const char *video = c->body->bytes, *end = video + c->body->len;
    a->mapped = mem_zalloc(ENGINE_SETTINGS_BATCH * sizeof *a->mapped);
    for (; video < end; video += strlen(video) + 1) {
        const struct settings *s = settings_find(n, video);
        a->mapped[a->mapped_count++].reader_url = s ? mem_strdup(s->text) : NULL;
    }
}

static void node_settings_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct settings *s = settings_find(n, c->name);
    size_t count = 0;
    const struct settings *each;
    LL_COUNT(n->settings, each, count);
    if (!s && c->body && c->limits.max_videos && count >= c->limits.max_videos) {
        a->status = ENGINE_FULL;
        return;
    }
    if (s) LL_DELETE(n->settings, s);
    if (s) settings_free(s);
    if (c->body) settings_add(n, c->name, c->body->bytes);
}

// Rooms

static void node_rooms_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const char *video = c->body->bytes, *end = video + c->body->len;
    a->rooms = mem_zalloc(ENGINE_SETTINGS_BATCH * sizeof *a->rooms);
    for (size_t i = 0; video < end; video += strlen(video) + 1, i++) {
        const struct video *v = video_find_stored(n, video);
        if (v) a->rooms[i] = v->gate.room;
    }
}

static void node_room_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_or_add(n, c, a);
    if (!v) return;
    v->used = ++n->clock;
    if (memory_gate_write(&v->gate, &c->room)) memory_gate_note(&v->gate, c->note);
    a->rooms = mem_zalloc(sizeof *a->rooms);
    *a->rooms = v->gate.room;
}

static void answer_ban(struct sim_answer *a, const struct engine_ban *ban) {
    a->bans[a->ban_count] = *ban;
    a->bans[a->ban_count++].user = mem_strdup(ban->user);
}

static void node_ban_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    if (!v && c->for_ms) v = video_find_or_add(n, c, a);
    if (!v) return;
    v->used = ++n->clock;
    const struct engine_ban *ban =
        memory_gate_ban(&v->gate, c->gate.author, c->for_ms, c->shadow, c->note, c->wall_ms);
    a->bans = mem_zalloc(sizeof *a->bans);
    if (ban) answer_ban(a, ban);
}

static void node_bans_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = video_find_stored(n, c->name);
    if (!v) return;
    size_t count = memory_gate_bans(&v->gate, c->wall_ms, NULL, 0);
    struct engine_ban *list = mem_zalloc((count + 1) * sizeof *list);
    memory_gate_bans(&v->gate, c->wall_ms, list, count);
    a->bans = mem_zalloc((count + 1) * sizeof *a->bans);
    for (size_t i = 0; i < count; i++) answer_ban(a, &list[i]);
    free(list);
}

static void answer_held(struct sim_answer *a, const struct memory_gate *g, int64_t due_ms, size_t most) {
    a->held_count += memory_gate_held(g, due_ms, a->held + a->held_count, most - a->held_count);
}

static void node_held_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = c->name ? video_find_stored(n, c->name) : NULL;
    a->held = mem_zalloc(ROOM_HELD * sizeof *a->held);
    if (v) answer_held(a, &v->gate, INT64_MAX, ROOM_HELD);
    if (!c->name)
        DL_FOREACH(n->videos, v) answer_held(a, &v->gate, c->wall_ms, ENGINE_HELD_DUE);
    for (size_t i = 0; i < a->held_count; i++) {
        struct engine_held *h = &a->held[i];
        h->video = mem_strdup(h->video);
        h->id = mem_strdup(h->id);
        h->author = mem_strdup(h->author);
        h->body = mem_strndup(h->body, h->body_len);
    }
}

static void node_held_drop(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = video_find_stored(n, c->name);
    int64_t left = 0;
    if (!v || !memory_gate_drop(&v->gate, c->gate.id, &left))
        a->status = ENGINE_NOT_FOUND;
    else
        memory_gate_note(&v->gate, c->note);
    a->number = (uint64_t)left;
}

static void node_audit_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = video_find_stored(n, c->name);
    a->notes = mem_zalloc(MEMORY_NOTES * sizeof *a->notes);
    if (v) a->note_count = memory_gate_notes(&v->gate, a->notes);
    for (size_t i = 0; i < a->note_count; i++) a->notes[i] = mem_strdup(a->notes[i]);
}

static void secret_add(struct sim_node *n, const char *name, const unsigned char *bytes) {
    struct secret *s = mem_zalloc(sizeof *s);
    s->name = mem_strdup(name);
    memcpy(s->bytes, bytes, sizeof s->bytes);
    LL_PREPEND(n->secrets, s);
}

static void node_secret(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct secret *s;
    LL_FOREACH(n->secrets, s) {
        if (!strcmp(s->name, c->name)) break;
    }
    if (!s) secret_add(n, c->name, c->offered);
    memcpy(a->secret, s ? s->bytes : c->offered, sizeof a->secret);
}

static int later_used(const void *a, const void *b) {
    uint64_t x = (*(struct video *const *)a)->used, y = (*(struct video *const *)b)->used;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void answer_mapped(const struct sim_node *n, struct sim_answer *a) {
    struct video *v, **mapped = mem_alloc((n->stored + 1) * sizeof(struct video *));
    DL_FOREACH(n->videos, v) {
        if (v->reader) mapped[a->mappings++] = v;
    }
    qsort(mapped, a->mappings, sizeof *mapped, later_used);
    a->mapped = mem_alloc(ENGINE_MAPPED * sizeof *a->mapped);
    for (; a->mapped_count < a->mappings && a->mapped_count < ENGINE_MAPPED; a->mapped_count++) {
        v = mapped[a->mapped_count];
        a->mapped[a->mapped_count] = (struct engine_mapping){mem_strdup(v->name), mem_strdup(v->reader)};
    }
    free(mapped);
}

static void node_overview(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct sim_entry newest[ENGINE_NEWEST];
    size_t count = 0;
    a->number = n->comments;
    for (uint64_t i = n->comments; i && i + ENGINE_NEWEST > n->comments; i--) {
        const struct sim_entry *e = &n->newest[i % ENGINE_NEWEST];
        if (!e->body) continue; // it was taken out
        if (limits_expired(&c->limits, c->wall_ms, e->at_ms)) break;
        newest[count++] = *e;
    }
    answer_entries(a, newest, count);
    answer_mapped(n, a);
}

static void node_notify(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    (void)n, (void)c, (void)a; // nothing is stored
}

void sim_node_carry_out(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    static void (*const all[])(struct sim_node *, const struct sim_call *, struct sim_answer *) = {
        [SIM_APPEND] = node_append,
        [SIM_AMEND] = node_amend,
        [SIM_HEAD] = node_head,
        [SIM_RANGE] = node_range,
        [SIM_RANGE_BEFORE] = node_range_before,
        [SIM_LOOKUP] = node_lookup,
        [SIM_ASSIGN] = node_assign,
        [SIM_REASSIGN] = node_reassign,
        [SIM_RELEASE] = node_release,
        [SIM_WATCH] = node_watch,
        [SIM_LEASE_RENEW] = node_lease_renew,
        [SIM_LEASE_DROP] = node_lease_drop,
        [SIM_LEASES] = node_leases,
        [SIM_COUNTER] = node_counter,
        [SIM_OVERVIEW] = node_overview,
        [SIM_NOTIFY] = node_notify,
        [SIM_SET_READ] = node_set_read,
        [SIM_SET_WRITE] = node_set_write,
        [SIM_SETTINGS_READ] = node_settings_read,
        [SIM_SETTINGS_WRITE] = node_settings_write,
        [SIM_ROOMS_READ] = node_rooms_read,
        [SIM_ROOM_WRITE] = node_room_write,
        [SIM_BAN_WRITE] = node_ban_write,
        [SIM_BANS_READ] = node_bans_read,
        [SIM_HELD_READ] = node_held_read,
        [SIM_HELD_DROP] = node_held_drop,
        [SIM_AUDIT_READ] = node_audit_read,
        [SIM_SECRET] = node_secret,
    };
    all[c->op](n, c, a);
}

// Life

struct sim_node *sim_node_new(void) {
    return mem_zalloc(sizeof(struct sim_node));
}

void sim_node_clear(struct sim_node *n) {
    struct counter *k, *next;
    struct settings *s, *next_settings;
    struct secret *secret, *next_secret;
    while (n->videos) video_drop(n, n->videos);
    while (n->leases) lease_remove(&n->leases, n->leases);
    LL_FOREACH_SAFE(n->counters, k, next) {
        free(k->name);
        free(k);
    }
    LL_FOREACH_SAFE(n->settings, s, next_settings) settings_free(s);
    LL_FOREACH_SAFE(n->secrets, secret, next_secret) {
        free(secret->name);
        free(secret);
    }
    for (int i = 0; i < ENGINE_NEWEST; i++) sim_body_unref(n->newest[i].body);
    *n = (struct sim_node){0};
}

void sim_node_free(struct sim_node *n) {
    if (!n) return;
    sim_node_clear(n);
    free(n);
}

static void video_copy(struct sim_node *n, const struct video *from) {
    struct video *v = video_note(n, from->name), kept = *v;
    const struct token *t;
    struct token *tokens = NULL;
    *v = *from;
    v->name = kept.name;
    v->bucket_next = kept.bucket_next;
    v->prev = kept.prev;
    v->next = kept.next;
    v->reader = copy_text(from->reader);
    v->set = copy_text(from->set);
    v->room = from->count;
    v->log = mem_alloc(from->count * sizeof *v->log);
    for (size_t i = 0; i < from->count; i++) {
        v->log[i] = from->log[i];
        sim_body_ref(v->log[i].body);
    }
    v->tokens = NULL;
    struct token **end = &tokens;
    LL_FOREACH(from->tokens, t) {
        struct token *copy = mem_alloc(sizeof *copy);
        *copy = *t;
        copy->next = NULL;
        *end = copy;
        end = &copy->next;
    }
    v->tokens = tokens;
    memory_gate_copy(&v->gate, &from->gate);
    n->stored += v->stored;
}

static void lease_copy(struct sim_node *n, const struct lease *from) {
    struct lease *l = mem_alloc(sizeof *l);
    *l = *from;
    l->reader_url = copy_text(from->reader_url);
    l->public_url = copy_text(from->public_url);
    l->instance_id = copy_text(from->instance_id);
    l->load = copy_text(from->load);
    DL_APPEND(n->leases, l);
}

void sim_node_copy(struct sim_node *n, const struct sim_node *from) {
    const struct video *v;
    const struct lease *l;
    const struct counter *k;
    const struct settings *s;
    const struct secret *secret;
    sim_node_clear(n);
    DL_FOREACH(from->videos, v) video_copy(n, v);
    DL_FOREACH(from->leases, l) lease_copy(n, l);
    LL_FOREACH(from->counters, k) {
        struct counter *copy = mem_alloc(sizeof *copy);
        *copy = (struct counter){.name = mem_strdup(k->name), .value = k->value};
        LL_APPEND(n->counters, copy);
    }
    LL_FOREACH(from->settings, s) settings_add(n, s->video, s->text);
    LL_FOREACH(from->secrets, secret) secret_add(n, secret->name, secret->bytes);
    n->clock = from->clock;
    n->comments = from->comments;
    for (int i = 0; i < ENGINE_NEWEST; i++) {
        n->newest[i] = from->newest[i];
        sim_body_ref(n->newest[i].body);
    }
}
