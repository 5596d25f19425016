// A call: redis_call_send() sends it on the connection, or adds it to the refused; on_redis_reply() turns the
// reply into a status and passes it to the operation.
#include "redis_core.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "redis_confirm.h"
#include "redis_error.h"
#include "redis_reply.h"
#include "redis_slots.h"

#include <utlist.h>

// In a Cluster: what is sent again waits that long, and is given up after that time (an append would be too
// late then).
enum { REFUSE_MS = 1, AGAIN_MS = 8, GIVE_UP_MS = REDIS_APPEND_MS };

enum { LEAST_VIDEOS_OF_A_SLOT = 16 };

// Arguments

void redis_args_bytes(struct redis_args *a, const void *bytes, size_t len) {
    assert((size_t)a->count < sizeof a->at / sizeof *a->at);
    a->at[a->count] = bytes;
    a->len[a->count++] = len;
}

void redis_args_text(struct redis_args *a, const char *text) {
    redis_args_bytes(a, text, strlen(text));
}

void redis_args_format(struct redis_args *a, const char *format, ...) {
    va_list args;
    va_start(args, format);
    size_t left = sizeof a->room - a->used;
    int len = vsnprintf(a->room + a->used, left, format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < left);
    redis_args_bytes(a, a->room + a->used, (size_t)len);
    a->used += (size_t)len + 1;
}

void redis_args_number(struct redis_args *a, int64_t n) {
    redis_args_format(a, "%" PRId64, n);
}

void redis_args_script(struct redis_args *a, const struct redis_script *script, int keys) {
    a->name = script->name;
    redis_args_text(a, "EVALSHA");
    redis_args_text(a, script->sha);
    redis_args_number(a, keys);
}

void redis_args_sharded(struct redis_args *a, const struct redis *r, const struct redis_script *script,
                        int keys) {
    redis_args_script(a, script, r->owners ? keys + 1 : keys);
}

unsigned redis_slot_of_video(const char *video) {
    char channel[ENGINE_VIDEO_MAX + sizeof "video:"];
    int len = snprintf(channel, sizeof channel, "video:%s", video);
    return redis_slot_of(channel, (size_t)len);
}

void redis_args_of_all(struct redis_args *a, const struct redis *r, const char *name, const char *video) {
    if (r->owners)
        redis_args_format(a, "%s:{%s}", name, r->tags->of[redis_slot_of_video(video)]);
    else
        redis_args_text(a, name);
}

void redis_args_shard(struct redis_args *a, const struct redis *r, const char *video) {
    if (r->owners) redis_args_of_all(a, r, "chorus:mapped", video);
}

void redis_args_mapping(struct redis_args *a, const struct redis *r, const char *video) {
    redis_args_format(a, r->owners ? "{video:%s}:reader" : "video:%s:reader", video);
}

int64_t redis_max_videos(const struct redis *r) {
    int64_t most = (int64_t)r->config.limits.max_videos, of_slot = 2 * most / REDIS_SLOTS + 1;
    if (!r->owners || !most) return most;
    return of_slot > LEAST_VIDEOS_OF_A_SLOT ? of_slot : LEAST_VIDEOS_OF_A_SLOT;
}

// Servers

bool redis_node_serves(const struct redis_node *n) {
    return n->phase == REDIS_SERVING && !n->redis->is_closed && redis_conn_accepts(n->commands);
}

bool redis_serves(const struct redis *r) {
    const struct redis_node *n;
    DL_FOREACH(r->nodes, n) {
        if (redis_node_serves(n)) return true;
    }
    return false;
}

const char *redis_node_tag(const struct redis_node *n) {
    const struct redis *r = n->redis;
    for (unsigned slot = 0; r->owners && slot < REDIS_SLOTS; slot++)
        if (r->owners[slot] == n) return r->tags->of[slot];
    return NULL;
}

bool redis_node_error_place(const struct redis_node *n, const char *error, unsigned *slot,
                            struct redis_place *place) {
    if (!redis_error_place(error, slot, place)) return false;
    if (!place->host[0]) memcpy(place->host, n->place.host, sizeof place->host);
    return true;
}

struct redis_node *redis_node_of(const struct redis *r, const char *key) {
    return r->owners ? r->owners[redis_slot_of(key, strlen(key))] : r->nodes;
}

struct redis_node *redis_node_of_video(const struct redis *r, const char *video) {
    return r->owners ? r->owners[redis_slot_of_video(video)] : r->nodes;
}

// Calls

struct redis_call *redis_call_new(struct redis *r,
                                  void (*on_reply)(struct redis_call *, enum engine_status,
                                                   const redisReply *),
                                  const void *text, size_t text_len) {
    struct redis_call *c = mem_zalloc(sizeof *c + text_len + 1);
    c->redis = r;
    c->on_reply = on_reply;
    c->text_len = text_len;
    if (text_len) memcpy(c->text, text, text_len);
    return c;
}

void redis_call_free(struct redis_call *c) {
    redis_conn_frame_free(c->frame);
    free(c->more);
    free(c);
}

void redis_call_refuse(struct redis_call *c, enum engine_status status) {
    struct redis *r = c->redis;
    c->status = status;
    DL_APPEND(r->refused, c);
    if (!r->is_closed && !r->refuse.slot) loop_timer_start(r->loop, &r->refuse, REFUSE_MS);
}

static void redis_answer_refused(struct redis *r) {
    struct redis_call *last = r->refused ? r->refused->prev : NULL, *c = NULL;
    while (r->refused && c != last) {
        c = r->refused;
        DL_DELETE(r->refused, c);
        enum engine_status status = r->is_closed ? ENGINE_CLOSED : c->status;
        c->on_reply(c, status, NULL); // frees it; only its address is looked at again
    }
}

static void on_redis_refuse(struct loop_timer *t) {
    struct redis *r = container_of(t, struct redis, refuse);
    redis_answer_refused(r);
    if (r->refused) loop_timer_start(r->loop, t, REFUSE_MS);
}

enum engine_status redis_call_unexpected(struct redis_call *c, const redisReply *reply) {
    struct redis *r = c->redis;
    if (log_sample(&r->sampler, "engine", 1, loop_now_ms(r->loop)))
        log_warn("engine", "redis_reply_unexpected", "command=%s type=%s", c->command,
                 redis_reply_type(reply));
    return ENGINE_UNAVAILABLE;
}

void redis_core_refused(struct redis_node *n, const char *command, const char *error) {
    struct redis *r = n->redis;
    char clause[REDIS_ERROR_CLAUSE];
    enum redis_action action = redis_error_action(error);
    if (r->owners && action > REDIS_CUTS) {
        r->on_unsettled(r);
        if (action != REDIS_IS_DOWN) return;
    }
    redis_refusal_note(&n->refusal, command, error);
    if (action != REDIS_CUTS) return;
    redis_error_clause(error, clause, sizeof clause);
    redis_conn_cut(n->commands, clause);
}

// Sending again, in a Cluster: behind what already waits for the same slot, so that the order stays.

static void call_wait(struct redis_call *c) {
    struct redis *r = c->redis;
    DL_APPEND(r->again, c);
    if (!c->pinned) r->again_of[c->slot]++;
    if (!r->send_again.slot) loop_timer_start(r->loop, &r->send_again, AGAIN_MS);
}

static struct redis_call *call_take_waiting(struct redis *r) {
    struct redis_call *c = r->again;
    DL_DELETE(r->again, c);
    if (!c->pinned) r->again_of[c->slot]--;
    return c;
}

static bool call_is_late(const struct redis_call *c) {
    return loop_now_ms(c->redis->loop) - c->first_ms >= GIVE_UP_MS;
}

// Returns whether the call is to be sent again, somewhere else or later.
static bool call_is_redirected(struct redis_call *c, const char *error) {
    struct redis *r = c->redis;
    struct redis_place place;
    unsigned slot;
    enum redis_action action = redis_error_action(error);
    c->ask.port = 0;
    if (!r->owners || c->pinned || call_is_late(c)) return false;
    if (action == REDIS_AGAIN) return true;
    if (!redis_node_error_place(c->node, error, &slot, &place)) return false;
    if (action == REDIS_ASKS && !c->is_confirmed) c->ask = place; // else when the slot has moved
    if (action == REDIS_MOVED) r->on_moved(r, slot, &place);
    return true;
}

static void on_redis_reply(void *arg, const redisReply *reply) {
    struct redis_call *c = arg;
    struct redis *r = c->redis;
    const char *error = redis_reply_error(reply);
    r->waiting--;
    r->waiting_bytes -= c->bytes;
    if (error && !r->is_closed && call_is_redirected(c, error)) {
        call_wait(c);
        return;
    }
    engine_stats_add(&r->stats, clock_monotonic_us() - c->sent_us, !reply || error);
    enum engine_status status = ENGINE_OK;
    if (!reply) {
        status = r->is_closed ? ENGINE_CLOSED : ENGINE_UNAVAILABLE;
    } else if (error) {
        status = redis_error_is_full(error) ? ENGINE_STORE_FULL : ENGINE_UNAVAILABLE;
        redis_core_refused(c->node, c->command, error);
    } else {
        redis_refusal_clear(&c->node->refusal, c->command);
    }
    c->on_reply(c, status, status == ENGINE_OK ? reply : NULL);
}

static bool call_can_go(const struct redis_call *c, const struct redis_node *n) {
    return n && redis_node_serves(n) && !(c->is_confirmed && n->confirm && !redis_confirm_is_up(n->confirm));
}

// Sends what has been framed.
static void call_go(struct redis_call *c, struct redis_node *n, bool asking, const char *frame, size_t len) {
    static const char *const word = "ASKING";
    c->node = n;
    if (!c->is_upkeep) n->used_ms = loop_now_ms(c->redis->loop);
    c->redis->waiting++;
    c->redis->waiting_bytes += c->bytes;
    if (asking) redis_conn_send(n->commands, 1, &word, NULL, NULL, NULL);
    if (c->is_confirmed && n->confirm && !asking)
        redis_confirm_send(n->confirm, frame, len, on_redis_reply, c);
    else
        redis_conn_send_framed(n->commands, frame, len, on_redis_reply, c);
}

// Of those that are sent again. Returns false if none of its servers can take it now.
static bool call_try(struct redis_call *c) {
    struct redis *r = c->redis;
    bool asking = c->ask.port != 0;
    struct redis_node *n = asking ? r->node_at(r, &c->ask) : c->pinned ? c->pinned : r->owners[c->slot];
    if (!call_can_go(c, n)) return false;
    c->ask.port = 0;
    call_go(c, n, asking, c->frame, c->frame_len);
    return true;
}

static void on_send_again(struct loop_timer *t) {
    struct redis *r = container_of(t, struct redis, send_again);
    size_t count = 0;
    struct redis_call *c;
    DL_COUNT(r->again, c, count);
    for (; count && r->again; count--) {
        c = call_take_waiting(r);
        if (!call_is_late(c) && !r->is_closed) {
            if (!call_try(c)) call_wait(c);
        } else {
            c->on_reply(c, r->is_closed ? ENGINE_CLOSED : ENGINE_UNAVAILABLE, NULL);
        }
    }
    if (r->again && !t->slot) loop_timer_start(r->loop, t, AGAIN_MS);
}

// The first key of a command; a script has its digest and their number in front of them.
static unsigned slot_of_command(int argc, const char *const *argv, const size_t *lens) {
    int at = argc > 3 && !strcmp(argv[0], "EVALSHA") ? 3 : 1;
    return argc > at ? redis_slot_of(argv[at], lens[at]) : 0;
}

static void call_send_to_cluster(struct redis_call *c, int argc, const char *const *argv,
                                 const size_t *lens) {
    struct redis *r = c->redis;
    c->slot = slot_of_command(argc, argv, lens);
    struct redis_node *n = c->pinned ? c->pinned : r->owners[c->slot];
    redis_conn_frame_free(c->frame);
    c->frame = redis_conn_frame(argc, argv, lens, &c->frame_len);
    if (!c->pinned && r->again_of[c->slot])
        call_wait(c);
    else if (call_can_go(c, n))
        call_go(c, n, false, c->frame, c->frame_len);
    else
        redis_call_refuse(c, ENGINE_UNAVAILABLE);
}

void redis_call_send_raw(struct redis_call *c, const char *name, int argc, const char *const *argv,
                         const size_t *lens) {
    struct redis *r = c->redis;
    c->command = name;
    c->bytes = sizeof *c + c->text_len;
    c->first_ms = loop_now_ms(r->loop);
    c->sent_us = clock_monotonic_us();
    for (int i = 0; i < argc; i++) c->bytes += lens[i];
    if (r->is_closed) {
        redis_call_refuse(c, ENGINE_CLOSED);
    } else if (r->waiting >= REDIS_WAITING_CALLS || r->waiting_bytes + c->bytes > REDIS_WAITING_BYTES) {
        redis_call_refuse(c, ENGINE_BUSY);
    } else if (r->owners) {
        call_send_to_cluster(c, argc, argv, lens);
    } else if (!call_can_go(c, r->nodes)) {
        redis_call_refuse(c, ENGINE_UNAVAILABLE);
    } else {
        size_t len;
        char *frame = redis_conn_frame(argc, argv, lens, &len);
        call_go(c, r->nodes, false, frame, len);
        redis_conn_frame_free(frame);
    }
}

void redis_call_send(struct redis_call *c, const struct redis_args *a) {
    redis_call_send_raw(c, a->name ? a->name : a->at[0], a->count, a->at, a->len);
}

void redis_send(struct redis *r, const struct redis_args *a) {
    struct redis_node *n = r->owners ? r->owners[slot_of_command(a->count, a->at, a->len)] : r->nodes;
    if (n && redis_node_serves(n)) redis_conn_send(n->commands, a->count, a->at, a->len, NULL, NULL);
}

int64_t redis_clock_ms(const struct redis *r, const char *video) {
    const struct redis_node *n = redis_node_of_video(r, video);
    if (!n) n = r->nodes;
    return loop_now_ms(r->loop) + (n ? n->clock_offset_ms : 0);
}

// Life

void redis_core_start(struct redis *r) {
    r->refuse.on_due = on_redis_refuse;
    r->send_again.on_due = on_send_again;
}

void redis_core_close(struct redis *r) {
    loop_timer_stop(r->loop, &r->refuse);
    loop_timer_stop(r->loop, &r->send_again);
    while (r->again) on_send_again(&r->send_again);
    while (r->refused) redis_answer_refused(r);
}
