// A mapping is a key of its own, as in the original system. Sorted sets of all videos by last use serve to
// count, list and bound them; see lua/shared/admit.lua.
#include "redis_mapping.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/hub.h"
#include "redis_core.h"
#include "redis_gather.h"
#include "redis_reply.h"

enum { PURGE_MS = 60000 };

static struct redis_call *mapping_call(struct redis *r, const char *video, engine_mapping_cb *cb, void *arg,
                                       void (*on_reply)(struct redis_call *, enum engine_status,
                                                        const redisReply *)) {
    struct redis_call *c = redis_call_new(r, on_reply, video, strlen(video));
    c->on.mapping = cb;
    c->arg = arg;
    return c;
}

static void answer_mapping(struct redis_call *c, enum engine_status status, const char *reader,
                           bool changed) {
    c->on.mapping(c->arg, status, reader, changed);
    redis_call_free(c);
}

// The arguments that the scripts of a mapping have in common.
static void add_mapping_args(struct redis_args *a, const struct redis *r, const struct redis_script *script,
                             const char *video) {
    redis_args_sharded(a, r, script, 1);
    redis_args_mapping(a, r, video);
    redis_args_shard(a, r, video);
    redis_args_text(a, video);
    redis_args_number(a, REDIS_KEEP_MS);
}

// lookup

static void on_looked_up(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    const char *reader = redis_reply_text(reply, NULL);
    if (status == ENGINE_OK && !reader)
        status = redis_reply_is_nil(reply) ? ENGINE_NOT_FOUND : redis_call_unexpected(c, reply);
    answer_mapping(c, status, reader, false);
}

void redis_lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = mapping_call(r, video, cb, arg, on_looked_up);
    struct redis_args a = {0};
    add_mapping_args(&a, r, &redis_script_lookup, c->text);
    redis_call_send(c, &a);
}

// assign, reassign, release

// Takes {reader, changed}, or {}, which means `otherwise`.
static void take_mapping(struct redis_call *c, enum engine_status status, const redisReply *reply,
                         enum engine_status otherwise) {
    const char *reader = redis_reply_text(redis_reply_item(reply, 0), NULL);
    int64_t changed = 0;
    size_t count;
    bool is_array = redis_reply_array(reply, &count);
    bool found = count == 2 && reader && redis_reply_integer(redis_reply_item(reply, 1), &changed);
    if (status == ENGINE_OK && !found)
        status = is_array && !count ? otherwise : redis_call_unexpected(c, reply);
    answer_mapping(c, status, found ? reader : NULL, changed != 0);
}

static void on_assigned(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    take_mapping(c, status, reply, ENGINE_FULL);
}

void redis_assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                  void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = mapping_call(r, video, cb, arg, on_assigned);
    struct redis_args a = {0};
    add_mapping_args(&a, r, &redis_script_assign, c->text);
    redis_args_text(&a, reader_url);
    redis_args_number(&a, redis_max_videos(r));
    redis_call_send(c, &a);
}

static void on_reassigned(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    take_mapping(c, status, reply, ENGINE_NOT_FOUND);
}

void redis_reassign(struct engine *engine, const char *video, const char *expected, const char *reader_url,
                    engine_mapping_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = mapping_call(r, video, cb, arg, on_reassigned);
    struct redis_args a = {0};
    add_mapping_args(&a, r, &redis_script_reassign, c->text);
    redis_args_text(&a, expected);
    redis_args_text(&a, reader_url);
    redis_call_send(c, &a);
}

static void on_released(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t released = 0;
    if (status == ENGINE_OK && !redis_reply_integer(reply, &released))
        status = redis_call_unexpected(c, reply);
    c->on.done(c->arg, status);
    redis_call_free(c);
}

void redis_release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                   void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_released, video, strlen(video));
    struct redis_args a = {0};
    redis_args_sharded(&a, r, &redis_script_release, 1);
    redis_args_mapping(&a, r, video);
    redis_args_shard(&a, r, video);
    redis_args_text(&a, c->text);
    redis_args_text(&a, expected);
    c->on.done = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// Sets of readers

static void answer_set(struct redis_call *c, enum engine_status status, const char *text, bool written) {
    struct engine_set set = {.text = "", .written = written};
    char *end = NULL;
    if (text && *text) {
        set.generation = strtoull(text, &end, 10);
        set.text = *end == ' ' ? end + 1 : "";
    }
    c->on.set(c->arg, status, status == ENGINE_OK ? &set : NULL);
    redis_call_free(c);
}

static void on_set_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    const char *text = redis_reply_text(reply, NULL);
    if (status == ENGINE_OK && !text && !redis_reply_is_nil(reply)) status = redis_call_unexpected(c, reply);
    answer_set(c, status, text, false);
}

static void on_set_written(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    const char *text = redis_reply_text(redis_reply_item(reply, 0), NULL);
    int64_t written = 0;
    bool well = text && redis_reply_integer(redis_reply_item(reply, 1), &written);
    if (status == ENGINE_OK && !well) status = redis_call_unexpected(c, reply);
    answer_set(c, status, text, written != 0);
}

static struct redis_call *set_call(struct engine *engine, struct redis_args *a,
                                   const struct redis_script *script, const char *video, engine_set_cb *cb,
                                   void *arg) {
    bool reads = script == &redis_script_set_read;
    struct redis_call *c =
        redis_call_new((struct redis *)engine, reads ? on_set_read : on_set_written, NULL, 0);
    redis_args_script(a, script, 1);
    redis_args_format(a, "{video:%s}:set", video);
    c->on.set = cb;
    c->arg = arg;
    return c;
}

void redis_set_read(struct engine *engine, const char *video, engine_set_cb *cb, void *arg) {
    struct redis_args a = {0};
    struct redis_call *c = set_call(engine, &a, &redis_script_set_read, video, cb, arg);
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_call_send(c, &a);
}

void redis_set_write(struct engine *engine, const char *video, uint64_t generation, const char *text,
                     engine_set_cb *cb, void *arg) {
    struct redis_args a = {0};
    struct redis_call *c = set_call(engine, &a, &redis_script_set_write, video, cb, arg);
    size_t size = strlen(text) + 24;
    char *set = mem_alloc(size);
    assert(*text && strlen(text) <= ENGINE_SET_MAX);
    snprintf(set, size, "%" PRIu64 " %s", generation + 1, text);
    redis_args_format(&a, "%" PRIu64, generation);
    redis_args_text(&a, set);
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_call_send(c, &a);
    free(set);
}

// Notes of watched videos

static void watch_send(struct redis *r, const char *const *videos, size_t count, bool watched) {
    struct redis_node *n = redis_node_of_video(r, videos[0]);
    struct redis_args key = {0};
    char keep[24];
    const char *argv[6 + ENGINE_WATCH_MAX] = {"EVALSHA", redis_script_watch.sha, "1", NULL,
                                              keep,      watched ? "1" : "0"};
    redis_args_of_all(&key, r, "chorus:watched", videos[0]);
    argv[3] = key.at[0];
    snprintf(keep, sizeof keep, "%lld", (long long)REDIS_KEEP_MS);
    for (size_t i = 0; i < count; i++) argv[6 + i] = videos[i];
    if (n && redis_node_serves(n)) redis_conn_send(n->commands, (int)(6 + count), argv, NULL, NULL, NULL);
}

// In a Cluster they are in different slots, and so in different commands.
void redis_watch(struct engine *engine, const char *const *videos, size_t count, bool watched) {
    struct redis *r = (struct redis *)engine;
    const char *some[ENGINE_WATCH_MAX];
    size_t found = 0;
    assert(count <= ENGINE_WATCH_MAX);
    for (size_t i = 0; i < count; i++)
        if (watched || !hub_is_shared(r->hub, videos[i])) some[found++] = videos[i];
    if (!r->owners && found) watch_send(r, some, found, watched);
    for (size_t i = 0; r->owners && i < found; i++) watch_send(r, &some[i], 1, watched);
}

// Removes videos whose keys have expired from the sets.

static bool take_purged(void *arg, const redisReply *reply) {
    int64_t done;
    (void)arg;
    return redis_reply_integer(reply, &done);
}

static void on_purged(void *arg, enum engine_status status) {
    (void)arg, (void)status; // it is done again
}

void redis_mappings_purge(struct redis *r) {
    int64_t now_ms = loop_now_ms(r->loop), at_ms = now_ms + (r->nodes ? r->nodes->clock_offset_ms : 0);
    if (!redis_serves(r) || now_ms - r->purged_ms < PURGE_MS) return;
    r->purged_ms = now_ms;
    redis_gather(r, &(struct redis_gather){.script = &redis_script_purge,
                                           .args = {(at_ms - REDIS_KEEP_MS) * 1000},
                                           .count = 1,
                                           .is_upkeep = true,
                                           .take = take_purged,
                                           .end = on_purged});
}

// Counters

static void on_counter(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t before = 0;
    if (status == ENGINE_OK && !redis_reply_integer(reply, &before)) status = redis_call_unexpected(c, reply);
    c->on.counter(c->arg, status, (uint64_t)before);
    redis_call_free(c);
}

void redis_counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_counter, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_counter, 1);
    redis_args_text(&a, name);
    c->on.counter = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}
