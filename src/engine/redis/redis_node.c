// A server's connections: the commands' loads the scripts, and tries whether appends are accepted.
#include "redis_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "redis_confirm.h"
#include "redis_core.h"
#include "redis_error.h"
#include "redis_reply.h"
#include "redis_sentinels.h"
#include "redis_subscriber.h"

#include <utlist.h>

enum { CLOSE_GRACE_MS = 250 };

static void node_begin_to_serve(struct redis_node *n);

// The answer to check_append().
static void on_append_checked(void *arg, const redisReply *reply) {
    struct redis_node *n = arg;
    const char *error = redis_reply_error(reply);
    if (!reply) return;
    if (error) redis_core_refused(n, redis_refusal_append, error);
    if (!redis_conn_is_up(n->commands)) return;
    if (error && n->redis->owners && redis_error_action(error) > REDIS_CUTS) {
        n->is_checking = false; // its slots are not known yet
        return;
    }
    bool well = !error || redis_error_is_full(error);
    if (well)
        redis_refusal_clear(&n->refusal,
                            n->phase == REDIS_SERVING ? redis_refusal_append : n->refusal.command);
    if (n->phase == REDIS_PREPARING) node_begin_to_serve(n);
}

static void on_check_due(struct loop_timer *t) {
    struct redis_node *n = container_of(t, struct redis_node, refusal.check);
    if (redis_node_serves(n)) n->redis->check_append(n, on_append_checked);
}

static void on_script_loaded(void *arg, const redisReply *reply) {
    struct redis_node *n = arg;
    if (!reply) return;
    const char *error = redis_reply_error(reply);
    if (!redis_reply_text(reply, NULL)) {
        char clause[REDIS_ERROR_CLAUSE] = "does not accept scripts";
        if (error) redis_error_clause(error, clause, sizeof clause);
        if (error) redis_core_refused(n, "script_load", error);
        redis_conn_cut(n->commands, clause);
        return;
    }
    if (redis_scripts[++n->scripts_loaded]) return;
    redis_refusal_clear(&n->refusal, "script_load");
    redis_node_settle(n);
}

static void node_begin_to_serve(struct redis_node *n) {
    n->phase = REDIS_SERVING;
    log_info("engine", "redis_connected", "host=%s port=%d run=%.8s", redis_conn_place(n->commands)->host,
             redis_conn_place(n->commands)->port, n->run_id);
    n->redis->on_serving(n);
}

// Another server may lack the last writes of the one before: viewers get a gap, operators this warning.
static void node_note_replaced(const struct redis_node *n, const char *run_id) {
    if (n->run_id[0] && strcmp(n->run_id, run_id) != 0)
        log_warn(
            "engine", "redis_replaced",
            "before=%.8s now=%.8s why=\"Redis was restarted or failed over\" action=\"numbering in a new "
            "epoch; viewers get a gap where comments are lost\"",
            n->run_id, run_id);
}

static void on_commands_up(void *arg, const struct redis_server *server) {
    struct redis_node *n = arg;
    node_note_replaced(n, server->run_id);
    n->redis->stats.reconnects += n->run_id[0] != 0;
    snprintf(n->run_id, sizeof n->run_id, "%s", server->run_id);
    n->clock_offset_ms = server->clock_ms - loop_now_ms(n->redis->loop);
    n->phase = REDIS_PREPARING;
    n->scripts_loaded = 0;
    n->is_checking = false;
    for (const struct redis_script *const *s = redis_scripts; *s; s++)
        redis_conn_send(n->commands, 3, (const char *const[]){"SCRIPT", "LOAD", (*s)->text},
                        (const size_t[]){6, 4, (*s)->len}, on_script_loaded, n);
    n->redis->on_up(n);
}

static void on_commands_down(void *arg, const char *why) {
    struct redis_node *n = arg;
    if (n->redis->is_closed) return;
    if (n->phase == REDIS_SERVING) log_warn("engine", "redis_lost", "why=\"%s\"", why);
    n->phase = REDIS_AWAY;
    if (n->redis->owners) n->redis->on_unsettled(n->redis);
}

void redis_node_settle(struct redis_node *n) {
    if (n->phase != REDIS_PREPARING || redis_scripts[n->scripts_loaded] || n->is_checking) return;
    if (n->redis->owners && !n->slots) return;
    n->is_checking = true;
    n->redis->check_append(n, on_append_checked);
}

static bool node_find_primary(void *of, struct redis_place *place, const char **why) {
    return redis_sentinels_find(of, place, why);
}

// What its connections are made with; the caller adds their callbacks.
static struct redis_conn_config node_conn_config(const struct redis_node *n) {
    struct redis *r = n->redis;
    bool is_watched = r->sentinels != NULL;
    struct redis_conn_config config = {.find = is_watched ? node_find_primary : NULL,
                                       .find_arg = r->sentinels,
                                       .primary_only = is_watched,
                                       .transports = &r->config};
    if (!is_watched) config.place = n->place;
    return config;
}

static void on_node_unconfirmed(void *arg, const char *error) {
    redis_core_refused(arg, redis_refusal_append, error);
}

static void node_connect(struct redis_node *n) {
    struct redis *r = n->redis;
    struct redis_conn_config config = node_conn_config(n);
    config.name = "chorus-subscriber";
    n->subscriber = redis_subscriber_new(n, &config);
    config.name = "chorus-commands";
    config.on_up = on_commands_up;
    config.on_down = on_commands_down;
    config.arg = n;
    n->commands = redis_conn_new(r->loop, r->resolver, &r->url, &config);
    if (!r->config.confirm_replicas) return;
    config.name = "chorus-confirmed";
    n->confirm = redis_confirm_new(r->loop, r->resolver, &r->url, &config,
                                   &(struct redis_confirm_config){.replicas = r->config.confirm_replicas,
                                                                  .ms = r->config.confirm_ms,
                                                                  .on_missing = on_node_unconfirmed,
                                                                  .arg = n});
}

struct redis_node *redis_node_new(struct redis *r, const struct redis_place *place) {
    struct redis_node *n = mem_zalloc(sizeof *n);
    n->redis = r;
    n->place = *place;
    n->slots_ms = loop_now_ms(r->loop);
    redis_refusal_init(&n->refusal, r->loop, on_check_due);
    DL_APPEND(r->nodes, n);
    node_connect(n);
    return n;
}

void redis_node_resolved(struct redis_node *n) {
    redis_conn_resolved(n->commands);
    redis_confirm_resolved(n->confirm);
    redis_subscriber_resolved(n->subscriber);
}

void redis_node_look(struct redis_node *n) {
    redis_conn_look(n->commands);
    redis_confirm_look(n->confirm);
    redis_subscriber_look(n->subscriber);
}

bool redis_node_ready(const struct redis_node *n, const char **why) {
    bool in_cluster = n->redis->owners != NULL;
    const char *refusal = redis_refusal_why(&n->refusal);
    if (n->phase != REDIS_SERVING && !redis_conn_is_up(n->commands))
        *why = redis_conn_why(n->commands);
    else if (n->phase == REDIS_SERVING && redis_conn_is_silent(n->commands))
        *why = in_cluster ? "A server of the Redis Cluster does not answer." : "Redis does not answer.";
    else if (refusal)
        *why = refusal;
    else if (n->phase != REDIS_SERVING)
        *why = in_cluster ? "A server of the Redis Cluster is being prepared." : "Redis is being prepared.";
    else
        return redis_subscriber_ready(n->subscriber, why);
    return false;
}

void redis_node_drain(struct redis_node *n) {
    if (n->phase != REDIS_SERVING) return;
    redis_conn_drain(n->commands, CLOSE_GRACE_MS);
    if (n->confirm) redis_confirm_drain(n->confirm, CLOSE_GRACE_MS);
}

static void on_node_reap(struct loop_job *job) {
    struct redis_node *n = container_of(job, struct redis_node, reap);
    redis_subscriber_reap(n->subscriber);
    free(n);
}

void redis_node_free(struct redis_node *n) {
    n->phase = REDIS_AWAY;
    redis_refusal_release(&n->refusal);
    redis_conn_free(n->commands);
    redis_confirm_free(n->confirm);
    redis_subscriber_close(n->subscriber);
    DL_DELETE(n->redis->nodes, n);
    n->reap.run = on_node_reap;
    loop_defer(n->redis->loop, &n->reap);
}
