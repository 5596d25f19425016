#include "engine/redis_subscriber.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "engine/hub.h"
#include "engine/redis_core.h"
#include "engine/redis_entry.h"
#include "engine/redis_reply.h"

enum { PROBE_LOST_MS = 1500 };

static const char channel_prefix[] = "video:";
enum { PREFIX_LEN = sizeof channel_prefix - 1 };

struct redis_subscriber {
    struct redis *redis;
    struct redis_conn *conn;
    char probe_channel[48]; // ours alone
    bool probing;           // the probe's channel is subscribed
    int64_t probe_sent_ms;  // Redis has taken it, and it has not come; 0: none
};

static void send_about(struct redis_subscriber *s, const char *command, const char *channel) {
    redis_conn_send(s->conn, 2, (const char *const[]){command, channel}, NULL, NULL, NULL);
}

static void send_about_video(struct redis_subscriber *s, const char *command, const char *video) {
    char channel[PREFIX_LEN + ENGINE_VIDEO_MAX + 1];
    if (!redis_conn_is_up(s->conn)) return; // on_up() subscribes to all
    snprintf(channel, sizeof channel, "%s%s", channel_prefix, video);
    send_about(s, command, channel);
}

void redis_subscriber_add(struct redis_subscriber *s, const char *video) {
    send_about_video(s, "SUBSCRIBE", video);
}

void redis_subscriber_remove(struct redis_subscriber *s, const char *video) {
    send_about_video(s, "UNSUBSCRIBE", video);
}

static void subscribe_again(void *arg, const char *video) {
    redis_subscriber_add(arg, video);
}

static void on_up(void *arg, const struct redis_server *server) {
    struct redis_subscriber *s = arg;
    (void)server;
    s->probe_sent_ms = 0;
    send_about(s, "SUBSCRIBE", s->probe_channel);
    hub_each_video(s->redis->hub, subscribe_again, s);
}

static void on_down(void *arg, const char *why) {
    struct redis_subscriber *s = arg;
    s->probing = false;
    s->probe_sent_ms = 0;
    if (!s->redis->closing) log_warn("engine", "redis_subscriber_lost", "why=\"%s\"", why);
}

static void take_entry(struct redis_subscriber *s, const char *channel, const char *json, size_t len) {
    struct engine_entry e;
    if (strncmp(channel, channel_prefix, PREFIX_LEN) != 0) return;
    if (redis_entry_read(&e, json, len))
        hub_publish(s->redis->hub, channel + PREFIX_LEN, &e);
    else if (log_sample(&s->redis->sampler, "engine", 1, loop_now_ms(s->redis->loop)))
        log_warn("engine", "message_ignored", "why=\"no JSON object on a video's channel\"");
}

static void take_subscribed(struct redis_subscriber *s, const char *channel) {
    if (!strcmp(channel, s->probe_channel))
        s->probing = true;
    else if (!strncmp(channel, channel_prefix, PREFIX_LEN))
        hub_say_subscribed(s->redis->hub, channel + PREFIX_LEN);
}

static void note_unexpected(struct redis_subscriber *s, const redisReply *reply) {
    struct redis *r = s->redis;
    if (redis_reply_is_text(redis_reply_item(reply, 0), "unsubscribe")) return;
    if (log_sample(&r->sampler, "engine", 1, loop_now_ms(r->loop)))
        log_warn("engine", "redis_reply_unexpected", "command=SUBSCRIBE type=%s", redis_reply_type(reply));
}

// Pushes are {"message", channel, payload}, {"subscribe" or "unsubscribe", channel, count} (redis.io,
// Pub/Sub, "Format of pushed messages").
static void on_message(void *arg, const redisReply *reply) {
    struct redis_subscriber *s = arg;
    size_t len;
    const redisReply *kind = redis_reply_item(reply, 0);
    const char *channel = redis_reply_text(redis_reply_item(reply, 1), NULL);
    const char *payload = redis_reply_text(redis_reply_item(reply, 2), &len);
    if (redis_reply_is_text(kind, "subscribe") && channel)
        take_subscribed(s, channel);
    else if (!redis_reply_is_text(kind, "message") || !channel || !payload)
        note_unexpected(s, reply);
    else if (!strcmp(channel, s->probe_channel))
        s->probe_sent_ms = 0;
    else
        take_entry(s, channel, payload, len);
}

// Probing

static void on_probe_sent(void *arg, const redisReply *reply) {
    struct redis_subscriber *s = arg;
    int64_t receivers;
    if (!redis_reply_integer(reply, &receivers))
        s->probe_sent_ms = 0; // nothing was published
    else if (!receivers && s->probing)
        redis_conn_cut(s->conn, "does not hand out what is published");
}

void redis_subscriber_probe(struct redis_subscriber *s) {
    struct redis *r = s->redis;
    int64_t now = loop_now_ms(r->loop);
    if (!s->probing || !redis_serves(r)) {
        s->probe_sent_ms = 0;
        return;
    }
    if (!s->probe_sent_ms) {
        s->probe_sent_ms = now;
        redis_conn_send(r->commands, 3, (const char *const[]){"PUBLISH", s->probe_channel, "?"}, NULL,
                        on_probe_sent, s);
    } else if (now - s->probe_sent_ms >= PROBE_LOST_MS && redis_conn_heard_ms(s->conn) < s->probe_sent_ms) {
        redis_conn_cut(s->conn, "does not hand out what is published");
    }
}

bool redis_subscriber_ready(const struct redis_subscriber *s, const char **why) {
    if (redis_conn_is_up(s->conn)) return true;
    *why = redis_conn_why(s->conn);
    return false;
}

void redis_subscriber_resolved(struct redis_subscriber *s) {
    redis_conn_resolved(s->conn);
}

struct redis_subscriber *redis_subscriber_new(struct redis *r) {
    struct redis_subscriber *s = mem_zalloc(sizeof *s);
    s->redis = r;
    snprintf(s->probe_channel, sizeof s->probe_channel, "chorus:probe:%016" PRIx64, hash_random());
    s->conn = redis_conn_new(r->loop, r->resolver, &r->url,
                             &(struct redis_conn_config){.name = "chorus-subscriber",
                                                         .on_up = on_up,
                                                         .on_down = on_down,
                                                         .on_message = on_message,
                                                         .arg = s});
    return s;
}

void redis_subscriber_free(struct redis_subscriber *s) {
    redis_conn_free(s->conn);
    free(s);
}
