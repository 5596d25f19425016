#include "engine/messages.h"

#include <stdlib.h>
#include <string.h>

#include "base/uthash.h"
#include "engine/hub.h"

// A listener is a subscription of a hub whose names are topics, because a hub knows what callbacks may do.
struct engine_listener {
    struct engine_subscription *subscription;
    engine_message_cb *cb;
    void *arg;
    struct engine_listener *prev, *next;
    char topic[];
};

struct waiting_message {
    struct waiting_message *next;
    const char *body; // in topic[], behind it
    size_t len;
    char topic[];
};

struct messages {
    struct hub *hub;
    struct engine_listener *listeners;
    struct waiting_message *waiting, **waiting_end;
    size_t waiting_bytes;
    bool flushing, freed; // freed from inside messages_flush(), which frees it
};

struct messages *messages_new(void) {
    struct messages *m = mem_zalloc(sizeof *m);
    m->hub = hub_new();
    m->waiting_end = &m->waiting;
    return m;
}

void messages_free(struct messages *m) {
    struct engine_listener *l, *next;
    struct waiting_message *w, *next_waiting;
    if (!m) return;
    hub_free(m->hub);
    DL_FOREACH_SAFE(m->listeners, l, next) free(l);
    LL_FOREACH_SAFE(m->waiting, w, next_waiting) free(w);
    m->waiting = NULL;
    m->freed = true;
    if (!m->flushing) free(m);
}

static void on_message_entry(void *arg, const struct engine_entry *e) {
    const struct engine_listener *l = arg;
    l->cb(l->arg, e->body, e->body_len);
}

struct engine_listener *messages_listen(struct messages *m, const char *topic, engine_message_cb *cb,
                                        void *arg) {
    static const struct engine_subscriber subscriber = {.on_entry = on_message_entry};
    struct engine_listener *l = mem_zalloc(sizeof *l + strlen(topic) + 1);
    l->cb = cb;
    l->arg = arg;
    memcpy(l->topic, topic, strlen(topic) + 1);
    DL_APPEND(m->listeners, l);
    l->subscription = hub_subscribe(m->hub, l->topic, &subscriber, l);
    return l;
}

bool messages_unlisten(struct messages *m, struct engine_listener *l) {
    bool last = hub_unsubscribe(m->hub, l->subscription);
    DL_DELETE(m->listeners, l);
    free(l);
    return last;
}

const char *messages_topic_of(const struct engine_listener *l) {
    return l->topic;
}

bool messages_fit(const char *topic, size_t len) {
    return len && len <= ENGINE_MESSAGE_MAX && *topic && strlen(topic) <= ENGINE_TOPIC_MAX;
}

void messages_deliver(struct messages *m, const char *topic, const void *body, size_t len) {
    hub_publish(m->hub, topic, &(struct engine_entry){.body = body, .body_len = len});
}

bool messages_post(struct messages *m, const char *topic, const void *body, size_t len) {
    size_t topic_size = strlen(topic) + 1, bytes = topic_size + len;
    if (!messages_fit(topic, len) || m->waiting_bytes + bytes > ENGINE_MESSAGES_WAITING) return false;
    struct waiting_message *w = mem_alloc(sizeof *w + bytes);
    memcpy(w->topic, topic, topic_size);
    memcpy(w->topic + topic_size, body, len);
    w->body = w->topic + topic_size;
    w->len = len;
    w->next = NULL;
    *m->waiting_end = w;
    m->waiting_end = &w->next;
    m->waiting_bytes += bytes;
    return true;
}

void messages_flush(struct messages *m) {
    struct waiting_message *due = m->waiting, *w;
    m->waiting = NULL;
    m->waiting_end = &m->waiting;
    m->waiting_bytes = 0;
    m->flushing = true;
    while ((w = due)) {
        due = w->next;
        if (!m->freed) messages_deliver(m, w->topic, w->body, w->len);
        free(w);
    }
    m->flushing = false;
    if (m->freed) free(m);
}
