// The pieces lie in keys of different slots, so they are fetched one after the other: one call is sent again
// for each step, and gathers.
#include "engine/redis_overview.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/redis_core.h"
#include "engine/redis_entry.h"
#include "engine/redis_log.h"

struct gathered {
    struct engine_overview overview;
    struct engine_entry newest[ENGINE_NEWEST];
    struct engine_mapping mapped[ENGINE_MAPPED];
    char *texts[ENGINE_NEWEST + 2 * ENGINE_MAPPED]; // what the above point to
    size_t text_count;
    size_t step;
};

static const char *keep(struct gathered *g, const redisReply *text) {
    return g->texts[g->text_count++] = mem_strndup(text->str, text->len);
}

static void take_comments(struct gathered *g, const redisReply *reply) {
    if (reply->type == REDIS_REPLY_STRING) g->overview.comments = strtoull(reply->str, NULL, 10);
}

static void take_newest(struct gathered *g, const redisReply *reply) {
    for (size_t i = 0; i < reply->elements && g->overview.newest_count < ENGINE_NEWEST; i++) {
        const redisReply *json = reply->element[i];
        struct engine_entry *e = &g->newest[g->overview.newest_count];
        if (json->type != REDIS_REPLY_STRING) continue;
        if (redis_entry_read(e, keep(g, json), json->len) && e->json_len) g->overview.newest_count++;
    }
}

static void take_count(struct gathered *g, const redisReply *reply) {
    if (reply->type == REDIS_REPLY_INTEGER) g->overview.mappings = (uint64_t)reply->integer;
}

static void take_videos(struct gathered *g, const redisReply *reply) {
    for (size_t i = 0; i < reply->elements && i < ENGINE_MAPPED; i++)
        if (reply->element[i]->type == REDIS_REPLY_STRING)
            g->mapped[g->overview.mapped_count++].video = keep(g, reply->element[i]);
}

// A mapping that has gone since leaves the list.
static void take_readers(struct gathered *g, const redisReply *reply) {
    size_t found = 0;
    for (size_t i = 0; i < reply->elements && i < g->overview.mapped_count; i++) {
        if (reply->element[i]->type != REDIS_REPLY_STRING) continue;
        g->mapped[found] = g->mapped[i];
        g->mapped[found++].reader_url = keep(g, reply->element[i]);
    }
    g->overview.mapped_count = found;
}

static const struct step {
    const char *command[4];
    void (*take)(struct gathered *, const redisReply *);
} steps[] = {
    {{"GET", "chorus:comments"}, take_comments},
    {{"LRANGE", "chorus:newest", "0", "9"}, take_newest},
    {{"ZCARD", "chorus:mapped"}, take_count},
    {{"ZREVRANGE", "chorus:mapped", "0", "99"}, take_videos},
    {{"MGET"}, take_readers}, // of those videos
};
enum { STEPS = sizeof steps / sizeof *steps };

static void finish(struct redis_call *c, enum engine_status status) {
    struct gathered *g = c->more;
    g->overview.newest = g->newest;
    g->overview.mapped = g->mapped;
    c->on.overview(c->arg, status, status == ENGINE_OK ? &g->overview : NULL);
    for (size_t i = 0; i < g->text_count; i++) free(g->texts[i]);
    redis_call_free(c);
}

static void send_mget(struct redis_call *c, const struct gathered *g) {
    char keys[ENGINE_MAPPED][ENGINE_VIDEO_MAX + 16];
    const char *argv[ENGINE_MAPPED + 1] = {"MGET"};
    size_t lens[ENGINE_MAPPED + 1] = {4}, count = g->overview.mapped_count;
    for (size_t i = 0; i < count; i++) {
        argv[i + 1] = keys[i];
        lens[i + 1] = (size_t)snprintf(keys[i], sizeof keys[i], "video:%.*s:reader", ENGINE_VIDEO_MAX,
                                       g->mapped[i].video);
    }
    redis_call_send_raw(c, (int)count + 1, argv, lens);
}

static void send_step(struct redis_call *c) {
    const struct gathered *g = c->more;
    if (g->step == STEPS - 1) {
        send_mget(c, g);
        return;
    }
    struct redis_args a = {0};
    for (size_t i = 0; i < 4 && steps[g->step].command[i]; i++)
        redis_args_text(&a, steps[g->step].command[i]);
    redis_call_send(c, &a);
}

static void on_step(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct gathered *g = c->more;
    if (status == ENGINE_OK) steps[g->step++].take(g, reply);
    bool over = g->step == STEPS || (g->step == STEPS - 1 && !g->overview.mapped_count);
    if (status != ENGINE_OK || over)
        finish(c, status);
    else
        send_step(c);
}

void redis_overview(struct engine *engine, engine_overview_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_step, NULL, 0);
    redis_tally_tell(c->redis);
    c->more = mem_zalloc(sizeof(struct gathered));
    c->on.overview = cb;
    c->arg = arg;
    send_step(c);
}
