#include "redis_room.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "redis_core.h"
#include "redis_gather.h"
#include "redis_reply.h"

// Appends

// One argument, since each costs Redis more than what is done with it.

void redis_room_add_gate(struct redis_args *a, const struct engine_gate *g) {
    redis_args_format(a, "%s%s %" PRIu64 " %" PRId64 " %s %d %s", g->checks == GATE_HOLD ? "+" : "",
                      g->author, g->text, g->length, g->id,
                      g->checks == GATE_HOLD ? (int)GATE_ALL : (int)g->checks, g->badges);
}

bool redis_room_read_refusal(const redisReply *reply, struct engine_refusal *refusal) {
    const char *why = redis_reply_text(redis_reply_item(reply, 1), NULL);
    const char *number = redis_reply_text(redis_reply_item(reply, 2), NULL);
    if (!redis_reply_is_text(redis_reply_item(reply, 0), "refused") || !why || !number ||
        !redis_reply_integer(redis_reply_item(reply, 3), &refusal->waiting))
        return false;
    refusal->number = strtoll(number, NULL, 10);
    return room_refusal_named(why, &refusal->why);
}

// Rooms

static bool read_room(const redisReply *reply, struct engine_room *room) {
    size_t len;
    const char *text = redis_reply_text(reply, &len);
    *room = (struct engine_room){0};
    return !text || !len || room_read(room, text);
}

static void on_rooms_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct engine_room rooms[ENGINE_SETTINGS_BATCH];
    size_t count;
    redis_reply_array(reply, &count);
    if (status == ENGINE_OK && (!count || count > ENGINE_SETTINGS_BATCH))
        status = redis_call_unexpected(c, reply);
    for (size_t i = 0; status == ENGINE_OK && i < count; i++)
        if (!read_room(redis_reply_item(reply, i), &rooms[i])) status = redis_call_unexpected(c, reply);
    c->on.rooms(c->arg, status, status == ENGINE_OK ? rooms : NULL);
    redis_call_free(c);
}

// In a Cluster rooms are in different slots: each is read by a call of its own, whose text is where it stands
// in the list.

struct rooms_of_slots {
    engine_rooms_cb *cb;
    void *arg;
    enum engine_status status;
    size_t left, count;
    struct engine_room rooms[ENGINE_SETTINGS_BATCH];
};

static void on_room_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct rooms_of_slots *all = c->arg;
    size_t at;
    memcpy(&at, c->text, sizeof at);
    if (status == ENGINE_OK && !read_room(reply, &all->rooms[at])) status = redis_call_unexpected(c, reply);
    if (status != ENGINE_OK) all->status = status;
    redis_call_free(c);
    if (--all->left) return;
    all->cb(all->arg, all->status, all->status == ENGINE_OK ? all->rooms : NULL);
    free(all);
}

static void read_rooms_of_slots(struct redis *r, const char *const *videos, size_t count, engine_rooms_cb *cb,
                                void *arg) {
    struct rooms_of_slots *all = mem_zalloc(sizeof *all);
    all->cb = cb;
    all->arg = arg;
    all->left = count;
    for (size_t i = 0; i < count; i++) {
        struct redis_call *c = redis_call_new(r, on_room_read, &i, sizeof i);
        struct redis_args a = {0};
        redis_args_text(&a, "GET");
        redis_args_format(&a, REDIS_ROOM_KEY, videos[i]);
        c->arg = all;
        redis_call_send(c, &a);
    }
}

void redis_rooms_read(struct engine *engine, const char *const *videos, size_t count, engine_rooms_cb *cb,
                      void *arg) {
    struct redis *r = (struct redis *)engine;
    if (r->owners) {
        read_rooms_of_slots(r, videos, count, cb, arg);
        return;
    }
    struct redis_call *c = redis_call_new(r, on_rooms_read, NULL, 0);
    char keys[ENGINE_SETTINGS_BATCH][ENGINE_VIDEO_MAX + sizeof "{video:}:room"];
    const char *argv[1 + ENGINE_SETTINGS_BATCH] = {"MGET"};
    size_t lens[1 + ENGINE_SETTINGS_BATCH] = {4};
    assert(count && count <= ENGINE_SETTINGS_BATCH);
    for (size_t i = 0; i < count; i++) {
        lens[1 + i] = (size_t)snprintf(keys[i], sizeof keys[i], REDIS_ROOM_KEY, videos[i]);
        argv[1 + i] = keys[i];
    }
    c->on.rooms = cb;
    c->arg = arg;
    redis_call_send_raw(c, argv[0], (int)(1 + count), argv, lens);
}

static bool reply_is_full(const redisReply *reply) {
    return redis_reply_is_text(redis_reply_item(reply, 0), "full");
}

static void on_room_written(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct engine_room room;
    if (status == ENGINE_OK && reply_is_full(reply)) status = ENGINE_FULL;
    if (status == ENGINE_OK && (!redis_reply_text(reply, NULL) || !read_room(reply, &room)))
        status = redis_call_unexpected(c, reply);
    c->on.rooms(c->arg, status, status == ENGINE_OK ? &room : NULL);
    redis_call_free(c);
}

static void add_room_keys(struct redis_args *a, const struct redis *r, const char *video) {
    redis_args_format(a, REDIS_ROOM_KEY, video);
    redis_args_format(a, "{video:%s}:bans", video);
    redis_args_format(a, REDIS_AUDIT_KEY, video);
    redis_args_shard(a, r, video);
}

void redis_room_write(struct engine *engine, const char *video, const struct engine_room *room,
                      const char *note, engine_rooms_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_room_written, NULL, 0);
    struct redis_args a = {0};
    struct engine_room next = *room;
    char text[ROOM_TEXT_SIZE];
    next.revision++;
    room_write(text, &next);
    redis_args_sharded(&a, r, &redis_script_room_write, 3);
    add_room_keys(&a, r, video);
    redis_args_text(&a, video);
    redis_args_format(&a, "%" PRIu64, room->revision);
    redis_args_text(&a, text);
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_args_number(&a, redis_max_videos(r));
    redis_args_text(&a, note ? note : "");
    c->on.rooms = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// Bans. The call's text is the user.

static void on_ban_written(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct engine_ban ban = {.user = c->text, .shadow = c->more != NULL};
    const char *until = redis_reply_text(redis_reply_item(reply, 0), NULL);
    size_t count;
    if (status == ENGINE_OK && reply_is_full(reply)) status = ENGINE_FULL;
    if (status == ENGINE_OK && (!redis_reply_array(reply, &count) || (count && !until)))
        status = redis_call_unexpected(c, reply);
    bool is_banned = status == ENGINE_OK && until;
    if (is_banned) ban.until_ms = strtoll(until, NULL, 10);
    c->on.bans(c->arg, status, is_banned ? &ban : NULL, is_banned);
    redis_call_free(c);
}

void redis_ban_write(struct engine *engine, const char *video, const char *user, int64_t for_ms, bool shadow,
                     const char *note, engine_bans_cb *cb, void *arg) {
    static const struct engine_room none;
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_ban_written, user, strlen(user) + 1);
    struct redis_args a = {0};
    char text[ROOM_TEXT_SIZE];
    room_write(text, &none);
    redis_args_sharded(&a, r, &redis_script_ban_write, 3);
    add_room_keys(&a, r, video);
    redis_args_text(&a, video);
    redis_args_text(&a, user);
    redis_args_number(&a, for_ms);
    redis_args_text(&a, shadow ? "1" : "0");
    redis_args_text(&a, text);
    redis_args_number(&a, REDIS_KEEP_MS);
    redis_args_number(&a, redis_max_videos(r));
    redis_args_number(&a, ROOM_BANS);
    redis_args_text(&a, note ? note : "");
    if (shadow) c->more = mem_zalloc(1);
    c->on.bans = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// Returns whether it is in force.
static bool read_ban(const redisReply *user, const redisReply *value, int64_t now_ms,
                     struct engine_ban *ban) {
    const char *text = redis_reply_text(value, NULL);
    int64_t shadow;
    *ban = (struct engine_ban){.user = redis_reply_text(user, NULL)};
    if (!ban->user || !text || !room_next_number(&text, &ban->until_ms) || !room_next_number(&text, &shadow))
        return false;
    ban->shadow = shadow;
    return !ban->until_ms || ban->until_ms > now_ms;
}

static void on_bans_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    size_t items = 0, count = 0;
    if (status == ENGINE_OK && !redis_reply_array(reply, &items)) status = redis_call_unexpected(c, reply);
    struct engine_ban *bans = mem_alloc((items / 2 + 1) * sizeof *bans);
    int64_t now_ms = redis_clock_ms(c->redis, c->text);
    for (size_t i = 0; status == ENGINE_OK && i + 1 < items; i += 2)
        count += read_ban(redis_reply_item(reply, i), redis_reply_item(reply, i + 1), now_ms, &bans[count]);
    c->on.bans(c->arg, status, status == ENGINE_OK ? bans : NULL, count);
    free(bans);
    redis_call_free(c);
}

void redis_bans_read(struct engine *engine, const char *video, engine_bans_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_bans_read, video, strlen(video));
    char key[ENGINE_VIDEO_MAX + sizeof "{video:}:bans"];
    size_t len = (size_t)snprintf(key, sizeof key, "{video:%s}:bans", video);
    c->on.bans = cb;
    c->arg = arg;
    redis_call_send_raw(c, "HGETALL", 2, (const char *const[]){"HGETALL", key}, (const size_t[]){7, len});
}

// Comments that wait. The call's text is the video.

// Reads a record as append.lua writes it.
static bool read_held(const char *video, const redisReply *id, const redisReply *record,
                      struct engine_held *h) {
    size_t len;
    int64_t allows;
    const char *text = redis_reply_text(record, &len);
    *h = (struct engine_held){.video = video, .id = redis_reply_text(id, NULL)};
    if (!h->video || !h->id || !text) return false;
    const char *end = text + len;
    if (!room_next_number(&text, &h->due_ms) || !room_next_number(&text, &allows) ||
        !room_next_number(&text, &h->at_ms) || end - text < 1 + ENGINE_DIGEST)
        return false;
    h->allows = allows;
    memcpy(h->digest, text + 1, ENGINE_DIGEST);
    h->author = text + 1 + ENGINE_DIGEST;
    char *space = memchr(h->author, ' ', (size_t)(end - h->author));
    if (!space) return false;
    *space = 0; // the reply is ours
    h->body = space + 1;
    h->body_len = (size_t)(end - h->body);
    return true;
}

static int compare_held(const void *a, const void *b) {
    const struct engine_held *x = a, *y = b;
    return x->due_ms < y->due_ms ? -1 : x->due_ms > y->due_ms;
}

static void on_held_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    size_t items = 0, count = 0;
    if (status == ENGINE_OK && !redis_reply_array(reply, &items)) status = redis_call_unexpected(c, reply);
    struct engine_held *list = mem_alloc((items + 1) * sizeof *list);
    for (size_t i = 0; status == ENGINE_OK && i + 2 <= items; i += 2)
        count += read_held(c->text, redis_reply_item(reply, i), redis_reply_item(reply, i + 1), &list[count]);
    qsort(list, count, sizeof *list, compare_held);
    c->on.held(c->arg, status, status == ENGINE_OK ? list : NULL, count);
    free(list);
    redis_call_free(c);
}

// Those of any video that are due.

struct held_gathered {
    engine_held_cb *cb;
    void *arg;
    struct engine_held *list;
    size_t count;
};

static bool take_held(void *arg, const redisReply *reply) {
    struct held_gathered *g = arg;
    size_t items;
    if (!redis_reply_array(reply, &items)) return false;
    struct engine_held *list = mem_alloc((g->count + items / 3 + 1) * sizeof *list);
    if (g->count) memcpy(list, g->list, g->count * sizeof *list);
    free(g->list);
    g->list = list;
    for (size_t i = 0; i + 3 <= items; i += 3)
        g->count +=
            read_held(redis_reply_text(redis_reply_item(reply, i), NULL), redis_reply_item(reply, i + 1),
                      redis_reply_item(reply, i + 2), &list[g->count]);
    return true;
}

static void on_held_gathered(void *arg, enum engine_status status) {
    struct held_gathered *g = arg;
    if (g->count) qsort(g->list, g->count, sizeof *g->list, compare_held);
    size_t count = g->count < ENGINE_HELD_DUE ? g->count : ENGINE_HELD_DUE;
    g->cb(g->arg, status, status == ENGINE_OK ? g->list : NULL, status == ENGINE_OK ? count : 0);
    free(g->list);
    free(g);
}

static void held_gather(struct redis *r, engine_held_cb *cb, void *arg) {
    struct held_gathered *g = mem_zalloc(sizeof *g);
    g->cb = cb;
    g->arg = arg;
    redis_gather(r, &(struct redis_gather){.script = &redis_script_held_due,
                                           .args = {ENGINE_HELD_DUE},
                                           .count = 1,
                                           .take = take_held,
                                           .end = on_held_gathered,
                                           .arg = g});
}

void redis_held_read(struct engine *engine, const char *video, engine_held_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    if (!video) {
        held_gather(r, cb, arg);
        return;
    }
    struct redis_call *c = redis_call_new(r, on_held_read, video, strlen(video) + 1);
    char key[ENGINE_VIDEO_MAX + sizeof "{video:}:held"];
    size_t len = (size_t)snprintf(key, sizeof key, "{video:%s}:held", video);
    c->on.held = cb;
    c->arg = arg;
    redis_call_send_raw(c, "HGETALL", 2, (const char *const[]){"HGETALL", key}, (const size_t[]){7, len});
}

static void on_held_dropped(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    int64_t dropped = 0, left = 0;
    if (status == ENGINE_OK && (!redis_reply_integer(redis_reply_item(reply, 0), &dropped) ||
                                !redis_reply_integer(redis_reply_item(reply, 1), &left)))
        status = redis_call_unexpected(c, reply);
    if (status == ENGINE_OK && !dropped) status = ENGINE_NOT_FOUND;
    c->on.drop(c->arg, status, left);
    redis_call_free(c);
}

void redis_held_drop(struct engine *engine, const char *video, const char *id, const char *note,
                     engine_drop_cb *cb, void *arg) {
    struct redis *r = (struct redis *)engine;
    struct redis_call *c = redis_call_new(r, on_held_dropped, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_held_drop, 3);
    redis_args_format(&a, "{video:%s}:held", video);
    redis_args_of_all(&a, r, "chorus:held", video);
    redis_args_format(&a, REDIS_AUDIT_KEY, video);
    redis_args_text(&a, video);
    redis_args_text(&a, id);
    redis_args_text(&a, note ? note : "");
    redis_args_number(&a, REDIS_KEEP_MS);
    c->on.drop = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// The audit trail

static void on_audit_read(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    enum { MOST = ENGINE_NOTES + ENGINE_NOTES_AUTOMATIC };
    const char *notes[MOST];
    size_t items = 0, count = 0;
    if (status == ENGINE_OK && !redis_reply_array(reply, &items)) status = redis_call_unexpected(c, reply);
    for (size_t i = 0; status == ENGINE_OK && i < items && count < MOST; i++) {
        notes[count] = redis_reply_text(redis_reply_item(reply, i), NULL);
        if (notes[count]) count++;
    }
    c->on.audit(c->arg, status, status == ENGINE_OK ? notes : NULL, count);
    redis_call_free(c);
}

void redis_audit_read(struct engine *engine, const char *video, engine_audit_cb *cb, void *arg) {
    struct redis_call *c = redis_call_new((struct redis *)engine, on_audit_read, NULL, 0);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_audit_read, 1);
    redis_args_format(&a, REDIS_AUDIT_KEY, video);
    c->on.audit = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}
