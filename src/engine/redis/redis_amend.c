#include "redis_amend.h"

#include "engine/hub.h"
#include "redis_core.h"
#include "redis_log.h"
#include "redis_reply.h"
#include "redis_room.h"

static bool amended_read(struct redis_call *c, const redisReply *reply, struct engine_entry *e,
                         int64_t *taken) {
    *e = (struct engine_entry){.kind = c->kind, .body = c->text, .body_len = c->text_len};
    return redis_reply_is_text(redis_reply_item(reply, 0), "ok") &&
           redis_read_position(redis_reply_item(reply, 1), &e->at) && position_is_set(e->at) &&
           redis_read_position(redis_reply_item(reply, 2), &e->prev) &&
           redis_reply_integer(redis_reply_item(reply, 3), taken);
}

static void on_amended(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct last_positions *all = &c->redis->last_positions;
    struct engine_entry e;
    int64_t taken = 0;
    bool stored = status == ENGINE_OK && amended_read(c, reply, &e, &taken);
    bool done = redis_reply_is_text(redis_reply_item(reply, 0), "done");
    if (status == ENGINE_OK && !stored && !done) status = redis_not_appended(c, reply);
    if (stored && position_is_plausible(e.at)) last_positions_note(all, c->last_position, e.at);
    last_positions_unref(all, c->last_position);
    c->on.amend(c->arg, status, stored ? &e : NULL, (size_t)taken);
    redis_call_free(c);
}

void redis_amend(struct engine *engine, const struct engine_amend *amend, engine_amend_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_amended, amend->body, amend->body_len);
    struct redis_args a = {0};
    struct position watched = hub_position(r->hub, amend->video), known = amend->known;
    static const struct engine_room none;
    char target[POSITION_TEXT_SIZE] = "", room[ROOM_TEXT_SIZE];
    room_write(room, &none);
    if (position_is_set(amend->target)) position_format(amend->target, target);
    redis_args_sharded(&a, r, &redis_script_amend, 5);
    redis_args_log(&a, amend->video);
    redis_args_format(&a, REDIS_ROOM_KEY, amend->video);
    redis_args_format(&a, REDIS_RETRACTED_KEY, amend->video);
    redis_args_format(&a, REDIS_AUDIT_KEY, amend->video);
    redis_args_shard(&a, r, amend->video);
    c->kind = amend->kind;
    c->last_position = last_positions_ref(&r->last_positions, amend->video);
    redis_args_place(&a, r, amend->video, position_compare(known, watched) > 0 ? known : watched,
                     c->last_position);
    redis_args_number(&a, redis_clock_ms(r, amend->video) + REDIS_APPEND_MS);
    redis_args_number(&a, amend->kind);
    redis_args_bytes(&a, amend->body_len ? amend->body : "", amend->body_len);
    redis_args_text(&a, target);
    redis_args_text(&a, amend->user ? amend->user : "");
    redis_args_text(&a, room);
    redis_args_text(&a, amend->note ? amend->note : "");
    redis_args_number(&a, redis_max_videos(r));
    c->is_confirmed = true;
    c->on.amend = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}
