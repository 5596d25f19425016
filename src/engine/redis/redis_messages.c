#include "redis_messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/messages.h"
#include "redis_core.h"
#include "redis_error.h"
#include "redis_reply.h"
#include "redis_slots.h"
#include "redis_subscriber.h"

#include <utlist.h>

enum { PREFIX_LEN = sizeof REDIS_MESSAGES_PREFIX - 1, CHANNEL_SIZE = PREFIX_LEN + ENGINE_TOPIC_MAX + 1 };

// A topic with a listener.
struct redis_topic {
    enum { TOPIC_UNCHECKED, TOPIC_CHECKING, TOPIC_LISTENING, TOPIC_REFUSED } state;
    int64_t refused_ms;
    struct redis_topic *next;
    char name[];
};

struct redis_messages {
    struct redis *redis;
    struct messages *listeners;
    struct redis_topic *topics;
    size_t waiting_bytes;               // published and not answered
    char refused[ENGINE_TOPIC_MAX + 1]; // a topic that was, and that has been logged; empty: none
};

// A PUBLISH on its way.
struct publishing {
    struct redis_messages *messages;
    size_t bytes;
    bool checks; // whether the topic is permitted
    char topic[];
};

static struct redis_messages *messages_of(struct engine *engine) {
    return ((struct redis *)engine)->messages;
}

static void topic_channel(char channel[CHANNEL_SIZE], const char *topic) {
    snprintf(channel, CHANNEL_SIZE, REDIS_MESSAGES_PREFIX "%s", topic);
}

static struct redis_topic *topic_find(const struct redis_messages *m, const char *name) {
    struct redis_topic *t;
    LL_FOREACH(m->topics, t) {
        if (!strcmp(t->name, name)) return t;
    }
    return NULL;
}

// Publishing

static void messages_note_refused(struct redis_messages *m, const char *topic, const char *error) {
    char clause[REDIS_ERROR_CLAUSE];
    if (m->refused[0]) return;
    snprintf(m->refused, sizeof m->refused, "%s", topic);
    redis_error_clause(error, clause, sizeof clause);
    log_warn("engine", "redis_messages_refused",
             "why=\"Redis %s.\" action=\"counting viewers without other processes; permit the channels "
             "chorus:*\"",
             clause);
}

static void messages_note_accepted(struct redis_messages *m, const char *topic) {
    struct redis_topic *t;
    if (strcmp(m->refused, topic) != 0) return;
    m->refused[0] = 0;
    log_info("engine", "redis_messages_accepted", "channels=chorus:*");
    LL_FOREACH(m->topics, t) {
        if (t->state == TOPIC_REFUSED) t->state = TOPIC_UNCHECKED;
    }
}

static void topic_checked(struct redis_messages *m, struct redis_topic *t, bool permitted) {
    char channel[CHANNEL_SIZE];
    t->state = permitted ? TOPIC_LISTENING : TOPIC_REFUSED;
    t->refused_ms = loop_now_ms(m->redis->loop);
    if (!permitted) return;
    topic_channel(channel, t->name);
    const struct redis_node *n = redis_node_of(m->redis, channel);
    if (n) redis_subscriber_listen(n->subscriber, channel);
}

static void on_published(void *arg, const redisReply *reply) {
    struct publishing *p = arg;
    struct redis_messages *m = p->messages;
    const char *error = redis_reply_error(reply);
    if (error && m->redis->owners && redis_error_action(error) > REDIS_CUTS) { // the message is lost
        m->redis->on_unsettled(m->redis);
        reply = NULL;
        error = NULL;
    }
    struct redis_topic *t = p->checks ? topic_find(m, p->topic) : NULL;
    m->waiting_bytes -= p->bytes;
    if (error)
        messages_note_refused(m, p->topic, error);
    else if (reply)
        messages_note_accepted(m, p->topic);
    if (t && t->state == TOPIC_CHECKING) {
        if (reply)
            topic_checked(m, t, !error);
        else
            t->state = TOPIC_UNCHECKED;
    }
    free(p);
}

static void messages_publish(struct redis_messages *m, const char *topic, const void *body, size_t len) {
    char channel[CHANNEL_SIZE];
    size_t topic_size = strlen(topic) + 1;
    struct publishing *p = mem_alloc(sizeof *p + topic_size);
    p->messages = m;
    p->bytes = topic_size + len;
    p->checks = !len;
    memcpy(p->topic, topic, topic_size);
    m->waiting_bytes += p->bytes;
    topic_channel(channel, topic);
    const char *word = m->redis->owners ? "SPUBLISH" : "PUBLISH";
    redis_conn_send(redis_node_of(m->redis, channel)->commands, 3,
                    (const char *const[]){word, channel, len ? body : ""},
                    (const size_t[]){strlen(word), strlen(channel), len}, on_published, p);
}

static bool topic_is_served(const struct redis_messages *m, const char *topic) {
    char channel[CHANNEL_SIZE];
    topic_channel(channel, topic);
    const struct redis_node *n = redis_node_of(m->redis, channel);
    return n && redis_node_serves(n);
}

void redis_notify(struct engine *engine, const char *topic, const void *body, size_t len) {
    struct redis_messages *m = messages_of(engine);
    bool room = m->waiting_bytes + strlen(topic) + 1 + len <= ENGINE_MESSAGES_WAITING;
    if (room && messages_fit(topic, len) && topic_is_served(m, topic)) messages_publish(m, topic, body, len);
}

// Listening

static bool topic_is_due(const struct redis_messages *m, const struct redis_topic *t) {
    int64_t refused_for_ms = loop_now_ms(m->redis->loop) - t->refused_ms;
    return t->state == TOPIC_UNCHECKED ||
           (t->state == TOPIC_REFUSED && refused_for_ms >= REDIS_MESSAGES_AGAIN_MS);
}

void redis_messages_check(struct redis_messages *m) {
    struct redis_topic *t;
    LL_FOREACH(m->topics, t) {
        if (!topic_is_due(m, t) || !topic_is_served(m, t->name)) continue;
        t->state = TOPIC_CHECKING;
        messages_publish(m, t->name, NULL, 0);
    }
}

void redis_messages_begin(struct redis_messages *m) {
    struct redis_topic *t;
    LL_FOREACH(m->topics, t) t->state = TOPIC_UNCHECKED;
    redis_messages_check(m);
}

struct engine_listener *redis_listen(struct engine *engine, const char *topic, engine_message_cb *cb,
                                     void *arg) {
    struct redis_messages *m = messages_of(engine);
    if (!topic_find(m, topic)) {
        size_t size = strlen(topic) + 1;
        struct redis_topic *t = mem_zalloc(sizeof *t + size);
        memcpy(t->name, topic, size);
        LL_PREPEND(m->topics, t);
        redis_messages_check(m);
    }
    return messages_listen(m->listeners, topic, cb, arg);
}

void redis_unlisten(struct engine *engine, struct engine_listener *l) {
    struct redis_messages *m = messages_of(engine);
    struct redis_topic *t = topic_find(m, messages_topic_of(l));
    char channel[CHANNEL_SIZE];
    if (!messages_unlisten(m->listeners, l)) return;
    LL_DELETE(m->topics, t);
    topic_channel(channel, t->name);
    const struct redis_node *n = redis_node_of(m->redis, channel);
    if (t->state == TOPIC_LISTENING && !m->redis->is_closed && n)
        redis_subscriber_unlisten(n->subscriber, channel);
    free(t);
}

void redis_messages_moved(struct redis_messages *m, unsigned slot) {
    char channel[CHANNEL_SIZE];
    struct redis_topic *t;
    LL_FOREACH(m->topics, t) {
        topic_channel(channel, t->name);
        if (redis_slot_of(channel, strlen(channel)) == slot) t->state = TOPIC_UNCHECKED;
    }
}

void redis_messages_take(struct redis_messages *m, const char *channel, const char *body, size_t len) {
    bool ours = !strncmp(channel, REDIS_MESSAGES_PREFIX, PREFIX_LEN);
    if (ours && messages_fit(channel + PREFIX_LEN, len))
        messages_deliver(m->listeners, channel + PREFIX_LEN, body, len);
}

// Life

struct redis_messages *redis_messages_new(struct redis *r) {
    struct redis_messages *m = mem_zalloc(sizeof *m);
    m->redis = r;
    m->listeners = messages_new();
    return m;
}

void redis_messages_free(struct redis_messages *m) {
    struct redis_topic *t, *next;
    messages_free(m->listeners);
    LL_FOREACH_SAFE(m->topics, t, next) free(t);
    free(m);
}
