#include "engine/redis_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "engine/redis_config.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "redis_conn.h"
#include "redis_reply.h"
#include "redis_sentinels.h"
#include "redis_url.h"

enum { CHECK_MS = 20 };

// redis.acl_check_cmd() (Redis 7.0) says whether the user may run a command, and runs nothing. One of each
// kind of command, key and channel that the engine uses.
static const char rights_script[] =
    "local log, pos = '{video:x}:log', '{video:x}:pos'\n"
    "local used = {{'INFO'}, {'TIME'}, {'SCRIPT', 'LOAD', 'return 1'},\n"
    " {'EVALSHA', '0000000000000000000000000000000000000000', '1', log},\n"
    " {'GET', pos}, {'SET', 'video:x:reader', 'x'}, {'GETEX', 'video:x:reader', 'PX', '1'},\n"
    " {'MGET', 'video:x:reader'}, {'EXISTS', pos}, {'INCR', 'readers:next'}, {'DECR', 'chorus:comments'},\n"
    " {'DEL', 'video:x:reader'}, {'UNLINK', log}, {'RENAME', '{video:x}:tokens', '{video:x}:tokens:older'},\n"
    " {'XADD', log, '*', 'a', 'b'}, {'XDEL', log, '1-1'}, {'XLEN', log}, {'XRANGE', log, '-', '+'},\n"
    " {'XREVRANGE', log, '+', '-'}, {'XTRIM', log, 'MAXLEN', '1'}, {'XSETID', log, '1-1'},\n"
    " {'MEMORY', 'USAGE', log}, {'PEXPIRE', log, '1'}, {'PTTL', log},\n"
    " {'HSET', 'readers', 'a', 'b'}, {'HGETALL', 'readers'}, {'HDEL', 'readers', 'a'},\n"
    " {'HMGET', 'chorus:clock', 'a'}, {'HINCRBY', '{video:x}:tokens', 'a', '1'},\n"
    " {'ZADD', 'chorus:mapped', '1', 'x'}, {'ZREM', 'chorus:mapped', 'x'}, {'ZCARD', 'chorus:mapped'},\n"
    " {'ZRANGE', 'chorus:mapped', '0', '1'}, {'ZSCORE', 'chorus:mapped', 'x'},\n"
    " {'LPUSH', 'chorus:newest', 'x'}, {'LTRIM', 'chorus:newest', '0', '9'}, {'LRANGE', 'chorus:newest', '0', '9'},\n"
    " {'PUBLISH', 'video:x', 'x'}, {'SUBSCRIBE', 'video:x'}, {'UNSUBSCRIBE', 'video:x'},\n"
    " {'PUBLISH', 'chorus:x', 'x'}, {'SUBSCRIBE', 'chorus:x'}, {'PUBSUB', 'NUMSUB', 'video:x'}}\n"
    "local denied = {}\n"
    "for _, each in ipairs(used) do\n"
    " if not redis.acl_check_cmd(unpack(each)) then denied[#denied + 1] = each[1] .. ' ' .. (each[2] or '') end\n"
    "end\n"
    "return table.concat(denied, ', ')";

struct facts_query {
    struct redis_facts *facts;
    struct loop *loop;
    struct redis_conn *conn;
    struct redis_sentinels *sentinels; // NULL: the URL has the address
    struct loop_timer check;
    int64_t end_ms;
    char at_first[256]; // what the connection says before it has failed
    bool over;
};

static void facts_end(struct facts_query *q) {
    q->over = true;
    loop_stop(q->loop);
}

// Copies the value of a line `name:value` of INFO, or leaves what was there.
static void info_text(const char *info, const char *name, char *out, size_t size) {
    size_t len = strlen(name);
    for (const char *at = info; at; at = strchr(at, '\n'), at = at ? at + 1 : NULL) {
        if (strncmp(at, name, len) != 0 || at[len] != ':') continue;
        snprintf(out, size, "%.*s", (int)strcspn(at + len + 1, "\r\n"), at + len + 1);
        return;
    }
}

static bool info_says(const char *info, const char *name, const char *value) {
    char text[64] = "";
    info_text(info, name, text, sizeof text);
    return !strcmp(text, value);
}

static void on_facts_info(void *arg, const redisReply *reply) {
    struct facts_query *q = arg;
    struct redis_facts *f = q->facts;
    const char *info = redis_reply_text(reply, NULL);
    char number[32] = "-1";
    if (q->over || !info) return;
    info_text(info, "redis_version", f->version, sizeof f->version);
    info_text(info, "valkey_version", f->version, sizeof f->version);
    f->major = (int)strtol(f->version, NULL, 10);
    info_text(info, "role", f->role, sizeof f->role);
    info_text(info, "connected_slaves", number, sizeof number);
    f->replicas = strtoll(number, NULL, 10);
    info_text(info, "maxmemory_policy", f->policy, sizeof f->policy);
    info_text(info, "maxmemory", number, sizeof number);
    f->maxmemory = strtoll(number, NULL, 10);
    f->appends = info_says(info, "aof_enabled", "1");
    f->saves_well =
        info_says(info, "rdb_last_bgsave_status", "ok") && info_says(info, "aof_last_write_status", "ok");
}

static void on_facts_rights(void *arg, const redisReply *reply) {
    struct facts_query *q = arg;
    struct redis_facts *f = q->facts;
    const char *denied = redis_reply_text(reply, NULL), *error = redis_reply_error(reply);
    if (q->over) return;
    if (denied) snprintf(f->denied, sizeof f->denied, "%s", denied);
    if (error && !strncmp(error, "NOPERM", 6))
        snprintf(f->denied, sizeof f->denied, "EVAL, so the others are not known");
    f->rights_known = denied || f->denied[0];
}

// "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"
static void read_buffer_limit(struct redis_facts *f, const char *text) {
    const char *at = text ? strstr(text, "pubsub ") : NULL;
    char *end;
    if (!at) return;
    f->pubsub_hard = strtoll(at + strlen("pubsub "), &end, 10);
    f->pubsub_soft = strtoll(end, &end, 10);
    f->pubsub_soft_s = strtoll(end, &end, 10);
}

static void on_facts_config(void *arg, const redisReply *reply) {
    struct facts_query *q = arg;
    struct redis_facts *f = q->facts;
    size_t count;
    if (q->over) return;
    f->config_known = redis_reply_array(reply, &count) && count;
    for (size_t i = 0; i + 1 < count; i += 2) {
        const char *value = redis_reply_text(redis_reply_item(reply, i + 1), NULL);
        if (redis_reply_is_text(redis_reply_item(reply, i), "client-output-buffer-limit"))
            read_buffer_limit(f, value);
        else
            snprintf(f->appendfsync, sizeof f->appendfsync, "%s", value ? value : "");
    }
    f->answers = true;
    facts_end(q);
}

static void facts_send(struct facts_query *q, int argc, const char *const *argv, redis_reply_cb *cb) {
    size_t lens[4];
    for (int i = 0; i < argc; i++) lens[i] = strlen(argv[i]);
    redis_conn_send(q->conn, argc, argv, lens, cb, q);
}

// The answers come in this order, so the last one ends it.
static void on_facts_up(void *arg, const struct redis_server *server) {
    struct facts_query *q = arg;
    if (q->over) return;
    q->facts->ahead_ms = server->clock_ms - clock_wall_ms();
    facts_send(q, 1, (const char *const[]){"INFO"}, on_facts_info);
    facts_send(q, 3, (const char *const[]){"EVAL", rights_script, "0"}, on_facts_rights);
    facts_send(q, 4, (const char *const[]){"CONFIG", "GET", "client-output-buffer-limit", "appendfsync"},
               on_facts_config);
}

static void on_facts_down(void *arg, const char *why) {
    struct facts_query *q = arg;
    if (!q->over) snprintf(q->facts->why, sizeof q->facts->why, "%s", why);
}

// The connection would try again; one failure is an answer here.
static void on_facts_check(struct loop_timer *t) {
    struct facts_query *q = container_of(t, struct facts_query, check);
    const char *why = redis_conn_why(q->conn);
    bool has_failed = !redis_conn_is_up(q->conn) && strcmp(why, q->at_first) != 0;
    if (!has_failed && loop_now_ms(q->loop) < q->end_ms) {
        loop_timer_start(q->loop, t, CHECK_MS);
        return;
    }
    if (!q->facts->why[0]) snprintf(q->facts->why, sizeof q->facts->why, "%s", why);
    facts_end(q);
}

static bool facts_find(void *of, struct redis_place *place, const char **why) {
    return redis_sentinels_find(of, place, why);
}

static void on_facts_moved(void *arg) {
    redis_conn_look(((struct facts_query *)arg)->conn);
}

static void on_facts_resolved(void *arg) {
    struct facts_query *q = arg;
    redis_sentinels_resolved(q->sentinels);
    redis_conn_resolved(q->conn);
}

bool redis_facts_ask(struct loop *loop, const struct redis_config *config, int timeout_ms,
                     struct redis_facts *facts) {
    struct facts_query q = {.facts = facts, .loop = loop, .check.on_due = on_facts_check};
    struct redis_url url;
    *facts = (struct redis_facts){.maxmemory = -1};
    const char *wrong = redis_url_parse(&url, config->url);
    if (wrong) {
        snprintf(facts->why, sizeof facts->why, "its address must be %s", wrong);
        return false;
    }
    if (config->password) snprintf(url.password, sizeof url.password, "%s", config->password);
    struct resolver *resolver = resolver_new(loop, on_facts_resolved, &q);
    struct redis_conn_config of_conn = {.name = "chorus-doctor",
                                        .place = url.at[0],
                                        .transports = config,
                                        .on_up = on_facts_up,
                                        .on_down = on_facts_down,
                                        .arg = &q};
    if (url.scheme == REDIS_SENTINEL) {
        q.sentinels = redis_sentinels_new(loop, resolver, &url, config, on_facts_moved, &q);
        of_conn.place = (struct redis_place){0};
        of_conn.find = facts_find;
        of_conn.find_arg = q.sentinels;
    }
    q.conn = redis_conn_new(loop, resolver, &url, &of_conn);
    snprintf(q.at_first, sizeof q.at_first, "%s", redis_conn_why(q.conn));
    q.end_ms = clock_monotonic_ms() + timeout_ms;
    loop_timer_start(loop, &q.check, CHECK_MS);
    loop_run(loop);
    q.over = true;
    loop_timer_stop(loop, &q.check);
    redis_conn_free(q.conn);
    redis_sentinels_free(q.sentinels);
    loop_drain(loop);
    resolver_free(resolver);
    return facts->answers;
}
