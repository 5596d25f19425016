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

static void ban_drop(struct memory_gate *g, struct memory_ban *b) {
    LL_DELETE(g->bans, b);
    free((char *)b->is.user);
    free(b);
}

void memory_gate_release(struct memory_gate *g) {
    struct memory_recent *r, *next;
    while (g->bans) ban_drop(g, g->bans);
    LL_FOREACH_SAFE(g->recents, r, next) free(r);
    *g = (struct memory_gate){0};
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

bool memory_gate_admits(struct memory_gate *g, const struct engine_gate *comment, int64_t wall_ms,
                        int64_t now_ms, struct engine_refusal *refusal) {
    const struct memory_ban *ban = ban_find(g, comment->author);
    size_t len = strlen(comment->author);
    struct room_look look = {.room = &g->room,
                             .ban = ban ? &ban->is : NULL,
                             .wall_ms = wall_ms,
                             .now_ms = now_ms,
                             .author_ms = recent_ms(g, true, comment->author, len),
                             .text_ms = recent_ms(g, false, &comment->text, sizeof comment->text),
                             .paced_ms = &g->paced_ms};
    if (!g->exists) return true;
    bool admits = room_check(comment, &look, refusal);
    bool counts = admits || refusal->why == REFUSED_SHADOWED;
    if (counts && g->room.slow_ms) recent_note(g, true, comment->author, len, now_ms);
    if (admits && g->room.repeat_ms) recent_note(g, false, &comment->text, sizeof comment->text, now_ms);
    return admits;
}

void memory_gate_write(struct memory_gate *g, const struct engine_room *room) {
    if (room->revision != g->room.revision) return;
    g->exists = true;
    g->room = *room;
    g->room.revision++;
}

const struct engine_ban *memory_gate_ban(struct memory_gate *g, const char *user, int64_t for_ms, bool shadow,
                                         int64_t wall_ms) {
    struct memory_ban *b = ban_find(g, user);
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
