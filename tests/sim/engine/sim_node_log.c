// The log of a video: epochs, losses, tokens, and reading. It follows lua/shared/position.lua where engine.h
// leaves a choice.
#include "sim_node_inner.h"

enum { RUNS = 65536 };

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
    if (c->op != SIM_HEAD) sim_video_prune(v, c); // a head() is of a process that only reads
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

void sim_node_append(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
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
    if (!v && c->has_gate && c->gate.checks == GATE_HOLD && !(v = sim_video_find_or_add(n, c, a))) return;
    if (v && c->has_gate && !memory_gate_admits(&v->gate, &post, &a->refusal)) {
        a->status = ENGINE_REFUSED;
        return;
    }
    v = sim_video_find_or_add(n, c, a);
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

void sim_node_amend(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find(n, c->name);
    if (v) sim_video_prune(v, c);
    if (position_is_set(c->target)) {
        struct sim_entry *e = video_entry(v, c->target);
        bool retracts = c->kind == ENTRY_RETRACT;
        if (e && e->kind == ENTRY_BLANK && retracts) return;
        if (!e || e->kind != ENTRY_COMMENT) a->status = ENGINE_NOT_FOUND;
        if (a->status != ENGINE_OK) return;
        if (retracts) entry_blank(n, e, a);
    }
    if (!(v = sim_video_find_or_add(n, c, a))) return;
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

void sim_node_head(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    struct video *v = sim_video_find_or_add(n, c, a);
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
    return c->op == SIM_HEAD && head_begins(sim_video_find(n, c->name), c, &kept);
}

void sim_answer_entries(struct sim_answer *a, const struct sim_entry *from, size_t count) {
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

void sim_node_range(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = sim_video_find(n, c->name);
    if (!v) return;
    size_t first = video_first_readable(v, &c->limits, c->wall_ms);
    while (first < v->count && position_compare(v->log[first].at, c->at) <= 0) first++;
    size_t left = v->count - first;
    a->head = v->at;
    a->more = left > c->limit;
    sim_answer_entries(a, v->log + first, a->more ? c->limit : left);
}

void sim_node_range_before(struct sim_node *n, const struct sim_call *c, struct sim_answer *a) {
    const struct video *v = sim_video_find(n, c->name);
    if (!v) return;
    size_t first = video_first_readable(v, &c->limits, c->wall_ms), end = v->count;
    while (position_is_set(c->at) && end > first && position_compare(v->log[end - 1].at, c->at) >= 0) end--;
    size_t there = end - first, count = c->limit < there ? c->limit : there;
    a->head = v->at;
    a->more = count < there;
    sim_answer_entries(a, v->log + (end - count), count);
}

struct position sim_node_oldest(const struct sim_node *n, const char *video,
                                const struct engine_limits *limits, int64_t wall_ms) {
    const struct video *v = sim_video_find(n, video);
    size_t first = v ? video_first_readable(v, limits, wall_ms) : 0;
    return v && first < v->count ? v->log[first].at : (struct position){0};
}

struct position sim_node_position(const struct sim_node *n, const char *video) {
    const struct video *v = sim_video_find(n, video);
    return v ? v->at : (struct position){0};
}
