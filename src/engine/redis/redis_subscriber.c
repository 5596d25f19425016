#include "redis_subscriber.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/hub.h"
#include "redis_by_slot.h"
#include "redis_core.h"
#include "redis_entry.h"
#include "redis_error.h"
#include "redis_reply.h"
#include "redis_slots.h"

enum { PROBE_LOST_MS = 1500, FIRST_RETRY_MS = 250, LAST_RETRY_MS = 8000 };

static const char channel_prefix[] = "video:";
enum { PREFIX_LEN = sizeof channel_prefix - 1, CHANNEL_SIZE = PREFIX_LEN + ENGINE_VIDEO_MAX + 1 };

// A SUBSCRIBE may be refused, and the error does not say which one. So all of them are sent between two of
// the probe's channel: if the second one is confirmed and no error has come, all are active.
enum subscribing {
    SUBSCRIBING_FIRST,   // the probe's channel alone, because Redis has refused before: the rest follows
    SUBSCRIBING_ALL,     // all are sent
    SUBSCRIBING_REST,    // and the first is confirmed
    SUBSCRIBING_DONE,    // the second, too
    SUBSCRIBING_REFUSED, // until it is tried again
};

struct redis_subscriber {
    struct redis_node *node;
    struct redis *redis;
    struct redis_conn *conn;
    enum subscribing subscribing;
    char why[160]; // a sentence while something is refused
    struct loop_timer retry;
    int64_t retry_ms;
    char probe_channel[48]; // ours alone; empty: there is no slot to have it in
    bool has_been_up;
    bool probing;          // it is subscribed on this connection
    int64_t probe_sent_ms; // to Redis, and not received yet; 0: none is
};

static void subscriber_send(struct redis_subscriber *s, const char *command, const char *channel) {
    redis_conn_send(s->conn, 2, (const char *const[]){command, channel}, NULL, NULL, NULL);
}

static void subscriber_send_video(struct redis_subscriber *s, const char *command, const char *video) {
    char channel[CHANNEL_SIZE];
    if (!redis_conn_is_up(s->conn)) return; // on_up() subscribes to all
    snprintf(channel, sizeof channel, "%s%s", channel_prefix, video);
    subscriber_send(s, command, channel);
}

// The words of a Cluster have an S in front.
static const char *word(const struct redis_subscriber *s, const char *sharded) {
    return s->redis->owners ? sharded : sharded + 1;
}

void redis_subscriber_add(struct redis_subscriber *s, const char *video) {
    subscriber_send_video(s, word(s, "SSUBSCRIBE"), video);
}

void redis_subscriber_remove(struct redis_subscriber *s, const char *video) {
    subscriber_send_video(s, word(s, "SUNSUBSCRIBE"), video);
}

void redis_subscriber_listen(struct redis_subscriber *s, const char *channel) {
    if (redis_conn_is_up(s->conn)) subscriber_send(s, word(s, "SSUBSCRIBE"), channel);
}

void redis_subscriber_unlisten(struct redis_subscriber *s, const char *channel) {
    if (redis_conn_is_up(s->conn)) subscriber_send(s, word(s, "SUNSUBSCRIBE"), channel);
}

// Many videos, with a command for each SUBSCRIBED_AT_ONCE of them; in a Cluster all those of a command are in
// one slot.
enum { SUBSCRIBED_AT_ONCE = 64 };
struct subscriptions {
    struct redis_subscriber *to;
    int count;
    char channels[SUBSCRIBED_AT_ONCE][CHANNEL_SIZE];
};

static void subscriptions_send(struct subscriptions *all) {
    const char *argv[1 + SUBSCRIBED_AT_ONCE] = {word(all->to, "SSUBSCRIBE")};
    for (int i = 0; i < all->count; i++) argv[1 + i] = all->channels[i];
    if (all->count) redis_conn_send(all->to->conn, 1 + all->count, argv, NULL, NULL, NULL);
    all->count = 0;
}

static void subscriptions_add(void *arg, const char *video) {
    struct subscriptions *all = arg;
    // A command is refused as a whole: where one has been, each video has its own.
    if (all->count == (all->to->why[0] ? 1 : SUBSCRIBED_AT_ONCE)) subscriptions_send(all);
    snprintf(all->channels[all->count++], CHANNEL_SIZE, "%s%s", channel_prefix, video);
}

void redis_subscriber_add_slot(struct redis_subscriber *s, char *const *videos, size_t count) {
    struct subscriptions all = {.to = s, .count = 0};
    if (!redis_conn_is_up(s->conn)) return;
    for (size_t i = 0; i < count; i++) subscriptions_add(&all, videos[i]);
    subscriptions_send(&all);
}

static void subscribe_rest(struct redis_subscriber *s) {
    const struct redis *r = s->redis;
    struct subscriptions all = {.to = s, .count = 0};
    char *const *videos;
    if (!r->owners) hub_each_video(r->hub, subscriptions_add, &all);
    subscriptions_send(&all);
    for (unsigned slot = 0; r->owners && slot < REDIS_SLOTS; slot++) {
        if (r->owners[slot] != s->node) continue;
        size_t count = redis_by_slot_of(r->by_slot, slot, &videos);
        redis_subscriber_add_slot(s, videos, count);
    }
    redis_subscriber_listen(s, s->probe_channel);
}

// Makes the name of the probe's channel. In a Cluster it lies in a slot of the server, or is empty if that
// has none.
static void subscriber_name_probe(struct redis_subscriber *s) {
    const char *tag = redis_node_tag(s->node);
    s->probe_channel[0] = 0;
    if (!s->redis->owners)
        snprintf(s->probe_channel, sizeof s->probe_channel, "video:/%016" PRIx64, hash_random());
    else if (tag)
        snprintf(s->probe_channel, sizeof s->probe_channel, "video:/{%s}%016" PRIx64, tag, hash_random());
}

static void subscribe_all(struct redis_subscriber *s, enum subscribing first) {
    s->subscribing = first;
    if (!s->probe_channel[0]) return;
    redis_subscriber_listen(s, s->probe_channel);
    if (first == SUBSCRIBING_ALL) subscribe_rest(s);
}

static void on_subscriber_up(void *arg, const struct redis_server *server) {
    struct redis_subscriber *s = arg;
    (void)server;
    s->redis->stats.reconnects += s->has_been_up;
    s->has_been_up = true;
    s->probe_sent_ms = 0;
    if (s->redis->owners) subscriber_name_probe(s);
    subscribe_all(s, SUBSCRIBING_ALL);
    s->redis->on_subscriber(s->node);
}

void redis_subscriber_settle(struct redis_subscriber *s) {
    bool has_probe = s->probe_channel[0] && redis_node_of(s->redis, s->probe_channel) == s->node;
    if (has_probe || !redis_conn_is_up(s->conn)) return;
    bool is_new = !s->probe_channel[0];
    s->probing = false;
    s->probe_sent_ms = 0;
    subscriber_name_probe(s);
    if (is_new)
        subscribe_all(s, SUBSCRIBING_ALL);
    else if (s->probe_channel[0])
        redis_subscriber_listen(s, s->probe_channel);
}

static void on_subscriber_retry(struct loop_timer *t) {
    struct redis_subscriber *s = container_of(t, struct redis_subscriber, retry);
    if (!redis_conn_is_up(s->conn)) return;
    subscribe_all(s, SUBSCRIBING_FIRST);
    s->redis->on_subscriber(s->node);
}

static void note_refused(struct redis_subscriber *s, const char *error) {
    char clause[120], why[sizeof s->why];
    redis_error_clause(error, clause, sizeof clause);
    snprintf(why, sizeof why, "Redis %s.", clause);
    s->subscribing = SUBSCRIBING_REFUSED;
    if (strcmp(why, s->why) != 0) {
        log_warn("engine", "redis_unusable", "command=subscribe why=\"%s\"", why);
        memcpy(s->why, why, sizeof why);
        s->retry_ms = FIRST_RETRY_MS;
    }
    if (s->retry.slot || s->redis->is_closed) return;
    loop_timer_start(s->redis->loop, &s->retry,
                     s->retry_ms / 2 + (int64_t)(hash_random() % (uint64_t)s->retry_ms));
    s->retry_ms = 2 * s->retry_ms < LAST_RETRY_MS ? 2 * s->retry_ms : LAST_RETRY_MS;
}

static void note_all_subscribed(struct redis_subscriber *s) {
    if (!s->why[0]) return;
    log_info("engine", "redis_accepts_again", "command=subscribe");
    s->why[0] = 0;
    loop_timer_stop(s->redis->loop, &s->retry);
}

static void on_subscriber_down(void *arg, const char *why) {
    struct redis_subscriber *s = arg;
    s->probing = false;
    s->probe_sent_ms = 0;
    if (s->redis->is_closed) return;
    log_warn("engine", "redis_subscriber_lost", "why=\"%s\"", why);
    if (s->redis->owners) s->redis->on_unsettled(s->redis);
}

static void take_entry(struct redis_subscriber *s, const char *channel, const char *json, size_t len) {
    struct engine_entry e;
    if (redis_entry_of_message(&e, json, len))
        hub_publish(s->redis->hub, channel + PREFIX_LEN, &e);
    else if (log_sample(&s->redis->sampler, "engine", 1, loop_now_ms(s->redis->loop)))
        log_warn("engine", "message_ignored", "why=\"no JSON object on a video's channel, or a huge one\"");
}

// A server of a Cluster that was deposed passes on what its new primary publishes, until its connection is
// given up. A message has no number by which a second one would be known: only the slot's server counts.
static void take_message(struct redis_subscriber *s, const char *channel, const char *body, size_t len) {
    if (redis_node_of(s->redis, channel) == s->node) s->redis->on_message(s->redis, channel, body, len);
}

static void take_probe_subscribed(struct redis_subscriber *s) {
    s->probing = true;
    switch (s->subscribing) {
    case SUBSCRIBING_FIRST:
        s->subscribing = SUBSCRIBING_REST;
        subscribe_rest(s);
        break;
    case SUBSCRIBING_ALL: s->subscribing = SUBSCRIBING_REST; break;
    case SUBSCRIBING_REST:
        s->subscribing = SUBSCRIBING_DONE;
        note_all_subscribed(s);
        break;
    case SUBSCRIBING_DONE:
    case SUBSCRIBING_REFUSED: break;
    }
}

static void take_subscribed(struct redis_subscriber *s, const char *channel) {
    if (!strcmp(channel, s->probe_channel))
        take_probe_subscribed(s);
    else if (!strncmp(channel, channel_prefix, PREFIX_LEN))
        hub_notify_subscribed(s->redis->hub, channel + PREFIX_LEN);
}

// In a Cluster: that the slot is another server's. on_moved() subscribes there.
static bool take_moved(struct redis_subscriber *s, const char *error) {
    struct redis_place place;
    unsigned slot;
    if (!s->redis->owners || redis_error_action(error) < REDIS_MOVED) return false;
    if (redis_node_error_place(s->node, error, &slot, &place))
        s->redis->on_moved(s->redis, slot, &place);
    else
        s->redis->on_unsettled(s->redis);
    return true;
}

// In a Cluster, of a slot that is taken from the server: to subscribe there again makes it say whose the slot
// is.
static void take_unsubscribed(struct redis_subscriber *s, const char *channel) {
    bool is_ours = redis_node_of(s->redis, channel) == s->node;
    if (!strcmp(channel, s->probe_channel)) {
        s->probing = false;
        s->probe_sent_ms = 0;
        redis_subscriber_listen(s, channel);
    } else if (is_ours && strncmp(channel, channel_prefix, PREFIX_LEN) != 0) {
        s->redis->on_subscriber(s->node);
    } else if (is_ours && hub_has_video(s->redis->hub, channel + PREFIX_LEN)) {
        redis_subscriber_listen(s, channel);
    }
}

static void note_unexpected(struct redis_subscriber *s, const redisReply *reply) {
    struct redis *r = s->redis;
    if (redis_reply_is_text(redis_reply_item(reply, 0), "unsubscribe")) return;
    if (log_sample(&r->sampler, "engine", 1, loop_now_ms(r->loop)))
        log_warn("engine", "redis_reply_unexpected", "command=SUBSCRIBE type=%s", redis_reply_type(reply));
}

// Pushes are {"message", channel, payload}, {"subscribe" or "unsubscribe", channel, count} (redis.io,
// Pub/Sub, "Format of pushed messages"); sharded ones have an s in front.
static void on_message(void *arg, const redisReply *reply) {
    struct redis_subscriber *s = arg;
    size_t len;
    const char *text = redis_reply_text(redis_reply_item(reply, 0), NULL), *kind = text ? text : "";
    if (s->redis->owners && *kind == 's') kind++;
    const char *error = redis_reply_error(reply);
    const char *channel = redis_reply_text(redis_reply_item(reply, 1), NULL);
    const char *payload = redis_reply_text(redis_reply_item(reply, 2), &len);
    if (error && take_moved(s, error)) return;
    if (error)
        note_refused(s, error);
    else if (!strcmp(kind, "subscribe") && channel)
        take_subscribed(s, channel);
    else if (s->redis->owners && !strcmp(kind, "unsubscribe") && channel)
        take_unsubscribed(s, channel);
    else if (strcmp(kind, "message") != 0 || !channel || !payload)
        note_unexpected(s, reply);
    else if (!strcmp(channel, s->probe_channel))
        s->probe_sent_ms = 0;
    else if (strncmp(channel, channel_prefix, PREFIX_LEN) != 0)
        take_message(s, channel, payload, len);
    else
        take_entry(s, channel, payload, len);
}

// Probing

static void on_probe_sent(void *arg, const redisReply *reply) {
    struct redis_subscriber *s = arg;
    int64_t receivers;
    const char *error = redis_reply_error(reply);
    if (error)
        redis_core_refused(s->node, "publish", error);
    else if (reply)
        redis_refusal_clear(&s->node->refusal, "publish");
    if (!redis_reply_integer(reply, &receivers))
        s->probe_sent_ms = 0; // nothing was published
    else if (!receivers && s->probing)
        redis_conn_cut(s->conn, "does not deliver what is published");
}

void redis_subscriber_probe(struct redis_subscriber *s) {
    struct redis *r = s->redis;
    int64_t now = loop_now_ms(r->loop);
    if (!s->probing || !redis_node_serves(s->node)) {
        s->probe_sent_ms = 0;
        return;
    }
    if (!s->probe_sent_ms) {
        s->probe_sent_ms = now;
        redis_conn_send(s->node->commands, 3,
                        (const char *const[]){word(s, "SPUBLISH"), s->probe_channel, "?"}, NULL,
                        on_probe_sent, s);
    } else if (now - s->probe_sent_ms >= PROBE_LOST_MS &&
               redis_conn_received_ms(s->conn) < s->probe_sent_ms) {
        redis_conn_cut(s->conn, "does not deliver what is published");
    }
}

bool redis_subscriber_ready(const struct redis_subscriber *s, const char **why) {
    if (redis_conn_is_up(s->conn) && !s->why[0]) return true;
    *why = s->why[0] ? s->why : redis_conn_why(s->conn);
    return false;
}

void redis_subscriber_resolved(struct redis_subscriber *s) {
    redis_conn_resolved(s->conn);
}

void redis_subscriber_look(struct redis_subscriber *s) {
    redis_conn_look(s->conn);
}

struct redis_subscriber *redis_subscriber_new(struct redis_node *n, const struct redis_conn_config *how) {
    struct redis_subscriber *s = mem_zalloc(sizeof *s);
    struct redis_conn_config config = *how;
    struct redis *r = n->redis;
    s->node = n;
    s->redis = r;
    s->retry.on_due = on_subscriber_retry;
    subscriber_name_probe(s);
    config.on_up = on_subscriber_up;
    config.on_down = on_subscriber_down;
    config.on_message = on_message;
    config.arg = s;
    s->conn = redis_conn_new(r->loop, r->resolver, &r->url, &config);
    return s;
}

void redis_subscriber_close(struct redis_subscriber *s) {
    loop_timer_stop(s->redis->loop, &s->retry);
    redis_conn_free(s->conn);
    s->conn = NULL;
}

void redis_subscriber_reap(struct redis_subscriber *s) {
    free(s);
}
