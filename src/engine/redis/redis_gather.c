#include "redis_gather.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_core.h"
#include "redis_reply.h"
#include "redis_script.h"
#include "redis_slots.h"

struct gathering {
    struct redis_gather what;
    unsigned slot; // the next one
    redisReply **kept;
    size_t kept_count;
};

size_t redis_gather_stretch(const struct redis *r, unsigned *slot, char ends[][GATHER_END_SIZE],
                            struct redis_node **node) {
    size_t count = 0;
    if (!r->owners) {
        *node = NULL;
        ends[0][0] = 0;
        return *slot ? 0 : 1;
    }
    while (*slot < REDIS_SLOTS && !r->owners[*slot]) ++*slot;
    *node = *slot < REDIS_SLOTS ? r->owners[*slot] : NULL;
    for (unsigned at = *slot; at < REDIS_SLOTS && count < GATHER_SLOTS && r->owners[at] == *node; at++)
        snprintf(ends[count++], GATHER_END_SIZE, ":{%s}", r->tags->of[at]);
    return count;
}

void redis_gather_send(struct redis_call *c, const struct redis_script *script, const int64_t *args,
                       size_t args_count, char ends[][GATHER_END_SIZE], size_t slots) {
    char texts[GATHER_ARGS][24];
    const char *argv[3 + GATHER_ARGS + GATHER_SLOTS] = {"EVALSHA", script->sha, "0"};
    size_t lens[3 + GATHER_ARGS + GATHER_SLOTS], count = 3;
    for (size_t i = 0; i < args_count; i++) {
        snprintf(texts[i], sizeof texts[i], "%" PRId64, args[i]);
        argv[count++] = texts[i];
    }
    for (size_t i = 0; i < slots; i++) argv[count++] = ends[i];
    for (size_t i = 0; i < count; i++) lens[i] = strlen(argv[i]);
    redis_call_send_raw(c, script->name, (int)count, argv, lens);
}

static void gather_end(struct redis_call *c, enum engine_status status) {
    const struct gathering *g = c->more;
    g->what.end(g->what.arg, status);
    for (size_t i = 0; i < g->kept_count; i++) redis_reply_free(g->kept[i]);
    free(g->kept);
    redis_call_free(c);
}

// Returns false if there is nothing left to ask.
static bool gather_send(struct redis_call *c) {
    struct gathering *g = c->more;
    char ends[GATHER_SLOTS][GATHER_END_SIZE];
    size_t slots = redis_gather_stretch(c->redis, &g->slot, ends, &c->pinned);
    if (!slots) return false;
    g->slot += (unsigned)slots;
    redis_gather_send(c, g->what.script, g->what.args, g->what.count, ends, slots);
    return true;
}

static void gather_keep(struct gathering *g, redisReply *reply) {
    redisReply **kept = mem_alloc((g->kept_count + 1) * sizeof(redisReply *));
    if (g->kept_count) memcpy(kept, g->kept, g->kept_count * sizeof(redisReply *));
    free(g->kept);
    g->kept = kept;
    g->kept[g->kept_count++] = reply;
}

static void on_gathered(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct gathering *g = c->more;
    if (status == ENGINE_OK) gather_keep(g, redis_conn_keep_reply(c->node->commands));
    if (status == ENGINE_OK && !g->what.take(g->what.arg, reply)) status = redis_call_unexpected(c, reply);
    if (status != ENGINE_OK || !gather_send(c)) gather_end(c, status);
}

void redis_gather(struct redis *r, const struct redis_gather *what) {
    struct redis_call *c = redis_call_new(r, on_gathered, NULL, 0);
    struct gathering *g = mem_zalloc(sizeof *g);
    g->what = *what;
    c->is_upkeep = what->is_upkeep;
    c->more = g;
    if (!gather_send(c)) redis_call_refuse(c, ENGINE_UNAVAILABLE);
}
