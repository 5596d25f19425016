#include "redis_confirm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "redis_conn.h"
#include "redis_reply.h"
#include "net/loop.h"

#include <utlist.h>

enum { LANES = 2 };

struct lane;

struct confirmed {
    struct lane *lane; // NULL: not sent yet
    redis_reply_cb *cb;
    void *arg;
    redisReply *reply; // kept until it is confirmed
    struct confirmed *prev, *next;
    size_t len;
    char frame[];
};

struct lane {
    struct redis_confirm *all;
    struct redis_conn *conn;
    struct confirmed *batch; // sent, and not answered
    size_t unanswered;       // of those, without a reply
    bool is_waiting;         // for the reply to WAIT
};

struct redis_confirm {
    struct loop *loop;
    struct redis_confirm_config config;
    struct lane lanes[LANES];
    unsigned turn; // which one is next
    struct confirmed *queue;
    struct loop_job turn_end, reap;
    bool turn_end_queued, is_closed;
};

static void confirmed_end(struct confirmed *item, const redisReply *reply) {
    redis_reply_cb *cb = item->cb;
    void *arg = item->arg;
    redisReply *kept = item->reply;
    free(item);
    cb(arg, reply);
    redis_reply_free(kept);
}

static void confirm_fail_queue(struct redis_confirm *c) {
    struct confirmed *item, *queue = c->queue;
    c->queue = NULL;
    while ((item = queue)) {
        DL_DELETE(queue, item);
        confirmed_end(item, NULL);
    }
}

// Sending

static void confirm_at_turn_end(struct redis_confirm *c) {
    if (c->turn_end_queued || c->is_closed) return;
    c->turn_end_queued = true;
    loop_defer(c->loop, &c->turn_end);
}

static void on_confirmed_reply(void *arg, const redisReply *reply) {
    struct confirmed *item = arg;
    struct lane *l = item->lane;
    if (!--l->unanswered) confirm_at_turn_end(l->all);
    if (reply && !redis_reply_error(reply)) {
        item->reply = redis_conn_keep_reply(l->conn);
        return;
    }
    DL_DELETE(l->batch, item);
    confirmed_end(item, reply);
}

static void confirm_note_missing(const struct redis_confirm_config *config, int64_t count) {
    char error[120];
    snprintf(error, sizeof error, "UNCONFIRMED %" PRId64 " of %d replicas have confirmed", count,
             config->replicas);
    config->on_missing(config->arg, error);
}

static void on_waited(void *arg, const redisReply *reply) {
    struct lane *l = arg;
    struct redis_confirm *all = l->all;
    int64_t count = 0;
    l->is_waiting = false;
    const struct redis_confirm_config *config = &all->config;
    bool has_count = redis_reply_integer(reply, &count), enough = has_count && count >= config->replicas;
    if (redis_reply_error(reply)) config->on_missing(config->arg, redis_reply_error(reply));
    if (has_count && !enough) confirm_note_missing(config, count);
    struct confirmed *item, *batch = l->batch;
    l->batch = NULL;
    while ((item = batch)) {
        DL_DELETE(batch, item);
        confirmed_end(item, enough ? item->reply : NULL);
    }
    confirm_at_turn_end(all);
}

static void lane_send(struct lane *l) {
    struct redis_confirm *c = l->all;
    struct confirmed *item;
    char count[12], ms[12];
    l->batch = c->queue;
    c->queue = NULL;
    DL_FOREACH(l->batch, item) {
        item->lane = l;
        l->unanswered++;
        redis_conn_send_framed(l->conn, item->frame, item->len, on_confirmed_reply, item);
    }
    const char *const words[] = {"WAIT", count, ms};
    snprintf(count, sizeof count, "%d", c->config.replicas);
    snprintf(ms, sizeof ms, "%d", c->config.ms);
    l->is_waiting = true;
    redis_conn_send(l->conn, 3, words, (const size_t[]){4, strlen(count), strlen(ms)}, on_waited, l);
}

static void confirm_send_queue(struct redis_confirm *c) {
    for (size_t i = 0; i < LANES; i++)
        if (c->lanes[i].unanswered) return;
    for (unsigned i = 0; c->queue && i < LANES; i++) {
        struct lane *l = &c->lanes[(c->turn + i) % LANES];
        if (l->is_waiting || !redis_conn_is_up(l->conn)) continue;
        lane_send(l);
        c->turn = (c->turn + i + 1) % LANES;
    }
}

static void on_confirm_turn_end(struct loop_job *job) {
    struct redis_confirm *c = container_of(job, struct redis_confirm, turn_end);
    c->turn_end_queued = false;
    if (c->is_closed) return;
    if (redis_confirm_is_up(c))
        confirm_send_queue(c);
    else
        confirm_fail_queue(c);
}

void redis_confirm_send(struct redis_confirm *c, const char *frame, size_t len, redis_reply_cb *cb,
                        void *arg) {
    struct confirmed *item = mem_alloc(sizeof *item + len);
    *item = (struct confirmed){.cb = cb, .arg = arg, .len = len};
    memcpy(item->frame, frame, len);
    DL_APPEND(c->queue, item);
    confirm_at_turn_end(c);
}

// Connections

static void on_lane_up(void *arg, const struct redis_server *server) {
    struct lane *l = arg;
    (void)server;
    confirm_at_turn_end(l->all);
}

// What was sent has been answered with NULL.
static void on_lane_down(void *arg, const char *why) {
    struct lane *l = arg;
    (void)why;
    confirm_at_turn_end(l->all);
}

bool redis_confirm_is_up(const struct redis_confirm *c) {
    for (size_t i = 0; i < LANES; i++)
        if (redis_conn_accepts(c->lanes[i].conn)) return true;
    return false;
}

void redis_confirm_resolved(struct redis_confirm *c) {
    for (size_t i = 0; c && i < LANES; i++) redis_conn_resolved(c->lanes[i].conn);
}

void redis_confirm_look(struct redis_confirm *c) {
    for (size_t i = 0; c && i < LANES; i++) redis_conn_look(c->lanes[i].conn);
}

void redis_confirm_drain(struct redis_confirm *c, int timeout_ms) {
    confirm_send_queue(c);
    for (size_t i = 0; i < LANES; i++) redis_conn_drain(c->lanes[i].conn, timeout_ms / LANES);
}

struct redis_confirm *redis_confirm_new(struct loop *loop, struct resolver *resolver,
                                        const struct redis_url *url, const struct redis_conn_config *conn,
                                        const struct redis_confirm_config *config) {
    struct redis_confirm *c = mem_zalloc(sizeof *c);
    struct redis_conn_config own = *conn;
    c->loop = loop;
    c->config = *config;
    c->turn_end.run = on_confirm_turn_end;
    own.on_up = on_lane_up;
    own.on_down = on_lane_down;
    for (size_t i = 0; i < LANES; i++) {
        c->lanes[i].all = c;
        own.arg = &c->lanes[i];
        c->lanes[i].conn = redis_conn_new(loop, resolver, url, &own);
    }
    return c;
}

static void on_confirm_reap(struct loop_job *job) {
    free(container_of(job, struct redis_confirm, reap));
}

void redis_confirm_free(struct redis_confirm *c) {
    if (!c) return;
    c->is_closed = true;
    for (size_t i = 0; i < LANES; i++) redis_conn_free(c->lanes[i].conn);
    confirm_fail_queue(c);
    c->reap.run = on_confirm_reap;
    loop_defer(c->loop, &c->reap);
}
