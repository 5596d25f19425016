#include "redis_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "redis_by_slot.h"
#include "redis_core.h"
#include "redis_node.h"
#include "redis_reply.h"
#include "redis_slots.h"
#include "redis_subscriber.h"

#include <utlist.h>

enum {
    STEADY_MS = 30000,
    HASTY_MS = 200,
    AT_ONCE_MS = 20,
    EMPTY_MS = 5000,   // a server without slots is given up
    NEEDED_MS = 10000, // after an operation
    NODES_MAX = 1024
};

struct redis_cluster {
    struct redis *redis;
    void (*on_slot)(struct redis *, unsigned slot, struct redis_node *from);
    struct loop_timer timer;
    bool is_asking;
    bool is_known; // some table has been read
    unsigned turn; // which server is asked next
};

static struct redis_node *cluster_find(const struct redis *r, const struct redis_place *place) {
    struct redis_node *n;
    DL_FOREACH(r->nodes, n) {
        if (redis_place_is(&n->place, place)) return n;
    }
    return NULL;
}

static struct redis_node *cluster_node_at(struct redis *r, const struct redis_place *place) {
    struct redis_node *n = cluster_find(r, place);
    int count = 0;
    if (n) return n;
    DL_COUNT(r->nodes, n, count);
    if (count >= NODES_MAX) return NULL;
    return redis_node_new(r, place);
}

static void cluster_give(struct redis_cluster *c, unsigned slot, struct redis_node *to) {
    struct redis *r = c->redis;
    struct redis_node *from = r->owners[slot];
    int64_t now = loop_now_ms(r->loop);
    if (!to || from == to) return;
    r->owners[slot] = to;
    to->slots++;
    to->slots_ms = now;
    if (from) {
        from->slots--;
        from->slots_ms = now;
    }
    c->on_slot(r, slot, from);
}

// Servers whose slots have changed begin to serve, and probe where they still can.
static void cluster_settle(struct redis_cluster *c) {
    struct redis_node *n;
    DL_FOREACH(c->redis->nodes, n) {
        redis_node_settle(n);
        redis_subscriber_settle(n->subscriber);
    }
}

// Reading the table

// Reads {host, port, ...}. Where the host is not said, it is that of the server that was asked.
static bool read_place(const struct redis_node *asked, const redisReply *reply, struct redis_place *place) {
    size_t len = 0;
    int64_t port;
    const char *host = redis_reply_text(redis_reply_item(reply, 0), &len);
    if (!redis_reply_integer(redis_reply_item(reply, 1), &port) || port < 1 || port > 65535) return false;
    if (!host || !len || !strcmp(host, "?")) host = asked->place.host;
    if (strlen(host) > REDIS_URL_HOST_MAX) return false;
    snprintf(place->host, sizeof place->host, "%s", host);
    place->port = (int)port;
    return true;
}

static void cluster_read_range(struct redis_cluster *c, const struct redis_node *asked,
                               const redisReply *range) {
    struct redis_place place;
    int64_t first, last;
    if (!redis_reply_integer(redis_reply_item(range, 0), &first) ||
        !redis_reply_integer(redis_reply_item(range, 1), &last) || first < 0 || last >= REDIS_SLOTS ||
        !read_place(asked, redis_reply_item(range, 2), &place))
        return;
    struct redis_node *to = cluster_node_at(c->redis, &place);
    for (int64_t slot = first; slot <= last; slot++) cluster_give(c, (unsigned)slot, to);
}

static void cluster_give_up_empty(struct redis_cluster *c) {
    struct redis_node *n, *next;
    int64_t now = loop_now_ms(c->redis->loop);
    DL_FOREACH_SAFE(c->redis->nodes, n, next) {
        if (!n->slots && now - n->slots_ms >= EMPTY_MS) redis_node_free(n);
    }
}

static bool cluster_is_whole(const struct redis_cluster *c) {
    const struct redis_node *n;
    bool has_slots = false;
    DL_FOREACH(c->redis->nodes, n) {
        has_slots = has_slots || n->slots;
        if (n->slots && !redis_node_serves(n)) return false;
    }
    return has_slots;
}

static void cluster_plan(struct redis_cluster *c) {
    int64_t ms = cluster_is_whole(c) ? STEADY_MS - STEADY_MS / 10 + (int64_t)(hash_random() % (STEADY_MS / 5))
                                     : HASTY_MS;
    loop_timer_start(c->redis->loop, &c->timer, ms);
}

static void on_slots(void *arg, const redisReply *reply) {
    struct redis_node *asked = arg;
    struct redis_cluster *c = asked->redis->cluster;
    size_t count;
    if (!c) return; // closed
    c->is_asking = false;
    if (redis_reply_array(reply, &count) && count) {
        for (size_t i = 0; i < count; i++) cluster_read_range(c, asked, redis_reply_item(reply, i));
        if (!c->is_known) log_info("engine", "redis_cluster", "ranges=%zu", count);
        c->is_known = true;
        cluster_settle(c);
    }
    const char *error = redis_reply_error(reply);
    if (error && !c->is_known) redis_refusal_note(&asked->refusal, "cluster", error);
    cluster_plan(c);
}

// Returns one that is connected, each time another one.
static struct redis_node *cluster_choose(struct redis_cluster *c) {
    struct redis_node *n, *connected = NULL;
    unsigned count = 0;
    DL_FOREACH(c->redis->nodes, n) {
        count += redis_conn_accepts(n->commands);
    }
    unsigned at = count ? c->turn++ % count : 0;
    DL_FOREACH(c->redis->nodes, n) {
        if (!redis_conn_accepts(n->commands)) continue;
        connected = n;
        if (!at--) break;
    }
    return connected;
}

static void cluster_try_url(struct redis_cluster *c) {
    struct redis *r = c->redis;
    for (size_t i = 0; i < r->url.count; i++) cluster_node_at(r, &r->url.at[i]);
}

static void cluster_ask(struct redis_cluster *c) {
    static const char *const words[] = {"CLUSTER", "SLOTS"};
    struct redis_node *n = cluster_choose(c);
    if (c->is_asking) return;
    if (n) {
        c->is_asking = true;
        redis_conn_send(n->commands, 2, words, (const size_t[]){7, 5}, on_slots, n);
    } else {
        cluster_try_url(c);
        cluster_plan(c);
    }
}

static void on_cluster_due(struct loop_timer *t) {
    struct redis_cluster *c = container_of(t, struct redis_cluster, timer);
    cluster_give_up_empty(c);
    cluster_ask(c);
}

// What others tell

static void cluster_unsettled(struct redis *r) {
    struct redis_cluster *c = r->cluster;
    if (!c || r->is_closed || c->is_asking) return;
    loop_timer_start(r->loop, &c->timer, AT_ONCE_MS);
}

static void cluster_moved(struct redis *r, unsigned slot, const struct redis_place *place) {
    if (!r->cluster || r->is_closed) return;
    cluster_give(r->cluster, slot, cluster_node_at(r, place));
    cluster_settle(r->cluster);
    cluster_unsettled(r);
}

static void on_cluster_up(struct redis_node *n) {
    if (n->redis->cluster) cluster_ask(n->redis->cluster);
}

static bool is_needed(const struct redis *r, const struct redis_node *n) {
    char *const *names;
    if (loop_now_ms(r->loop) - n->used_ms < NEEDED_MS) return true;
    for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
        if (r->owners[slot] == n && redis_by_slot_of(r->by_slot, slot, &names)) return true;
    return false;
}

bool redis_cluster_ready(const struct redis_cluster *c, const char **why) {
    const struct redis *r = c->redis;
    const struct redis_node *n;
    DL_FOREACH(r->nodes, n) {
        if (c->is_known && (!n->slots || !is_needed(r, n))) continue;
        if (!redis_node_ready(n, why)) return false;
    }
    *why = "The Redis Cluster has not said yet which server has which slots.";
    return c->is_known;
}

struct redis_cluster *redis_cluster_new(struct redis *r, void (*on_slot)(struct redis *, unsigned slot,
                                                                         struct redis_node *from)) {
    struct redis_cluster *c = mem_zalloc(sizeof *c);
    c->redis = r;
    c->on_slot = on_slot;
    r->cluster = c;
    r->owners = mem_zalloc(REDIS_SLOTS * sizeof *r->owners);
    r->again_of = mem_zalloc(REDIS_SLOTS * sizeof *r->again_of);
    r->tags = mem_alloc(sizeof *r->tags);
    redis_tags_init(r->tags);
    r->by_slot = redis_by_slot_new();
    r->on_up = on_cluster_up;
    r->on_moved = cluster_moved;
    r->node_at = cluster_node_at;
    r->on_unsettled = cluster_unsettled;
    c->timer.on_due = on_cluster_due;
    cluster_try_url(c);
    loop_timer_start(r->loop, &c->timer, HASTY_MS);
    return c;
}

void redis_cluster_free(struct redis_cluster *c) {
    if (!c) return;
    loop_timer_stop(c->redis->loop, &c->timer);
    c->redis->cluster = NULL;
    free(c);
}
