#include "redis_sentinels.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/redis_config.h"
#include "redis_conn.h"
#include "redis_reply.h"
#include "net/loop.h"

// One of them, and what it said last.
struct sentinel {
    struct redis_sentinels *all;
    struct redis_conn *conn;
    struct redis_place primary; // port 0: nothing yet
    int64_t epoch;
    bool is_asked;
    bool is_ignorant; // it knows no primary of this name, and that is logged
};

struct redis_sentinels {
    struct loop *loop;
    const struct redis_url *url;
    void (*on_moved)(void *arg);
    void *arg;
    struct loop_timer timer;
    struct loop_job reap;
    struct redis_place primary;
    int64_t epoch;
    char why[REDIS_CONN_WHY_SIZE];
    size_t count;
    struct sentinel each[];
};

// Those that are not connected may be behind.
static const struct sentinel *sentinels_newest(const struct redis_sentinels *s) {
    const struct sentinel *newest = NULL;
    for (size_t i = 0; i < s->count; i++) {
        const struct sentinel *one = &s->each[i];
        if (!redis_conn_is_up(one->conn) || !one->primary.port) continue;
        if (!newest || one->epoch > newest->epoch) newest = one;
    }
    return newest;
}

static void sentinels_compare(struct redis_sentinels *s) {
    const struct sentinel *newest = sentinels_newest(s);
    if (!newest || redis_place_is(&newest->primary, &s->primary)) return;
    s->primary = newest->primary;
    s->epoch = newest->epoch;
    log_info("engine", "redis_primary", "name=%s host=%s port=%d epoch=%" PRId64, s->url->primary,
             s->primary.host, s->primary.port, s->epoch);
    s->on_moved(s->arg);
}

static const char *sentinel_field(const redisReply *reply, const char *name) {
    size_t count = 0;
    redis_reply_array(reply, &count);
    for (size_t i = 0; i + 1 < count; i += 2)
        if (redis_reply_is_text(redis_reply_item(reply, i), name))
            return redis_reply_text(redis_reply_item(reply, i + 1), NULL);
    return NULL;
}

static void sentinel_note_ignorant(struct sentinel *one, const char *error) {
    const struct redis_place *at = redis_conn_place(one->conn);
    if (!one->is_ignorant)
        log_warn("engine", "redis_sentinel_ignorant", "host=%s port=%d name=%s why=\"%.100s\"", at->host,
                 at->port, one->all->url->primary, error);
    one->is_ignorant = true;
}

// "SENTINEL MASTER <name>": fields and values (redis.io, Sentinel API).
static void on_sentinel_said(void *arg, const redisReply *reply) {
    struct sentinel *one = arg;
    const char *host = sentinel_field(reply, "ip"), *port = sentinel_field(reply, "port");
    const char *epoch = sentinel_field(reply, "config-epoch"), *error = redis_reply_error(reply);
    one->is_asked = false;
    if (error) sentinel_note_ignorant(one, error);
    if (!host || !port || !epoch || strlen(host) > REDIS_URL_HOST_MAX) return;
    long number = strtol(port, NULL, 10);
    if (number < 1 || number > 65535) return;
    one->is_ignorant = false;
    one->primary.port = (int)number;
    snprintf(one->primary.host, sizeof one->primary.host, "%s", host);
    one->epoch = strtoll(epoch, NULL, 10);
    sentinels_compare(one->all);
}

static void sentinel_ask(struct sentinel *one) {
    const char *const words[] = {"SENTINEL", "MASTER", one->all->url->primary};
    if (one->is_asked || !redis_conn_is_up(one->conn)) return;
    one->is_asked = true;
    redis_conn_send(one->conn, 3, words, (const size_t[]){8, 6, strlen(words[2])}, on_sentinel_said, one);
}

static void on_sentinel_up(void *arg, const struct redis_server *server) {
    (void)server;
    sentinel_ask(arg);
}

static void on_sentinel_down(void *arg, const char *why) {
    struct sentinel *one = arg;
    (void)why;
    one->is_asked = false;
    one->primary.port = 0;
}

static void sentinels_ask(struct redis_sentinels *s) {
    for (size_t i = 0; i < s->count; i++) sentinel_ask(&s->each[i]);
}

static void on_sentinels_due(struct loop_timer *t) {
    struct redis_sentinels *s = container_of(t, struct redis_sentinels, timer);
    sentinels_ask(s);
    loop_timer_start(s->loop, t, SENTINELS_ASK_MS);
}

bool redis_sentinels_find(struct redis_sentinels *s, struct redis_place *place, const char **why) {
    sentinels_ask(s);
    *place = s->primary;
    if (s->primary.port) return true;
    snprintf(s->why, sizeof s->why, "%s", redis_conn_why(s->each[0].conn));
    for (size_t i = 0; i < s->count; i++)
        if (redis_conn_is_up(s->each[i].conn))
            snprintf(s->why, sizeof s->why, "The Sentinels know no primary by the name %.100s.",
                     s->url->primary);
    *why = s->why;
    return false;
}

void redis_sentinels_resolved(struct redis_sentinels *s) {
    for (size_t i = 0; s && i < s->count; i++) redis_conn_resolved(s->each[i].conn);
}

struct redis_sentinels *redis_sentinels_new(struct loop *loop, struct resolver *resolver,
                                            const struct redis_url *url, const struct redis_config *config,
                                            void (*on_moved)(void *arg), void *arg) {
    struct redis_sentinels *s = mem_zalloc(sizeof *s + url->count * sizeof *s->each);
    s->loop = loop;
    s->url = url;
    s->on_moved = on_moved;
    s->arg = arg;
    s->count = url->count;
    for (size_t i = 0; i < s->count; i++) {
        s->each[i].all = s;
        s->each[i].conn = redis_conn_new(loop, resolver, url,
                                         &(struct redis_conn_config){.name = "chorus-sentinel",
                                                                     .peer = "The Sentinel",
                                                                     .place = url->at[i],
                                                                     .shy = true,
                                                                     .transports = config,
                                                                     .on_up = on_sentinel_up,
                                                                     .on_down = on_sentinel_down,
                                                                     .arg = &s->each[i]});
    }
    s->timer.on_due = on_sentinels_due;
    loop_timer_start(loop, &s->timer, SENTINELS_ASK_MS);
    return s;
}

static void on_sentinels_reap(struct loop_job *job) {
    free(container_of(job, struct redis_sentinels, reap));
}

void redis_sentinels_free(struct redis_sentinels *s) {
    if (!s) return;
    loop_timer_stop(s->loop, &s->timer);
    for (size_t i = 0; i < s->count; i++) redis_conn_free(s->each[i].conn);
    s->reap.run = on_sentinels_reap;
    loop_defer(s->loop, &s->reap);
}
