// Where there are slots, each has its own part of it (redis_gather.h).
#include "redis_overview.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_core.h"
#include "redis_gather.h"
#include "redis_reply.h"

// A list of which the newest are kept. What it points to is in replies.
struct newest {
    struct newest_item {
        const char *when; // compares as time does
        const char *text, *reader;
        size_t len;
    } * items;
    size_t count, most;
};

struct gathered {
    engine_overview_cb *cb;
    void *arg;
    struct engine_overview overview;
    struct newest comments, videos;
};

// Returns whether a is newer than b: texts of ISO 8601, or numbers.
static bool is_newer(const struct newest_item *a, const struct newest_item *b) {
    size_t x = strlen(a->when), y = strlen(b->when);
    return x != y ? x > y : strcmp(a->when, b->when) > 0;
}

// Equals stay in the order in which they come.
static void newest_add(struct newest *n, struct newest_item item) {
    size_t at = n->count;
    while (at && is_newer(&item, &n->items[at - 1])) at--;
    if (at == n->most) return;
    if (n->count < n->most) n->count++;
    memmove(&n->items[at + 1], &n->items[at], (n->count - 1 - at) * sizeof *n->items);
    n->items[at] = item;
}

static bool take_comments(struct gathered *g, const redisReply *list) {
    size_t count;
    if (!redis_reply_array(list, &count) || count % 2) return false;
    for (size_t i = 0; i < count; i += 2) {
        struct newest_item item = {.when = redis_reply_text(redis_reply_item(list, i), NULL)};
        item.text = redis_reply_text(redis_reply_item(list, i + 1), &item.len);
        if (item.when && item.text) newest_add(&g->comments, item);
    }
    return true;
}

static bool take_videos(struct gathered *g, const redisReply *list) {
    size_t count;
    if (!redis_reply_array(list, &count) || count % 3) return false;
    for (size_t i = 0; i < count; i += 3) {
        struct newest_item item = {.when = redis_reply_text(redis_reply_item(list, i), NULL),
                                   .text = redis_reply_text(redis_reply_item(list, i + 1), NULL),
                                   .reader = redis_reply_text(redis_reply_item(list, i + 2), NULL)};
        if (item.when && item.text && item.reader) newest_add(&g->videos, item);
    }
    return true;
}

static bool take_overview(void *arg, const redisReply *reply) {
    struct gathered *g = arg;
    int64_t comments, mappings;
    if (!redis_reply_integer(redis_reply_item(reply, 0), &comments) ||
        !redis_reply_integer(redis_reply_item(reply, 1), &mappings))
        return false;
    g->overview.comments += (uint64_t)comments;
    g->overview.mappings += (uint64_t)mappings;
    return take_comments(g, redis_reply_item(reply, 2)) && take_videos(g, redis_reply_item(reply, 3));
}

static void on_overview_gathered(void *arg, enum engine_status status) {
    struct gathered *g = arg;
    struct engine_entry entries[ENGINE_NEWEST];
    struct engine_mapping mapped[ENGINE_MAPPED];
    struct engine_overview *o = &g->overview;
    for (size_t i = 0; i < g->comments.count; i++) {
        struct engine_entry *e = &entries[o->newest_count];
        if (entry_read(e, g->comments.items[i].text, g->comments.items[i].len) && e->kind == ENTRY_COMMENT)
            o->newest_count++;
    }
    for (size_t i = 0; i < g->videos.count; i++)
        mapped[i] = (struct engine_mapping){g->videos.items[i].text, g->videos.items[i].reader};
    o->newest = entries;
    o->mapped = mapped;
    o->mapped_count = g->videos.count;
    g->cb(g->arg, status, status == ENGINE_OK ? o : NULL);
    free(g->comments.items);
    free(g->videos.items);
    free(g);
}

static void newest_init(struct newest *n, size_t most) {
    *n = (struct newest){.most = most, .items = mem_alloc((most + 1) * sizeof *n->items)};
}

void redis_overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct gathered *g = mem_zalloc(sizeof *g);
    g->cb = cb;
    g->arg = arg;
    newest_init(&g->comments, ENGINE_NEWEST);
    newest_init(&g->videos, ENGINE_MAPPED);
    redis_gather((struct redis *)engine, &(struct redis_gather){.script = &redis_script_overview,
                                                                .args = {ENGINE_NEWEST, ENGINE_MAPPED},
                                                                .count = 2,
                                                                .is_whole = true,
                                                                .take = take_overview,
                                                                .end = on_overview_gathered,
                                                                .arg = g});
}

// Videos of a slot after another, the one used last first: one that is used meanwhile moves to the front, so
// that others come twice, and none is left out. The cursor is the slot and where to go on in it; the call's
// text is it.

struct videos_from {
    unsigned slot;
    int64_t offset;
};

static bool videos_send(struct redis_call *c);

static void on_videos(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct videos_from *from = c->more;
    struct engine_videos page = {0};
    const char *names[ENGINE_VIDEOS];
    char next[32];
    size_t count = 0;
    int64_t read = 0;
    if (status == ENGINE_OK && (!redis_reply_array(reply, &count) || count > ENGINE_VIDEOS + 1 ||
                                !redis_reply_integer(redis_reply_item(reply, 0), &read)))
        status = redis_call_unexpected(c, reply);
    for (size_t i = 1; status == ENGINE_OK && i < count; i++) {
        names[page.count] = redis_reply_text(redis_reply_item(reply, i), NULL);
        page.count += names[page.count] != NULL;
    }
    from->slot += (unsigned)read;
    from->offset = read ? 0 : from->offset;
    if (count == ENGINE_VIDEOS + 1) from->offset += ENGINE_VIDEOS;
    if (status == ENGINE_OK && !read && count == 1 && c->pinned) {
        redis_gather_send_alone(c, &redis_script_videos, (const int64_t[]){from->offset, ENGINE_VIDEOS}, 2,
                                from->slot);
        return;
    }
    if (status == ENGINE_OK && !page.count && videos_send(c)) return;
    page.names = names;
    snprintf(next, sizeof next, "%u %" PRId64, from->slot, from->offset);
    if (page.count && (c->redis->owners || count == ENGINE_VIDEOS + 1)) page.next = next;
    c->on.videos(c->arg, status, status == ENGINE_OK ? &page : NULL);
    redis_call_free(c);
}

// Returns false if there is no slot left.
static bool videos_send(struct redis_call *c) {
    struct videos_from *from = c->more;
    char ends[GATHER_SLOTS][GATHER_END_SIZE];
    unsigned before = from->slot;
    size_t slots = redis_gather_stretch(c->redis, &from->slot, NULL, ends, &c->pinned);
    if (!slots) return false;
    if (from->slot != before) from->offset = 0;
    redis_gather_send(c, &redis_script_videos, (const int64_t[]){from->offset, ENGINE_VIDEOS}, 2, ends,
                      slots);
    return true;
}

void redis_videos(struct engine *engine, const char *cursor, engine_videos_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_videos, NULL, 0);
    struct videos_from *from = mem_zalloc(sizeof *from);
    char *end;
    from->slot = (unsigned)strtoul(cursor, &end, 10);
    from->offset = strtoll(end, NULL, 10);
    c->more = from;
    c->on.videos = cb;
    c->arg = arg;
    if (!videos_send(c)) redis_call_refuse(c, ENGINE_UNAVAILABLE);
}
