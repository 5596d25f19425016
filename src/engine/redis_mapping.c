// A mapping is a key of its own, as the original system has it. Beside them stands `chorus:mapped`, a sorted
// set of the mapped videos by last use: to count them, to show the newest, and to bound them. It is kept
// beside, not together: the key is what counts.
#include "engine/redis_mapping.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/redis_core.h"
#include "engine/redis_reply.h"

// Marks a video as used now: microseconds, so that two of the same moment keep their order.
static void mark_mapped(struct redis *r, const char *video) {
    struct redis_args a = {0};
    int64_t now_us = redis_clock_ms(r) * 1000;
    r->last_mark_us = now_us > r->last_mark_us ? now_us : r->last_mark_us + 1;
    redis_args_text(&a, "ZADD");
    redis_args_text(&a, "chorus:mapped");
    redis_args_number(&a, r->last_mark_us);
    redis_args_text(&a, video);
    redis_tell(r, &a);
}

static void unmark_mapped(struct redis *r, const char *video) {
    struct redis_args a = {0};
    redis_args_text(&a, "ZREM");
    redis_args_text(&a, "chorus:mapped");
    redis_args_text(&a, video);
    redis_tell(r, &a);
}

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

// lookup

static void on_looked_up(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    const char *reader = redis_reply_text(reply, NULL);
    if (reader) mark_mapped(c->redis, c->text);
    if (status == ENGINE_OK && !reader)
        status = redis_reply_is_nil(reply) ? ENGINE_NOT_FOUND : redis_call_unexpected(c, reply);
    answer_mapping(c, status, reader, false);
}

static void send_lookup(struct redis_call *c) {
    struct redis_args a = {0};
    redis_args_text(&a, "GETEX");
    redis_args_format(&a, "video:%s:reader", c->text);
    redis_args_text(&a, "PX");
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_call_send(c, &a);
}

void redis_lookup(struct engine *engine, const char *video, engine_mapping_cb *cb, void *arg) {
    send_lookup(mapping_call((struct redis *)engine, video, cb, arg, on_looked_up));
}

// assign

static void on_assigned(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    bool changed = redis_reply_is_nil(reply);
    const char *reader = redis_reply_text(reply, NULL);
    if (changed) {
        reader = c->more;
        c->redis->mappings++;
        mark_mapped(c->redis, c->text);
    } else if (status == ENGINE_OK && !reader) {
        status = redis_call_unexpected(c, reply);
    }
    answer_mapping(c, status, reader, changed);
}

static void on_looked_up_when_full(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    if (redis_reply_is_nil(reply))
        answer_mapping(c, ENGINE_FULL, NULL, false);
    else
        on_looked_up(c, status, reply);
}

void redis_assign(struct engine *engine, const char *video, const char *reader_url, engine_mapping_cb *cb,
                  void *arg) {
    struct redis *r = (struct redis *)engine;
    if (r->config.max_videos && r->mappings >= r->config.max_videos) {
        send_lookup(mapping_call(r, video, cb, arg, on_looked_up_when_full));
        return;
    }
    struct redis_call *c = mapping_call(r, video, cb, arg, on_assigned);
    struct redis_args a = {0};
    c->more = mem_strdup(reader_url);
    redis_args_text(&a, "SET");
    redis_args_format(&a, "video:%s:reader", video);
    redis_args_text(&a, reader_url);
    redis_args_text(&a, "NX");
    redis_args_text(&a, "GET");
    redis_args_text(&a, "PX");
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_call_send(c, &a);
}

// reassign, release

static void on_reassigned(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    const char *reader = redis_reply_text(redis_reply_item(reply, 0), NULL);
    int64_t changed = 0;
    size_t count;
    bool is_array = redis_reply_array(reply, &count);
    bool found = count == 2 && reader && redis_reply_integer(redis_reply_item(reply, 1), &changed);
    if (found) mark_mapped(c->redis, c->text);
    if (status == ENGINE_OK && !found)
        status = is_array && !count ? ENGINE_NOT_FOUND : redis_call_unexpected(c, reply);
    answer_mapping(c, status, found ? reader : NULL, changed != 0);
}

void redis_reassign(struct engine *engine, const char *video, const char *expected, const char *reader_url,
                    engine_mapping_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = mapping_call(r, video, cb, arg, on_reassigned);
    struct redis_args a = {0};
    redis_args_script(&a, r, SCRIPT_REASSIGN, 1);
    redis_args_format(&a, "video:%s:reader", video);
    redis_args_text(&a, expected);
    redis_args_text(&a, reader_url);
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_call_send(c, &a);
}

static void answer_done(struct redis_call *c, enum engine_status status) {
    c->on.done(c->arg, status);
    redis_call_free(c);
}

static void on_released(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t released = 0;
    if (status == ENGINE_OK && !redis_reply_integer(reply, &released))
        status = redis_call_unexpected(c, reply);
    if (released) {
        unmark_mapped(c->redis, c->text);
        if (c->redis->mappings) c->redis->mappings--;
    }
    answer_done(c, status);
}

void redis_release(struct engine *engine, const char *video, const char *expected, engine_done_cb *cb,
                   void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_released, video, strlen(video));
    struct redis_args a = {0};
    redis_args_script(&a, r, SCRIPT_RELEASE, 1);
    redis_args_format(&a, "video:%s:reader", video);
    redis_args_text(&a, expected);
    c->on.done = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// How many there are. Answers come in order, so what this process assigns meanwhile is counted on top.

static void on_counted(void *arg, const redisReply *reply) {
    struct redis *r = arg;
    int64_t count;
    if (redis_reply_integer(reply, &count)) r->mappings = (uint64_t)count;
}

void redis_mappings_count(struct redis *r) {
    struct redis_args drop = {0};
    if (!redis_serves(r)) return;
    redis_args_text(&drop, "ZREMRANGEBYSCORE");
    redis_args_text(&drop, "chorus:mapped");
    redis_args_text(&drop, "-inf");
    redis_args_number(&drop, (redis_clock_ms(r) - REDIS_KEEP_MS) * 1000);
    redis_tell(r, &drop);
    redis_conn_send(r->commands, 2, (const char *const[]){"ZCARD", "chorus:mapped"}, NULL, on_counted, r);
}

// Counters

static void on_counter(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t after = 1;
    if (status == ENGINE_OK && !redis_reply_integer(reply, &after)) status = redis_call_unexpected(c, reply);
    c->on.counter(c->arg, status, (uint64_t)after - 1);
    redis_call_free(c);
}

void redis_counter_next(struct engine *engine, const char *name, engine_counter_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_counter, NULL, 0);
    struct redis_args a = {0};
    redis_args_text(&a, "INCR");
    redis_args_text(&a, name);
    c->on.counter = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}
