// The parts are in keys of different slots, so they are fetched one after the other: one call is sent again
// for each step, and collects them.
#include "redis_overview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_core.h"
#include "redis_reply.h"

struct gathered {
    struct engine_overview overview;
    struct engine_entry newest[ENGINE_NEWEST];
    struct engine_mapping mapped[ENGINE_MAPPED];
    char *texts[ENGINE_NEWEST + 2 * ENGINE_MAPPED]; // what the above point to
    size_t text_count;
    size_t step;
};

// Keeps a copy of the i-th text; NULL if there is none.
static const char *overview_keep(struct gathered *g, const redisReply *reply, size_t i, size_t *len) {
    const char *text = redis_reply_text(redis_reply_item(reply, i), len);
    return text ? g->texts[g->text_count++] = mem_strndup(text, *len) : NULL;
}

// Each of these returns whether the reply is one to its command.

static bool take_comments(struct gathered *g, const redisReply *reply) {
    const char *text = redis_reply_text(reply, NULL);
    if (text) g->overview.comments = strtoull(text, NULL, 10);
    return text || redis_reply_is_nil(reply);
}

static bool take_newest(struct gathered *g, const redisReply *reply) {
    size_t count, len;
    if (!redis_reply_array(reply, &count)) return false;
    for (size_t i = 0; i < count && i < ENGINE_NEWEST; i++) {
        struct engine_entry *e = &g->newest[g->overview.newest_count];
        const char *json = overview_keep(g, reply, i, &len);
        if (json && entry_read(e, json, len) && e->kind == ENTRY_COMMENT) g->overview.newest_count++;
    }
    return true;
}

static bool take_count(struct gathered *g, const redisReply *reply) {
    int64_t count;
    if (!redis_reply_integer(reply, &count)) return false;
    g->overview.mappings = (uint64_t)count;
    return true;
}

static bool take_unmapped(struct gathered *g, const redisReply *reply) {
    int64_t count;
    if (!redis_reply_integer(reply, &count)) return false;
    bool fewer = (uint64_t)count < g->overview.mappings;
    g->overview.mappings = fewer ? g->overview.mappings - (uint64_t)count : 0;
    return true;
}

static bool take_videos(struct gathered *g, const redisReply *reply) {
    size_t count, len;
    if (!redis_reply_array(reply, &count)) return false;
    for (size_t i = 0; i < count && i < ENGINE_MAPPED; i++) {
        const char *video = overview_keep(g, reply, i, &len);
        if (video) g->mapped[g->overview.mapped_count++].video = video;
    }
    return true;
}

// A mapping dropped since then is left out.
static bool take_readers(struct gathered *g, const redisReply *reply) {
    size_t count, len, found = 0;
    if (!redis_reply_array(reply, &count)) return false;
    for (size_t i = 0; i < count && i < g->overview.mapped_count; i++) {
        const char *reader = overview_keep(g, reply, i, &len);
        if (!reader) continue;
        g->mapped[found] = g->mapped[i];
        g->mapped[found++].reader_url = reader;
    }
    g->overview.mapped_count = found;
    return true;
}

static const struct step {
    const char *command[4];
    bool (*take)(struct gathered *, const redisReply *);
} steps[] = {
    {{"GET", "chorus:comments"}, take_comments},
    {{"LRANGE", "chorus:newest", "0", "9"}, take_newest},
    {{"ZCARD", "chorus:mapped"}, take_count},
    {{"ZCARD", "chorus:unmapped"}, take_unmapped},
    {{"ZREVRANGE", "chorus:mapped", "0", "99"}, take_videos},
    {{"MGET"}, take_readers}, // of those videos
};
enum { STEPS = sizeof steps / sizeof *steps };

static void overview_finish(struct redis_call *c, enum engine_status status) {
    struct gathered *g = c->more;
    g->overview.newest = g->newest;
    g->overview.mapped = g->mapped;
    c->on.overview(c->arg, status, status == ENGINE_OK ? &g->overview : NULL);
    for (size_t i = 0; i < g->text_count; i++) free(g->texts[i]);
    redis_call_free(c);
}

static void overview_send_mget(struct redis_call *c, const struct gathered *g) {
    char keys[ENGINE_MAPPED][ENGINE_VIDEO_MAX + 16];
    const char *argv[ENGINE_MAPPED + 1] = {"MGET"};
    size_t lens[ENGINE_MAPPED + 1] = {4}, count = g->overview.mapped_count;
    for (size_t i = 0; i < count; i++) {
        argv[i + 1] = keys[i];
        lens[i + 1] = (size_t)snprintf(keys[i], sizeof keys[i], "video:%.*s:reader", ENGINE_VIDEO_MAX,
                                       g->mapped[i].video);
    }
    redis_call_send_raw(c, "MGET", (int)count + 1, argv, lens);
}

static void overview_send_step(struct redis_call *c) {
    const struct gathered *g = c->more;
    if (g->step == STEPS - 1) {
        overview_send_mget(c, g);
        return;
    }
    struct redis_args a = {0};
    for (size_t i = 0; i < 4 && steps[g->step].command[i]; i++)
        redis_args_text(&a, steps[g->step].command[i]);
    redis_call_send(c, &a);
}

static void on_overview_step(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct gathered *g = c->more;
    if (status == ENGINE_OK && !steps[g->step++].take(g, reply)) status = redis_call_unexpected(c, reply);
    bool over = g->step == STEPS || (g->step == STEPS - 1 && !g->overview.mapped_count);
    if (status != ENGINE_OK || over)
        overview_finish(c, status);
    else
        overview_send_step(c);
}

void redis_overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_overview_step, NULL, 0);
    c->more = mem_zalloc(sizeof(struct gathered));
    c->on.overview = cb;
    c->arg = arg;
    overview_send_step(c);
}

// Videos, the one used last first: one that is used meanwhile moves to the front, so that others come twice,
// and none is left out. The cursor is where to go on; the call's text is it.

static void on_videos(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct engine_videos page = {0};
    const char *names[ENGINE_VIDEOS];
    char next[24];
    size_t count = 0;
    if (status == ENGINE_OK && !redis_reply_array(reply, &count)) status = redis_call_unexpected(c, reply);
    for (size_t i = 0; i < count && page.count < ENGINE_VIDEOS; i++) {
        names[page.count] = redis_reply_text(redis_reply_item(reply, i), NULL);
        page.count += names[page.count] != NULL;
    }
    page.names = names;
    snprintf(next, sizeof next, "%lu", strtoul(c->text, NULL, 10) + ENGINE_VIDEOS);
    if (count == ENGINE_VIDEOS) page.next = next;
    c->on.videos(c->arg, status, status == ENGINE_OK ? &page : NULL);
    redis_call_free(c);
}

void redis_videos(struct engine *engine, const char *cursor, engine_videos_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_videos, cursor, strlen(cursor) + 1);
    struct redis_args a = {0};
    unsigned long from = strtoul(cursor, NULL, 10);
    redis_args_text(&a, "ZREVRANGE");
    redis_args_text(&a, "chorus:mapped");
    redis_args_number(&a, (int64_t)from);
    redis_args_number(&a, (int64_t)from + ENGINE_VIDEOS - 1);
    c->on.videos = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}
