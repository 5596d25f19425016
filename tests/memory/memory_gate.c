#include "memory_gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/uthash.h"

struct memory_ban {
    struct engine_ban is;
    struct memory_ban *next;
};

struct memory_recent {
    bool of_author;
    size_t len;
    char name[ROOM_USER_MAX];
    int64_t at_ms;
    struct memory_recent *next;
};

struct memory_held {
    struct engine_held is; // owns its strings
    struct memory_held *next;
};

struct memory_note {
    char *text;
    struct memory_note *next;
};

static void held_free(struct memory_held *h);

static void ban_drop(struct memory_gate *g, struct memory_ban *b) {
    LL_DELETE(g->bans, b);
    free((char *)b->is.user);
    free(b);
}

void memory_gate_release(struct memory_gate *g) {
    struct memory_recent *r, *next;
    while (g->bans) ban_drop(g, g->bans);
    LL_FOREACH_SAFE(g->recents, r, next) free(r);
    for (struct memory_held *h; (h = g->held);) {
        LL_DELETE(g->held, h);
        held_free(h);
    }
    for (struct memory_note *n; (n = g->notes);) {
        LL_DELETE(g->notes, n);
        free(n->text);
        free(n);
    }
    *g = (struct memory_gate){0};
}

void memory_gate_copy(struct memory_gate *to, const struct memory_gate *from) {
    struct memory_ban **ban = &to->bans;
    struct memory_recent **recent = &to->recents;
    struct memory_held **held = &to->held;
    struct memory_note **note = &to->notes;
    *to = *from;
    for (; *ban; ban = &(*ban)->next) {
        struct memory_ban *copy = mem_alloc(sizeof *copy);
        *copy = **ban;
        copy->is.user = mem_strdup(copy->is.user);
        *ban = copy;
    }
    for (; *recent; recent = &(*recent)->next) {
        struct memory_recent *copy = mem_alloc(sizeof *copy);
        *copy = **recent;
        *recent = copy;
    }
    for (; *held; held = &(*held)->next) {
        struct memory_held *copy = mem_alloc(sizeof *copy);
        *copy = **held;
        copy->is.video = mem_strdup(copy->is.video);
        copy->is.id = mem_strdup(copy->is.id);
        copy->is.author = mem_strdup(copy->is.author);
        copy->is.body = mem_strndup(copy->is.body, copy->is.body_len);
        *held = copy;
    }
    for (; *note; note = &(*note)->next) {
        struct memory_note *copy = mem_alloc(sizeof *copy);
        *copy = **note;
        copy->text = mem_strdup(copy->text);
        *note = copy;
    }
}

static struct memory_ban *ban_find(const struct memory_gate *g, const char *user) {
    struct memory_ban *b = g->bans;
    while (b && strcmp(b->is.user, user) != 0) b = b->next;
    return b;
}

static struct memory_recent *recent_find(const struct memory_gate *g, bool of_author, const void *name,
                                         size_t len) {
    struct memory_recent *r = g->recents;
    while (r && (r->of_author != of_author || r->len != len || memcmp(r->name, name, len) != 0)) r = r->next;
    return r;
}

static int64_t recent_ms(const struct memory_gate *g, bool of_author, const void *name, size_t len) {
    const struct memory_recent *r = recent_find(g, of_author, name, len);
    return r ? r->at_ms : ROOM_NEVER;
}

static void recent_note(struct memory_gate *g, bool of_author, const void *name, size_t len, int64_t now_ms) {
    struct memory_recent *r = recent_find(g, of_author, name, len);
    if (!r) {
        r = mem_zalloc(sizeof *r);
        r->of_author = of_author;
        r->len = len;
        memcpy(r->name, name, len);
        LL_PREPEND(g->recents, r);
    }
    r->at_ms = now_ms;
}

// Comments that wait

static struct memory_held *held_find(const struct memory_gate *g, const char *id) {
    struct memory_held *h = g->held;
    while (h && strcmp(h->is.id, id) != 0) h = h->next;
    return h;
}

static int64_t held_count(const struct memory_gate *g) {
    int64_t count = 0;
    const struct memory_held *h;
    LL_COUNT(g->held, h, count);
    return count;
}

static void held_free(struct memory_held *h) {
    free((char *)h->is.video);
    free((char *)h->is.id);
    free((char *)h->is.author);
    free((char *)h->is.body);
    free(h);
}

static bool held_repeats(const struct memory_gate *g, const struct memory_post *p, struct engine_refusal *r) {
    bool may_wait = p->token && gate_checks_all(p->gate->checks) && !g->room.over;
    const struct memory_held *h = may_wait ? held_find(g, p->gate->id) : NULL;
    if (!h) return false;
    int64_t left_ms = h->is.due_ms - p->wall_ms;
    *r = (struct engine_refusal){.why = h->is.allows ? REFUSED_DELAYED : REFUSED_HELD,
                                 .number = left_ms > 0 ? left_ms : 0,
                                 .waiting = held_count(g)};
    return true;
}

static bool held_add(struct memory_gate *g, const struct memory_post *p, struct engine_refusal *r) {
    r->waiting = held_count(g) + 1;
    if (r->waiting > ROOM_HELD) {
        *r = (struct engine_refusal){.why = REFUSED_RATE, .number = 1000};
        return false;
    }
    struct memory_held *h = mem_zalloc(sizeof *h), **at = &g->held;
    h->is = (struct engine_held){.video = mem_strdup(p->video),
                                 .id = mem_strdup(p->gate->id),
                                 .author = mem_strdup(p->gate->author),
                                 .body = mem_strndup(p->body, p->body_len),
                                 .body_len = p->body_len,
                                 .due_ms = p->wall_ms + r->number,
                                 .allows = r->why == REFUSED_DELAYED,
                                 .at_ms = p->token ? p->token->at_ms : p->wall_ms};
    if (p->token) memcpy(h->is.digest, p->token->digest, ENGINE_DIGEST);
    while (*at && (*at)->is.due_ms <= h->is.due_ms) at = &(*at)->next;
    h->next = *at;
    *at = h;
    return true;
}

size_t memory_gate_held(const struct memory_gate *g, int64_t due_ms, struct engine_held *list, size_t room) {
    size_t count = 0;
    for (const struct memory_held *h = g->held; h && count < room && h->is.due_ms <= due_ms; h = h->next)
        list[count++] = h->is;
    return count;
}

bool memory_gate_drop(struct memory_gate *g, const char *id, int64_t *left) {
    struct memory_held *h = held_find(g, id);
    if (h) LL_DELETE(g->held, h);
    if (h) held_free(h);
    *left = held_count(g);
    return h != NULL;
}

// The check

bool memory_gate_admits(struct memory_gate *g, const struct memory_post *p, struct engine_refusal *refusal) {
    const struct engine_gate *comment = p->gate;
    const struct memory_ban *ban = ban_find(g, comment->author);
    size_t len = strlen(comment->author);
    struct room_look look = {.room = &g->room,
                             .ban = ban ? &ban->is : NULL,
                             .wall_ms = p->wall_ms,
                             .now_ms = p->now_ms,
                             .author_ms = recent_ms(g, true, comment->author, len),
                             .text_ms = recent_ms(g, false, &comment->text, sizeof comment->text),
                             .paced_ms = &g->paced_ms};
    if (!g->exists && comment->checks != GATE_HOLD) return true;
    g->exists = true;
    if (held_repeats(g, p, refusal)) return false;
    bool admits = room_check(comment, &look, refusal);
    if (!gate_checks_all(comment->checks)) return admits;
    if (!admits && refusal->why > REFUSED_SHADOWED && !held_add(g, p, refusal)) return false;
    bool counts = admits || room_refusal_counts(refusal->why);
    bool is_shadowed = !admits && refusal->why == REFUSED_SHADOWED;
    if (counts && g->room.slow_ms) recent_note(g, true, comment->author, len, p->now_ms);
    if (counts && !is_shadowed && g->room.repeat_ms)
        recent_note(g, false, &comment->text, sizeof comment->text, p->now_ms);
    return admits;
}

bool memory_gate_write(struct memory_gate *g, const struct engine_room *room) {
    if (room->revision != g->room.revision) return false;
    g->exists = true;
    g->room = *room;
    g->room.revision++;
    return true;
}

void memory_gate_note(struct memory_gate *g, const char *note) {
    if (!note) return;
    struct memory_note *n = mem_zalloc(sizeof *n);
    n->text = mem_strdup(note);
    LL_PREPEND(g->notes, n);
    g->exists = true;
}

static size_t notes_of_kind(const struct memory_gate *g, bool automatic, const char **list, size_t most) {
    static const char begins[] = ENGINE_NOTE_AUTOMATIC;
    size_t count = 0;
    for (const struct memory_note *n = g->notes; n && count < most; n = n->next)
        if (!strncmp(n->text, begins, sizeof begins - 1) == automatic) list[count++] = n->text;
    return count;
}

size_t memory_gate_notes(const struct memory_gate *g, const char *list[MEMORY_NOTES]) {
    size_t count = notes_of_kind(g, false, list, ENGINE_NOTES);
    return count + notes_of_kind(g, true, list + count, ENGINE_NOTES_AUTOMATIC);
}

bool memory_gate_amend(struct memory_gate *g, enum entry_kind kind, struct position target) {
    bool changes = room_amend(&g->room, kind, target);
    g->exists |= changes;
    return changes;
}

const struct engine_ban *memory_gate_ban(struct memory_gate *g, const char *user, int64_t for_ms, bool shadow,
                                         const char *note, int64_t wall_ms) {
    struct memory_ban *b = ban_find(g, user);
    if (b || for_ms) memory_gate_note(g, note);
    if (b) ban_drop(g, b);
    if (!for_ms) return NULL;
    g->exists = true;
    b = mem_zalloc(sizeof *b);
    b->is = (struct engine_ban){mem_strdup(user), for_ms > 0 ? wall_ms + for_ms : 0, shadow};
    LL_PREPEND(g->bans, b);
    return &b->is;
}

size_t memory_gate_bans(const struct memory_gate *g, int64_t wall_ms, struct engine_ban *list, size_t room) {
    size_t count = 0;
    const struct memory_ban *b;
    LL_FOREACH(g->bans, b) {
        if (b->is.until_ms && b->is.until_ms <= wall_ms) continue;
        if (count < room) list[count] = b->is;
        count++;
    }
    return count;
}
