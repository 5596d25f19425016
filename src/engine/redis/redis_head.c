#include "redis_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "redis_core.h"
#include "redis_log.h"
#include "redis_reply.h"
#include "redis_room.h"

#include <utlist.h>

enum { KEY_SIZE = ENGINE_VIDEO_MAX + sizeof "{video:}:room" };

static void send_head(struct redis_call *c, const struct redis_script *script) {
    struct redis *r = c->redis;
    const struct position *known = c->more;
    struct redis_args a = {0};
    redis_args_sharded(&a, r, script, 3);
    redis_args_log(&a, c->text);
    redis_args_format(&a, REDIS_ROOM_KEY, c->text);
    redis_args_shard(&a, r, c->text);
    redis_args_place(&a, r, c->text, *known,
                     NULL); // as it is: what is higher could hide what an older epoch has lost
    redis_args_number(&a, redis_max_videos(r));
    redis_call_send(c, &a);
}

static void on_head_when_full(struct redis_call *, enum engine_status, const redisReply *);

static void head_call_back(struct redis_call *c, enum engine_status status, const struct engine_head *head) {
    if (status == ENGINE_OK && position_is_plausible(head->at))
        last_positions_note_epoch(&c->redis->last_positions, head->at.epoch);
    c->on.head(c->arg, status, status == ENGINE_OK ? head : NULL);
    redis_call_free(c);
}

static void on_head(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct engine_head head = {0};
    int64_t over = 0;
    if (status == ENGINE_STORE_FULL && c->on_reply == on_head) {
        c->on_reply = on_head_when_full;
        send_head(c, &redis_script_head_when_full);
        return;
    }
    if (status == ENGINE_OK && redis_reply_is_text(redis_reply_item(reply, 0), "full")) status = ENGINE_FULL;
    if (status == ENGINE_OK &&
        (!redis_read_position(redis_reply_item(reply, 0), &head.at) || !position_is_set(head.at) ||
         !redis_read_position(redis_reply_item(reply, 1), &head.before) ||
         !redis_reply_integer(redis_reply_item(reply, 2), &over)))
        status = redis_call_unexpected(c, reply);
    head.over = over != 0;
    head_call_back(c, status, &head);
}

static void on_head_when_full(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    on_head(c, status, reply);
}

// Several at once

// The calls that one call of the script stands for.
struct heads {
    size_t count;
    struct redis_call *of[HEADS_AT_ONCE];
};

static void head_take(struct redis_call *c, enum engine_status status, int64_t found) {
    if (status != ENGINE_OK)
        on_head(c, status, NULL);
    else if (found < 0)
        send_head(c, &redis_script_head);
    else
        head_call_back(c, ENGINE_OK,
                       &(struct engine_head){.at = *(const struct position *)c->more, .over = found != 0});
}

static void on_heads(struct redis_call *all, enum engine_status status, const redisReply *reply) {
    const struct heads *h = all->more;
    size_t count = 0;
    if (status == ENGINE_OK && (!redis_reply_array(reply, &count) || count != h->count))
        status = redis_call_unexpected(all, reply);
    for (size_t i = 0; i < h->count; i++) {
        int64_t found = -1;
        if (status == ENGINE_OK) redis_reply_integer(redis_reply_item(reply, i), &found);
        head_take(h->of[i], status, found);
    }
    redis_call_free(all);
}

static void heads_send(struct redis *r, const struct heads *heads) {
    struct redis_call *all = redis_call_new(r, on_heads, NULL, 0);
    char keys[2 * HEADS_AT_ONCE][KEY_SIZE], known[HEADS_AT_ONCE][POSITION_TEXT_SIZE], counts[2][24];
    const char *argv[4 + 3 * HEADS_AT_ONCE] = {"EVALSHA", redis_script_heads.sha, counts[0]};
    size_t lens[4 + 3 * HEADS_AT_ONCE], at = 3;
    snprintf(counts[0], sizeof counts[0], "%zu", 2 * heads->count);
    snprintf(counts[1], sizeof counts[1], "%" PRId64, REDIS_KEEP_MS);
    for (size_t i = 0; i < heads->count; i++) {
        const struct redis_call *c = heads->of[i];
        snprintf(keys[2 * i], KEY_SIZE, "{video:%s}:pos", c->text);
        snprintf(keys[2 * i + 1], KEY_SIZE, REDIS_ROOM_KEY, c->text);
        argv[at++] = keys[2 * i];
        argv[at++] = keys[2 * i + 1];
        position_format(*(const struct position *)c->more, known[i]);
        argv[4 + 2 * heads->count + i] = known[i];
    }
    argv[at++] = counts[1];
    at += heads->count;
    for (size_t i = 0; i < at; i++) lens[i] = strlen(argv[i]);
    all->more = mem_alloc(sizeof *heads);
    memcpy(all->more, heads, sizeof *heads);
    redis_call_send_raw(all, redis_script_heads.name, (int)at, argv, lens);
}

// Takes the first that wait, of which there is one: in a Cluster those of one slot.
static void heads_take(struct redis *r, struct heads *heads) {
    unsigned slot = r->owners ? redis_slot_of_video(r->heads->text) : 0;
    heads->count = 0;
    do {
        struct redis_call *c = r->heads;
        DL_DELETE(r->heads, c);
        heads->of[heads->count++] = c;
    } while (r->heads && heads->count < HEADS_AT_ONCE &&
             (!r->owners || redis_slot_of_video(r->heads->text) == slot));
}

static void on_ask_heads(struct loop_job *job) {
    struct redis *r = container_of(job, struct redis, ask_heads);
    struct heads heads;
    r->ask_heads_queued = false;
    while (r->heads) {
        heads_take(r, &heads);
        if (heads.count > 1)
            heads_send(r, &heads);
        else
            send_head(heads.of[0], &redis_script_head);
    }
}

void redis_head(struct engine *engine, const char *video, struct position known, engine_head_cb *cb,
                void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_head, video, strlen(video));
    c->more = mem_alloc(sizeof known);
    memcpy(c->more, &known, sizeof known);
    c->on.head = cb;
    c->arg = arg;
    if (r->is_closed || !position_is_set(known) || !position_is_plausible(known)) {
        send_head(c, &redis_script_head);
        return;
    }
    DL_APPEND(r->heads, c);
    if (!r->ask_heads_queued) loop_defer(r->loop, &r->ask_heads);
    r->ask_heads_queued = true;
}

void redis_heads_start(struct redis *r) {
    r->ask_heads.run = on_ask_heads;
}

void redis_heads_close(struct redis *r) {
    while (r->heads) {
        struct redis_call *c = r->heads;
        DL_DELETE(r->heads, c);
        redis_call_refuse(c, ENGINE_CLOSED);
    }
}
