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
#include "redis_sentinels.h"

#include <utlist.h>

enum { REFUSE_MS = 1, CLOSE_GRACE_MS = 250 };

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
    free(c->more);
    free(c);
}

void redis_call_refuse(struct redis_call *c, enum engine_status status) {
    struct redis *r = c->redis;
    c->status = status;
    DL_APPEND(r->refused, c);
    if (r->phase != REDIS_CLOSED && !r->refuse.slot) loop_timer_start(r->loop, &r->refuse, REFUSE_MS);
}

static void redis_answer_refused(struct redis *r) {
    struct redis_call *last = r->refused ? r->refused->prev : NULL, *c = NULL;
    while (r->refused && c != last) {
        c = r->refused;
        DL_DELETE(r->refused, c);
        enum engine_status status = r->phase == REDIS_CLOSED ? ENGINE_CLOSED : c->status;
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

void redis_core_refused(struct redis *r, const char *command, const char *error) {
    char clause[REDIS_ERROR_CLAUSE];
    redis_refusal_note(&r->refusal, command, error);
    if (!redis_error_needs_reconnect(error)) return;
    redis_error_clause(error, clause, sizeof clause);
    redis_conn_cut(r->commands, clause);
}

static void on_redis_reply(void *arg, const redisReply *reply) {
    struct redis_call *c = arg;
    struct redis *r = c->redis;
    r->waiting--;
    r->waiting_bytes -= c->bytes;
    engine_stats_add(&r->stats, clock_monotonic_us() - c->sent_us, !reply || redis_reply_error(reply));
    enum engine_status status = ENGINE_OK;
    if (!reply) {
        status = r->phase == REDIS_CLOSED ? ENGINE_CLOSED : ENGINE_UNAVAILABLE;
    } else if (redis_reply_error(reply)) {
        status = redis_error_is_full(redis_reply_error(reply)) ? ENGINE_STORE_FULL : ENGINE_UNAVAILABLE;
        redis_core_refused(r, c->command, redis_reply_error(reply));
    } else {
        redis_refusal_clear(&r->refusal, c->command);
    }
    c->on_reply(c, status, status == ENGINE_OK ? reply : NULL);
}

bool redis_serves(const struct redis *r) {
    return r->phase == REDIS_SERVING && redis_conn_is_up(r->commands) && !redis_conn_is_silent(r->commands);
}

void redis_call_send_raw(struct redis_call *c, const char *name, int argc, const char *const *argv,
                         const size_t *lens) {
    struct redis *r = c->redis;
    c->command = name;
    c->bytes = sizeof *c + c->text_len;
    for (int i = 0; i < argc; i++) c->bytes += lens[i];
    if (r->phase == REDIS_CLOSED) {
        redis_call_refuse(c, ENGINE_CLOSED);
    } else if (!redis_serves(r) || (c->is_confirmed && r->confirm && !redis_confirm_is_up(r->confirm))) {
        redis_call_refuse(c, ENGINE_UNAVAILABLE);
    } else if (r->waiting >= REDIS_WAITING_CALLS || r->waiting_bytes + c->bytes > REDIS_WAITING_BYTES) {
        redis_call_refuse(c, ENGINE_BUSY);
    } else {
        c->sent_us = clock_monotonic_us();
        r->waiting++;
        r->waiting_bytes += c->bytes;
        if (c->is_confirmed && r->confirm)
            redis_confirm_send(r->confirm, argc, argv, lens, on_redis_reply, c);
        else
            redis_conn_send(r->commands, argc, argv, lens, on_redis_reply, c);
    }
}

void redis_call_send(struct redis_call *c, const struct redis_args *a) {
    redis_call_send_raw(c, a->name ? a->name : a->at[0], a->count, a->at, a->len);
}

void redis_send(struct redis *r, const struct redis_args *a) {
    if (redis_serves(r)) redis_conn_send(r->commands, a->count, a->at, a->len, NULL, NULL);
}

int64_t redis_clock_ms(const struct redis *r) {
    return loop_now_ms(r->loop) + r->clock_offset_ms;
}

// The connection

static void redis_begin_to_serve(struct redis *r);

// The answer to check_append().
static void on_append_checked(void *arg, const redisReply *reply) {
    struct redis *r = arg;
    const char *error = redis_reply_error(reply);
    if (!reply) return;
    if (error) redis_core_refused(r, redis_refusal_append, error);
    if (!redis_conn_is_up(r->commands)) return;
    bool well = !error || redis_error_is_full(error);
    if (well)
        redis_refusal_clear(&r->refusal,
                            r->phase == REDIS_SERVING ? redis_refusal_append : r->refusal.command);
    if (r->phase == REDIS_PREPARING) redis_begin_to_serve(r);
}

static void on_check_due(struct loop_timer *t) {
    struct redis *r = container_of(t, struct redis, refusal.check);
    if (redis_serves(r)) r->check_append(r, on_append_checked);
}

static void on_script_loaded(void *arg, const redisReply *reply) {
    struct redis *r = arg;
    if (!reply) return;
    const char *error = redis_reply_error(reply);
    if (!redis_reply_text(reply, NULL)) {
        char clause[REDIS_ERROR_CLAUSE] = "does not accept scripts";
        if (error) redis_error_clause(error, clause, sizeof clause);
        if (error) redis_core_refused(r, "script_load", error);
        redis_conn_cut(r->commands, clause);
        return;
    }
    if (redis_scripts[++r->scripts_loaded]) return;
    redis_refusal_clear(&r->refusal, "script_load");
    r->check_append(r, on_append_checked);
}

static void redis_begin_to_serve(struct redis *r) {
    r->phase = REDIS_SERVING;
    log_info("engine", "redis_connected", "host=%s port=%d run=%.8s", redis_conn_place(r->commands)->host,
             redis_conn_place(r->commands)->port, r->run_id);
    r->on_serving(r);
}

// Another server may lack the last writes of the one before: viewers get a gap, operators this warning.
static void redis_note_replaced(const struct redis *r, const char *run_id) {
    if (r->run_id[0] && strcmp(r->run_id, run_id) != 0)
        log_warn(
            "engine", "redis_replaced",
            "before=%.8s now=%.8s why=\"Redis was restarted or failed over\" action=\"numbering in a new "
            "epoch; viewers get a gap where comments are lost\"",
            r->run_id, run_id);
}

static void on_commands_up(void *arg, const struct redis_server *server) {
    struct redis *r = arg;
    redis_note_replaced(r, server->run_id);
    r->stats.reconnects += r->run_id[0] != 0;
    snprintf(r->run_id, sizeof r->run_id, "%s", server->run_id);
    r->clock_offset_ms = server->clock_ms - loop_now_ms(r->loop);
    r->phase = REDIS_PREPARING;
    r->scripts_loaded = 0;
    for (const struct redis_script *const *s = redis_scripts; *s; s++)
        redis_conn_send(r->commands, 3, (const char *const[]){"SCRIPT", "LOAD", (*s)->text},
                        (const size_t[]){6, 4, (*s)->len}, on_script_loaded, r);
}

static void on_commands_down(void *arg, const char *why) {
    struct redis *r = arg;
    if (r->phase == REDIS_CLOSED) return;
    if (r->phase == REDIS_SERVING) log_warn("engine", "redis_lost", "why=\"%s\"", why);
    r->phase = REDIS_AWAY;
}

static bool redis_find_primary(void *of, struct redis_place *place, const char **why) {
    return redis_sentinels_find(of, place, why);
}

struct redis_conn_config redis_conn_to_primary(struct redis *r, const char *name) {
    bool is_watched = r->sentinels != NULL;
    struct redis_conn_config config = {.name = name,
                                       .find = is_watched ? redis_find_primary : NULL,
                                       .find_arg = r->sentinels,
                                       .primary_only = is_watched,
                                       .transports = &r->config};
    if (!is_watched) config.place = r->url.at[0];
    return config;
}

static void on_redis_unconfirmed(void *arg, const char *error) {
    redis_core_refused(arg, redis_refusal_append, error);
}

void redis_core_start(struct redis *r, void (*check_append)(struct redis *, redis_reply_cb *)) {
    r->refuse.on_due = on_redis_refuse;
    r->check_append = check_append;
    redis_refusal_init(&r->refusal, r->loop, on_check_due);
    struct redis_conn_config config = redis_conn_to_primary(r, "chorus-commands");
    config.on_up = on_commands_up;
    config.on_down = on_commands_down;
    config.arg = r;
    r->commands = redis_conn_new(r->loop, r->resolver, &r->url, &config);
    if (!r->config.confirm_replicas) return;
    config.name = "chorus-confirmed";
    r->confirm = redis_confirm_new(r->loop, r->resolver, &r->url, &config,
                                   &(struct redis_confirm_config){.replicas = r->config.confirm_replicas,
                                                                  .ms = r->config.confirm_ms,
                                                                  .on_missing = on_redis_unconfirmed,
                                                                  .arg = r});
}

void redis_core_close(struct redis *r) {
    bool serving = r->phase == REDIS_SERVING;
    r->phase = REDIS_CLOSED;
    if (serving) redis_conn_drain(r->commands, CLOSE_GRACE_MS);
    if (serving && r->confirm) redis_confirm_drain(r->confirm, CLOSE_GRACE_MS);
    loop_timer_stop(r->loop, &r->refuse);
    redis_refusal_release(&r->refusal);
    redis_conn_free(r->commands);
    redis_confirm_free(r->confirm);
    r->commands = NULL;
    r->confirm = NULL;
    while (r->refused) redis_answer_refused(r);
}
