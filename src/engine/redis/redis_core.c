// The way of a call: redis_call_send() puts it on the connection, or among the refused; on_reply() makes a
// status of what comes back and hands it to the operation.
#include "redis_core.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "redis_log.h"
#include "redis_reply.h"
#include "redis_subscriber.h"

#include <utlist.h>

enum { REFUSE_MS = 1, CLOSE_GRACE_MS = 250, SHARED = 5 };

extern const char redis_lua_append[], redis_lua_head[], redis_lua_range[], redis_lua_reassign[],
    redis_lua_release[], redis_lua_lease_renew[], redis_lua_lease_drop[], redis_lua_leases[],
    redis_lua_lease_forget[], redis_lua_position[], redis_lua_admit[], redis_lua_lookup[], redis_lua_assign[],
    redis_lua_counter[], redis_lua_watch[];

static const char *const scripts[REDIS_SCRIPTS] = {
    [SCRIPT_APPEND] = redis_lua_append,           [SCRIPT_HEAD] = redis_lua_head,
    [SCRIPT_HEAD_WHEN_FULL] = redis_lua_head,     [SCRIPT_RANGE] = redis_lua_range,
    [SCRIPT_REASSIGN] = redis_lua_reassign,       [SCRIPT_RELEASE] = redis_lua_release,
    [SCRIPT_LEASE_RENEW] = redis_lua_lease_renew, [SCRIPT_LEASE_DROP] = redis_lua_lease_drop,
    [SCRIPT_LEASES] = redis_lua_leases,           [SCRIPT_LEASE_FORGET] = redis_lua_lease_forget,
    [SCRIPT_LOOKUP] = redis_lua_lookup,           [SCRIPT_ASSIGN] = redis_lua_assign,
    [SCRIPT_COUNTER] = redis_lua_counter,         [SCRIPT_WATCH] = redis_lua_watch,
};

// Carried out also by a Redis that is full: what they write is small, and without it no viewer could come.
static const char works_when_full[] = "#!lua flags=allow-oom\n";

// Each call of a script makes all its functions; an append needs these for a video's first comment only, so
// they are made when admission() is called.
static const char begin_admission[] = "local function admission()\n";
static const char end_admission[] = "return admit\nend\n";

// What stands in front of a script.
static const char *const shared[REDIS_SCRIPTS][SHARED] = {
    [SCRIPT_APPEND] = {begin_admission, redis_lua_admit, end_admission, redis_lua_position},
    // Two, because what works when Redis is full is refused at once where no writes are taken, even if it
    // only reads.
    [SCRIPT_HEAD] = {begin_admission, redis_lua_admit, end_admission, redis_lua_position},
    [SCRIPT_HEAD_WHEN_FULL] = {works_when_full, begin_admission, redis_lua_admit, end_admission,
                               redis_lua_position},
    [SCRIPT_LOOKUP] = {redis_lua_admit}, // reads also where no writes are taken
    [SCRIPT_ASSIGN] = {works_when_full, redis_lua_admit},
    [SCRIPT_REASSIGN] = {works_when_full, redis_lua_admit},
    [SCRIPT_RELEASE] = {works_when_full, redis_lua_admit},
    [SCRIPT_WATCH] = {works_when_full, redis_lua_admit},
    [SCRIPT_COUNTER] = {works_when_full},
};

static const char *const script_names[REDIS_SCRIPTS] = {
    [SCRIPT_APPEND] = redis_refusal_append,
    [SCRIPT_HEAD] = "head",
    [SCRIPT_HEAD_WHEN_FULL] = "head",
    [SCRIPT_RANGE] = "range",
    [SCRIPT_REASSIGN] = "reassign",
    [SCRIPT_RELEASE] = "release",
    [SCRIPT_LEASE_RENEW] = "lease_renew",
    [SCRIPT_LEASE_DROP] = "lease_drop",
    [SCRIPT_LEASES] = "leases",
    [SCRIPT_LEASE_FORGET] = "lease_forget",
    [SCRIPT_LOOKUP] = "lookup",
    [SCRIPT_ASSIGN] = "assign",
    [SCRIPT_COUNTER] = "counter",
    [SCRIPT_WATCH] = "watch",
};

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

void redis_args_script(struct redis_args *a, const struct redis *r, enum redis_script script, int keys) {
    a->name = script_names[script];
    redis_args_text(a, "EVALSHA");
    redis_args_text(a, r->shas[script]);
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
    if (!r->closing && !r->refuse.slot) loop_timer_start(r->loop, &r->refuse, REFUSE_MS);
}

static void answer_refused(struct redis *r) {
    struct redis_call *last = r->refused ? r->refused->prev : NULL, *c = NULL;
    while (r->refused && c != last) {
        c = r->refused;
        DL_DELETE(r->refused, c);
        c->on_reply(c, c->status, NULL); // frees it; only its address is looked at again
    }
}

static void on_refuse(struct loop_timer *t) {
    struct redis *r = container_of(t, struct redis, refuse);
    answer_refused(r);
    if (r->refused) loop_timer_start(r->loop, t, REFUSE_MS);
}

enum engine_status redis_call_unexpected(struct redis_call *c, const redisReply *reply) {
    struct redis *r = c->redis;
    if (log_sample(&r->sampler, "engine", 1, loop_now_ms(r->loop)))
        log_warn("engine", "redis_reply_unexpected", "command=%s type=%s", c->command,
                 redis_reply_type(reply));
    return ENGINE_UNAVAILABLE;
}

static void on_reply(void *arg, const redisReply *reply) {
    struct redis_call *c = arg;
    struct redis *r = c->redis;
    r->waiting--;
    r->waiting_bytes -= c->bytes;
    enum engine_status status = ENGINE_OK;
    if (!reply) {
        status = r->closing ? ENGINE_CLOSED : ENGINE_UNAVAILABLE;
    } else if (redis_reply_error(reply)) {
        status = redis_refusal_is_full(redis_reply_error(reply)) ? ENGINE_STORE_FULL : ENGINE_UNAVAILABLE;
        redis_refusal_note(r, c->command, redis_reply_error(reply));
    } else {
        redis_refusal_over(r, c->command);
    }
    c->on_reply(c, status, status == ENGINE_OK ? reply : NULL);
}

bool redis_serves(const struct redis *r) {
    return r->serving && redis_conn_is_up(r->commands) && !redis_conn_is_silent(r->commands);
}

void redis_call_send_raw(struct redis_call *c, const char *name, int argc, const char *const *argv,
                         const size_t *lens) {
    struct redis *r = c->redis;
    c->command = name;
    c->bytes = sizeof *c + c->text_len;
    for (int i = 0; i < argc; i++) c->bytes += lens[i];
    if (r->closing) {
        redis_call_refuse(c, ENGINE_CLOSED);
    } else if (!redis_serves(r)) {
        redis_call_refuse(c, ENGINE_UNAVAILABLE);
    } else if (r->waiting >= REDIS_WAITING_CALLS || r->waiting_bytes + c->bytes > REDIS_WAITING_BYTES) {
        redis_call_refuse(c, ENGINE_BUSY);
    } else {
        r->waiting++;
        r->waiting_bytes += c->bytes;
        redis_conn_send(r->commands, argc, argv, lens, on_reply, c);
    }
}

void redis_call_send(struct redis_call *c, const struct redis_args *a) {
    redis_call_send_raw(c, a->name ? a->name : a->at[0], a->count, a->at, a->len);
}

void redis_tell(struct redis *r, const struct redis_args *a) {
    if (redis_serves(r)) redis_conn_send(r->commands, a->count, a->at, a->len, NULL, NULL);
}

int64_t redis_clock_ms(const struct redis *r) {
    return loop_now_ms(r->loop) + r->clock_offset_ms;
}

// The connection

static void begin_to_serve(struct redis *r);

// The answer to redis_log_check().
static void on_checked(void *arg, const redisReply *reply) {
    struct redis *r = arg;
    const char *error = redis_reply_error(reply);
    if (!reply) return;
    if (error) redis_refusal_note(r, redis_refusal_append, error);
    if (!redis_conn_is_up(r->commands)) return;
    bool well = !error || redis_refusal_is_full(error);
    if (well) redis_refusal_over(r, r->serving ? redis_refusal_append : r->refusal.command);
    if (!r->serving) begin_to_serve(r);
}

static void on_check(struct loop_timer *t) {
    struct redis *r = container_of(t, struct redis, check);
    if (redis_serves(r)) redis_log_check(r, on_checked);
}

static void on_script_loaded(void *arg, const redisReply *reply) {
    struct redis *r = arg;
    if (!reply) return;
    size_t len;
    const char *sha = redis_reply_text(reply, &len), *error = redis_reply_error(reply);
    if (!sha || len != REDIS_SHA_SIZE - 1) {
        char clause[160] = "does not take scripts";
        if (error) redis_refusal_clause(error, clause, sizeof clause);
        if (error) redis_refusal_note(r, "script_load", error);
        redis_conn_cut(r->commands, clause);
        return;
    }
    memcpy(r->shas[REDIS_SCRIPTS - r->scripts_owed], sha, REDIS_SHA_SIZE);
    if (--r->scripts_owed) return;
    redis_refusal_over(r, "script_load");
    redis_log_check(r, on_checked);
}

static void begin_to_serve(struct redis *r) {
    r->serving = true;
    log_info("engine", "redis_connected", "host=%s port=%d run=%.8s", r->url.host, r->url.port, r->run_id);
}

static void load_script(struct redis *r, enum redis_script script) {
    struct buf text = {0};
    for (int i = 0; i < SHARED; i++)
        if (shared[script][i]) buf_adds(&text, shared[script][i]);
    buf_adds(&text, scripts[script]);
    redis_conn_send(r->commands, 3, (const char *const[]){"SCRIPT", "LOAD", text.data},
                    (const size_t[]){6, 4, text.len}, on_script_loaded, r);
    buf_release(&text);
}

// What another process has may lack the last writes of the one before: viewers are told in a gap, operators
// here.
static void note_replaced(const struct redis *r, const char *run_id) {
    if (r->run_id[0] && strcmp(r->run_id, run_id) != 0)
        log_warn(
            "engine", "redis_replaced",
            "before=%.8s now=%.8s why=\"Redis was restarted or failed over\" action=\"numbering in a new "
            "epoch; viewers get a gap where comments are lost\"",
            r->run_id, run_id);
}

static void on_up(void *arg, const struct redis_server *server) {
    struct redis *r = arg;
    note_replaced(r, server->run_id);
    snprintf(r->run_id, sizeof r->run_id, "%s", server->run_id);
    r->clock_offset_ms = server->clock_ms - loop_now_ms(r->loop);
    r->scripts_owed = REDIS_SCRIPTS;
    for (int i = 0; i < REDIS_SCRIPTS; i++) load_script(r, (enum redis_script)i);
}

static void on_down(void *arg, const char *why) {
    struct redis *r = arg;
    if (r->serving && !r->closing) log_warn("engine", "redis_lost", "why=\"%s\"", why);
    r->serving = false;
}

void redis_core_start(struct redis *r) {
    r->refuse.on_due = on_refuse;
    r->check.on_due = on_check;
    r->commands = redis_conn_new(
        r->loop, r->resolver, &r->url,
        &(struct redis_conn_config){.name = "chorus-commands", .on_up = on_up, .on_down = on_down, .arg = r});
}

void redis_core_drain(struct redis *r) {
    if (r->serving) redis_conn_drain(r->commands, CLOSE_GRACE_MS);
}

void redis_core_stop(struct redis *r) {
    r->closing = true;
    loop_timer_stop(r->loop, &r->refuse);
    loop_timer_stop(r->loop, &r->check);
    redis_conn_free(r->commands);
    r->commands = NULL;
    r->serving = false;
    while (r->refused) {
        r->refused->status = ENGINE_CLOSED;
        answer_refused(r);
    }
}
