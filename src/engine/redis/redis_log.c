#include "redis_log.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/hub.h"
#include "redis_confirm.h"
#include "redis_core.h"
#include "redis_entry.h"
#include "redis_reply.h"
#include "redis_room.h"
#include "redis_slots.h"

#include <utlist.h>

// A range is a small request whose answer may be megabytes, which Redis holds until we have read them: many
// viewers that return to many videos at the same time must not make it hold all of theirs.
enum { RANGES_AT_ONCE = 16, CHECK_KEEP_MS = 10000 };

void redis_args_log(struct redis_args *a, const char *video) {
    redis_args_format(a, "{video:%s}:log", video);
    redis_args_format(a, "{video:%s}:pos", video);
}

// Appending

void redis_args_place(struct redis_args *a, const struct redis *r, const char *video, struct position known,
                      const struct last_position *v) {
    char text[POSITION_TEXT_SIZE] = "";
    if (v && position_compare(known, v->at) <= 0) {
        redis_args_text(a, v->text);
    } else {
        if (position_is_plausible(known)) position_format(known, text);
        redis_args_format(a, "%s", text);
    }
    redis_args_text(a, r->last_positions.epoch ? r->last_positions.epoch_text : "0");
    redis_args_format(a, "video:%s", video);
    redis_args_number(a, r->config.limits.log_age_ms);
    redis_args_number(a, REDIS_KEEP_MS);
}

bool redis_read_position(const redisReply *reply, struct position *p) {
    size_t len;
    const char *text = redis_reply_text(reply, &len);
    *p = (struct position){0};
    return text && (!len || position_parse(text, len, p));
}

static bool reply_is_full(const redisReply *reply) {
    return redis_reply_is_text(redis_reply_item(reply, 0), "full");
}

// What came of an append.
struct appended {
    struct engine_entry entry;
    struct engine_first first;
    bool repeated;
};

static bool read_appended(struct redis_call *c, const redisReply *reply, struct appended *a) {
    const redisReply *outcome = redis_reply_item(reply, 0);
    *a = (struct appended){.entry = {.kind = c->kind, .body = c->text, .body_len = c->text_len}};
    if (redis_reply_is_text(outcome, "ok"))
        return redis_read_position(redis_reply_item(reply, 1), &a->entry.at) &&
               position_is_set(a->entry.at) &&
               redis_read_position(redis_reply_item(reply, 2), &a->entry.prev);
    a->repeated = true;
    if (redis_reply_is_text(outcome, "repeat")) {
        const char *at_ms = redis_reply_text(redis_reply_item(reply, 2), NULL);
        if (at_ms) a->first.at_ms = strtoll(at_ms, NULL, 10);
        return at_ms && redis_read_position(redis_reply_item(reply, 1), &a->entry.at) &&
               position_is_set(a->entry.at);
    }
    // A repeat of an entry that an earlier version stored.
    size_t len;
    const char *json = redis_reply_text(redis_reply_item(reply, 1), &len);
    a->first.whole = true;
    return redis_reply_is_text(outcome, "whole") && json && entry_read(&a->entry, json, len);
}

enum engine_status redis_not_appended(struct redis_call *c, const redisReply *reply) {
    const redisReply *outcome = redis_reply_item(reply, 0);
    const char *clock_ms = redis_reply_text(redis_reply_item(reply, 1), NULL);
    if (redis_reply_is_text(outcome, "reused")) return ENGINE_KEY_REUSED;
    if (c->refusal && redis_room_read_refusal(reply, c->refusal)) return ENGINE_REFUSED;
    if (redis_reply_is_text(outcome, "none")) return ENGINE_NOT_FOUND;
    if (reply_is_full(reply)) return ENGINE_FULL;
    if (!redis_reply_is_text(outcome, "late") || !clock_ms) return redis_call_unexpected(c, reply);
    // Redis's clock was set forward, or Redis was busy for long: the next appends use its clock as it is now.
    c->node->clock_offset_ms = strtoll(clock_ms, NULL, 10) - loop_now_ms(c->redis->loop);
    return ENGINE_UNAVAILABLE;
}

static void on_appended(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct redis *r = c->redis;
    struct appended a;
    if (status == ENGINE_OK && !read_appended(c, reply, &a)) status = redis_not_appended(c, reply);
    bool ok = status == ENGINE_OK;
    if (ok && position_is_plausible(a.entry.at))
        last_positions_note(&r->last_positions, c->last_position, a.entry.at);
    last_positions_unref(&r->last_positions, c->last_position);
    const struct engine_entry refused = {.kind = c->kind, .body = c->text, .body_len = c->text_len};
    c->on.append(c->arg, status,
                 ok                         ? &a.entry
                 : status == ENGINE_REFUSED ? &refused
                                            : NULL,
                 ok && a.repeated ? &a.first : NULL);
    redis_call_free(c);
}

static void add_token_keys(struct redis_args *a, const struct redis *r, const char *video,
                           const struct engine_token *token) {
    redis_args_format(a, "{video:%s}:tokens", video);
    redis_args_format(a, "{video:%s}:tokens:older", video);
    redis_args_of_all(a, r, "chorus:tokens", video);
    redis_args_format(a, "{video:%s}:token:%s", video, token->old_name ? token->old_name : "");
}

static void add_kept(struct redis_args *a, const struct engine_limits *l) {
    redis_args_format(a, "%s%" PRIu64 " %" PRId64 " %" PRIu64, l->log_min_age_ms ? "" : "!", l->log_entries,
                      l->log_min_age_ms, l->log_video_bytes);
}

static void add_token(struct redis_args *a, const struct engine_token *token) {
    redis_args_bytes(a, token->name, sizeof token->name);
    redis_args_bytes(a, token->digest, sizeof token->digest);
    redis_args_number(a, token->at_ms);
}

void redis_append(struct engine *engine, const struct engine_append *append, engine_append_cb *cb,
                  void *arg) {
    struct redis *r = (struct redis *)engine;
    assert(append->body_len ? append->kind != ENTRY_TOMBSTONE : append->kind != ENTRY_COMMENT);
    struct redis_call *c = redis_call_new(r, on_appended, append->body, append->body_len);
    struct redis_args a = {0};
    redis_args_script(&a, &redis_script_append, (append->token ? 7 : 3) + (append->gate != NULL));
    redis_args_log(&a, append->video);
    redis_args_of_all(&a, r, "chorus:comments", append->video);
    if (append->token) add_token_keys(&a, r, append->video, append->token);
    if (append->gate) redis_args_format(&a, REDIS_ROOM_KEY, append->video);
    c->kind = append->kind;
    c->last_position = last_positions_ref(&r->last_positions, append->video);
    redis_args_place(&a, r, append->video, position_max(append->known, hub_position(r->hub, append->video)),
                     c->last_position);
    redis_args_number(&a, redis_clock_ms(r, append->video) + REDIS_APPEND_MS);
    add_kept(&a, &r->config.limits);
    redis_args_number(&a, append->kind);
    redis_args_bytes(&a, c->text, c->text_len);
    if (append->token) add_token(&a, append->token);
    if (append->gate) redis_room_add_gate(&a, append->gate);
    redis_args_number(&a, redis_max_videos(r));
    if (append->gate) c->refusal = append->gate->refusal;
    c->is_confirmed = true;
    c->on.append = cb;
    c->arg = arg;
    redis_call_send(c, &a);
}

// In a Cluster the tag of a slot of the server that is checked; one that has lost its slots refuses any.
static const char *check_tag(const struct redis_node *n) {
    const char *tag = redis_node_tag(n);
    return tag || !n->redis->owners ? tag : n->redis->tags->of[REDIS_SLOTS - 1];
}

// The log is none that a video could have; in a Cluster it is in a slot of that server.
void redis_log_check(struct redis_node *n, redis_reply_cb *on_checked) {
    struct redis_args a = {0};
    const char *tag = check_tag(n);
    redis_args_script(&a, &redis_script_append, 3);
    redis_args_format(&a, tag ? "video:/check{%s}:log" : "{video:/check%s}:log", tag ? tag : "");
    redis_args_format(&a, tag ? "video:/check{%s}:pos" : "{video:/check%s}:pos", tag ? tag : "");
    redis_args_format(&a, tag ? "chorus:comments:{%s}" : "chorus:comments%s", tag ? tag : "");
    redis_args_text(&a, ""); // no known position
    redis_args_text(&a, "0");
    redis_args_format(&a, tag ? "video:/check{%s}" : "video:/check%s", tag ? tag : "");
    redis_args_number(&a, CHECK_KEEP_MS);
    redis_args_number(&a, CHECK_KEEP_MS);
    redis_args_number(&a, loop_now_ms(n->redis->loop) + n->clock_offset_ms + REDIS_APPEND_MS);
    redis_args_text(&a, "!1 0 0");
    redis_args_number(&a, ENTRY_TOMBSTONE);
    redis_args_text(&a, "");
    redis_args_text(&a, "-1"); // not to be counted as a video
    size_t len;
    char *frame = redis_conn_frame(a.count, a.at, a.len, &len);
    if (n->phase == REDIS_SERVING && n->confirm)
        redis_confirm_send(n->confirm, frame, len, on_checked, n);
    else
        redis_conn_send_framed(n->commands, frame, len, on_checked, n);
    redis_conn_frame_free(frame);
}

// Reading

static bool read_range(const redisReply *reply, struct engine_range *range, struct engine_entry **entries) {
    const redisReply *list = redis_reply_item(reply, 2);
    size_t count;
    int64_t more;
    if (!redis_read_position(redis_reply_item(reply, 0), &range->head) ||
        !redis_reply_integer(redis_reply_item(reply, 1), &more) || !redis_reply_array(list, &count))
        return false;
    *entries = mem_alloc((count + 1) * sizeof **entries);
    for (size_t i = 0; i < count; i++) {
        struct engine_entry *e = &(*entries)[range->count];
        if (redis_entry_of_log(e, redis_reply_item(list, i)) && position_is_set(e->at)) range->count++;
    }
    range->entries = *entries;
    range->more = more != 0;
    return true;
}

struct range_asked { // of the video that is the call's text
    const struct redis_script *script;
    struct position from;
    size_t limit;
    engine_replay_cb *replay; // NULL: it is asked without the times
};

static void send_range(struct redis_call *c) {
    struct redis *r = c->redis;
    const struct range_asked *asked = c->more;
    struct redis_args a = {0};
    char from[POSITION_TEXT_SIZE];
    position_format(asked->from, from);
    redis_args_script(&a, asked->script, 3);
    redis_args_log(&a, c->text);
    redis_args_format(&a, REDIS_RETRACTED_KEY, c->text);
    redis_args_text(&a, from);
    redis_args_number(&a, asked->limit < INT32_MAX ? (int64_t)asked->limit : INT32_MAX);
    redis_args_number(&a, r->config.limits.log_age_ms);
    if (asked->replay) redis_args_text(&a, "1");
    r->ranges++;
    redis_call_send(c, &a);
}

static void send_waiting_ranges(struct redis *r) {
    while (r->ranges_waiting && r->ranges < RANGES_AT_ONCE) {
        struct redis_call *c = r->ranges_waiting;
        DL_DELETE(r->ranges_waiting, c);
        r->ranges_waiting_count--;
        send_range(c);
    }
}

// Returns when each entry of the reply was logged; NULL: it does not fit.
static int64_t *read_times(const redisReply *reply, const struct engine_range *range) {
    const redisReply *list = redis_reply_item(reply, 3), *entries = redis_reply_item(reply, 2);
    size_t count, of;
    if (!redis_reply_array(list, &count) || !redis_reply_array(entries, &of) || count != of ||
        count != range->count)
        return NULL;
    int64_t *times = mem_zalloc((count + 1) * sizeof *times);
    for (size_t i = 0; i < count; i++) {
        const char *text = redis_reply_text(redis_reply_item(list, i), NULL);
        if (text) times[i] = strtoll(text, NULL, 10);
    }
    return times;
}

static void range_call_back(const struct redis_call *c, enum engine_status status,
                            const struct engine_range *range, const redisReply *reply) {
    engine_replay_cb *replay = ((const struct range_asked *)c->more)->replay;
    if (!replay) {
        c->on.range(c->arg, status, status == ENGINE_OK ? range : NULL);
        return;
    }
    int64_t *times = status == ENGINE_OK ? read_times(reply, range) : NULL;
    if (status == ENGINE_OK && !times) status = ENGINE_UNAVAILABLE;
    struct engine_replayed page = {.range = *range, .at_ms = times};
    replay(c->arg, status, times ? &page : NULL);
    free(times);
}

static void on_range(struct redis_call *c, enum engine_status status, const redisReply *reply) {
    struct redis *r = c->redis;
    struct engine_range range = {0};
    struct engine_entry *entries = NULL;
    if (status == ENGINE_OK && !read_range(reply, &range, &entries)) status = redis_call_unexpected(c, reply);
    r->ranges--;
    range_call_back(c, status, &range, reply);
    free(entries);
    redis_call_free(c);
    send_waiting_ranges(r);
}

static void redis_ask_range(struct redis *r, const char *video, struct range_asked what, engine_range_cb *cb,
                            void *arg) {
    struct redis_call *c = redis_call_new(r, on_range, video, strlen(video));
    c->more = mem_alloc(sizeof what);
    memcpy(c->more, &what, sizeof what);
    c->on.range = cb;
    c->arg = arg;
    if (!redis_serves(r)) {
        send_range(c); // to be refused
    } else if (r->ranges_waiting_count >= REDIS_WAITING_CALLS) {
        r->ranges++;
        redis_call_refuse(c, ENGINE_BUSY);
    } else {
        DL_APPEND(r->ranges_waiting, c);
        r->ranges_waiting_count++;
        send_waiting_ranges(r);
    }
}

void redis_range(struct engine *engine, const char *video, struct position after, size_t limit,
                 engine_range_cb *cb, void *arg) {
    redis_ask_range((struct redis *)engine, video,
                    (struct range_asked){&redis_script_range, after, limit, NULL}, cb, arg);
}

void redis_range_before(struct engine *engine, const char *video, struct position before, size_t limit,
                        engine_range_cb *cb, void *arg) {
    redis_ask_range((struct redis *)engine, video,
                    (struct range_asked){&redis_script_range_before, before, limit, NULL}, cb, arg);
}

void redis_replay(struct engine *engine, const struct engine_replay *what, engine_replay_cb *cb, void *arg) {
    redis_ask_range((struct redis *)engine, what->video,
                    (struct range_asked){&redis_script_range, what->after, what->limit, cb}, NULL, arg);
}
