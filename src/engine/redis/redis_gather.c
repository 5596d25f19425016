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
    unsigned slot;            // the next one
    unsigned asked;           // the first of those that were asked for last
    size_t asked_count;       // of them
    bool is_again;            // those that were missed are asked for, not all
    bool missed[REDIS_SLOTS]; // could not be read
    redisReply **kept;
    size_t kept_count;
};

size_t redis_gather_stretch(const struct redis *r, unsigned *slot, const bool *only,
                            char ends[][GATHER_END_SIZE], struct redis_node **node) {
    size_t count = 0;
    if (!r->owners) {
        *node = NULL;
        ends[0][0] = 0;
        return *slot ? 0 : 1;
    }
    while (*slot < REDIS_SLOTS && (!r->owners[*slot] || (only && !only[*slot]))) ++*slot;
    *node = *slot < REDIS_SLOTS ? r->owners[*slot] : NULL;
    for (unsigned at = *slot; at < REDIS_SLOTS && count < GATHER_SLOTS && r->owners[at] == *node; at++) {
        if (only && !only[at]) break;
        snprintf(ends[count++], GATHER_END_SIZE, ":{%s}", r->tags->of[at]);
    }
    return count;
}

// With a key, or NULL.
static void gather_frame(struct redis_call *c, const struct redis_script *script, const char *key,
                         const int64_t *args, size_t args_count, char ends[][GATHER_END_SIZE], size_t slots) {
    char texts[GATHER_ARGS][24];
    const char *argv[4 + GATHER_ARGS + GATHER_SLOTS] = {"EVALSHA", script->sha, key ? "1" : "0", key};
    size_t lens[4 + GATHER_ARGS + GATHER_SLOTS], count = key ? 4 : 3;
    for (size_t i = 0; i < args_count; i++) {
        snprintf(texts[i], sizeof texts[i], "%" PRId64, args[i]);
        argv[count++] = texts[i];
    }
    for (size_t i = 0; i < slots; i++) argv[count++] = ends[i];
    for (size_t i = 0; i < count; i++) lens[i] = strlen(argv[i]);
    redis_call_send_raw(c, script->name, (int)count, argv, lens);
}

void redis_gather_send(struct redis_call *c, const struct redis_script *script, const int64_t *args,
                       size_t args_count, char ends[][GATHER_END_SIZE], size_t slots) {
    gather_frame(c, script, NULL, args, args_count, ends, slots);
}

void redis_gather_send_alone(struct redis_call *c, const struct redis_script *script, const int64_t *args,
                             size_t args_count, unsigned slot) {
    char end[1][GATHER_END_SIZE], key[sizeof "chorus:mapped" + GATHER_END_SIZE];
    snprintf(end[0], sizeof end[0], ":{%s}", c->redis->tags->of[slot]);
    snprintf(key, sizeof key, "chorus:mapped%s", end[0]);
    c->pinned = NULL;
    gather_frame(c, script, key, args, args_count, end, 1);
}

static void gather_end(struct redis_call *c, enum engine_status status) {
    const struct gathering *g = c->more;
    g->what.end(g->what.arg, status);
    for (size_t i = 0; i < g->kept_count; i++) redis_reply_free(g->kept[i]);
    free(g->kept);
    redis_call_free(c);
}

// The first of those that were missed goes ahead by itself and finds out where it is; the others are asked
// for after it, at the servers that have them by then. Returns false if there is none.
static bool gather_send_missed(struct redis_call *c) {
    struct gathering *g = c->more;
    const bool *first = memchr(g->missed, 1, sizeof g->missed);
    if (!first || !g->what.is_whole) return false;
    g->is_again = true;
    g->slot = 0;
    g->asked = (unsigned)(first - g->missed);
    g->asked_count = 1;
    redis_gather_send_alone(c, g->what.script, g->what.args, g->what.count, g->asked);
    return true;
}

// Returns false if there is nothing left to ask.
static bool gather_send(struct redis_call *c) {
    struct gathering *g = c->more;
    char ends[GATHER_SLOTS][GATHER_END_SIZE];
    size_t slots = redis_gather_stretch(c->redis, &g->slot, g->is_again ? g->missed : NULL, ends, &c->pinned);
    if (!slots) return gather_send_missed(c);
    g->asked = g->slot;
    g->asked_count = slots;
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

// Reads which of those that were asked for could not be read.
static bool gather_note_missed(struct redis_call *c, const redisReply *list) {
    struct gathering *g = c->more;
    size_t count;
    int64_t at;
    if (!redis_reply_array(list, &count)) return false;
    memset(&g->missed[g->asked], false, g->asked_count * sizeof *g->missed);
    for (size_t i = 0; i < count; i++) {
        if (!redis_reply_integer(redis_reply_item(list, i), &at) || at < 0 || (size_t)at >= g->asked_count)
            return false;
        g->missed[g->asked + (size_t)at] = true;
    }
    if (count && c->redis->owners) c->redis->on_unsettled(c->redis);
    return true;
}

static void on_gathered(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct gathering *g = c->more;
    if (status == ENGINE_OK) gather_keep(g, redis_conn_keep_reply(c->node->commands));
    if (status == ENGINE_OK && (!gather_note_missed(c, redis_reply_item(reply, 0)) ||
                                !g->what.take(g->what.arg, redis_reply_item(reply, 1))))
        status = redis_call_unexpected(c, reply);
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
