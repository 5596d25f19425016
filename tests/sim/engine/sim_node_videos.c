// Videos: which are stored and evicted, which reader has each, and which are watched.
#include "sim_node_inner.h"

enum { WATCHED_MS = 3 * ENGINE_WATCH_AGAIN_MS };

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

struct video *sim_video_find(const struct sim_node *n, const char *name) {
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

void sim_video_drop(struct sim_node *n, struct video *v) {
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

void sim_video_prune(struct video *v, const struct sim_call *c) {
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
        sim_video_prune(v, c);
        bool in_use = v->count || video_is_watched(v, c);
        if (!in_use && (!victim || v->used < victim->used)) victim = v;
    }
    return victim;
}

struct video *sim_video_find_or_add(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
    if (v) return v;
    while (c->limits.max_videos && n->stored >= c->limits.max_videos) {
        struct video *victim = node_find_victim(n, c, false);
        if (!victim && !(victim = node_find_victim(n, c, true))) {
            a->status = ENGINE_FULL;
            return NULL;
        }
        sim_video_drop(n, victim);
    }
    n->stored++;
    v = video_note(n, c->name);
    v->stored = true;
    return v;
}

void sim_video_copy(struct sim_node *n, const struct video *from) {
    struct video *v = video_note(n, from->name), kept = *v;
    const struct token *t;
    struct token *tokens = NULL;
    *v = *from;
    v->name = kept.name;
    v->bucket_next = kept.bucket_next;
    v->prev = kept.prev;
    v->next = kept.next;
    v->reader = sim_copy_text(from->reader);
    v->set = sim_copy_text(from->set);
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

void sim_node_lookup(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    answer_mapping(n, sim_video_find(n, c->name), c, a, false);
}

void sim_node_assign(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find_or_add(n, c, a);
    answer_mapping(n, v, c, a, v && !v->reader);
}

void sim_node_reassign(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
    answer_mapping(n, v, c, a, is_mapped(v, c->expected) && !is_mapped(v, c->reader_url));
}

void sim_node_release(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
    (void)a;
    if (!is_mapped(v, c->expected)) return;
    free(v->reader);
    v->reader = NULL;
    if (!position_is_set(v->at) && !v->gate.exists) sim_video_drop(n, v);
}

static void answer_set(const struct video *v, struct sim_answer *a) {
    a->reader = mem_strdup(v && v->set ? v->set : "");
    a->number = v ? v->set_generation : 0;
}

void sim_node_set_read(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    answer_set(sim_video_find(n, c->name), a);
}

void sim_node_placed(const struct sim_node *n, const char *video, const char **reader, const char **set,
                     uint64_t *generation) {
    const struct video *v = sim_video_find(n, video);
    *reader = v ? v->reader : NULL;
    *set = v ? v->set : NULL;
    *generation = v ? v->set_generation : 0;
}

void sim_node_set_write(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find_or_add(n, c, a);
    if (v && v->set_generation == c->lease.generation) {
        free(v->set);
        v->set = mem_strdup(c->body->bytes);
        v->set_generation++;
        a->changed = true;
    }
    answer_set(v, a);
}

void sim_node_watch(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = c->watched ? video_note(n, c->name) : video_find(n, c->name);
    (void)a;
    if (!v) return;
    v->watched = c->watched;
    v->watched_until_ms = c->steady_ms + WATCHED_MS;
    if (c->watched) v->used = ++n->clock;
    if (!c->watched && !v->stored) sim_video_drop(n, v);
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

void sim_node_overview(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct sim_entry newest[ENGINE_NEWEST];
    size_t count = 0;
    a->number = n->comments;
    for (uint64_t i = n->comments; i && i + ENGINE_NEWEST > n->comments; i--) {
        const struct sim_entry *e = &n->newest[i % ENGINE_NEWEST];
        if (!e->body) continue; // it was taken out
        if (limits_expired(&c->limits, c->wall_ms, e->at_ms)) break;
        newest[count++] = *e;
    }
    sim_answer_entries(a, newest, count);
    answer_mapped(n, a);
}
