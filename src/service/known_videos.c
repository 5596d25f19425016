// A video's entry is in the table while it is known, queued, asked for, or waited for. known_videos_ask()
// queues it; known_send() asks the store for the first of the queue; on_known_read() answers those that wait.
#include "service/known_videos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/json_reader.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "http/exchange.h"
#include "net/address_share.h"
#include "net/loop.h"
#include "service/internal_only.h"
#include "service/json_reply.h"
#include "service/service.h"

enum {
    KNOWN_MAX = 50000,
    QUEUED_MAX = 16384,
    PACE_MS = 2,      // between two queries
    FRESH_MS = 5000,  // until it is asked for again, while it counts
    STALE_MS = 30000, // until it counts only if the store does not answer
    BUSY_SKIPPED = 8
};

struct known_waiter {
    known_videos_cb *cb;
    void *arg;
    address_key address;
    struct known_waiter *next;
};

struct known_video {
    enum video_state state; // as read last; VIDEO_UNSURE: never
    int64_t read_ms;
    bool queued, asked;
    bool changed; // since it was asked for
    struct known_waiter *waiters;
    struct known_video *prev, *next; // in the queue
    UT_hash_handle hh;
    char video[];
};

struct known_videos {
    struct loop *loop;
    struct engine *engine;
    struct engine_listener *changes;
    struct known_video *by_video; // least recently read first
    struct known_video *queue;
    size_t queued, asked; // asked: not 0 while a query is running
    struct known_video *batch[ENGINE_SETTINGS_BATCH];
    struct known_waiter *refused; // the queue was full, or their address's share
    struct address_shares waiting;
    struct loop_timer pace;
    bool closed;
};

const char *video_state_name(enum video_state state) {
    return state == VIDEO_CLOSED ? "closed" : "open";
}

static struct known_video *known_get(struct known_videos *k, const char *video) {
    struct known_video *v;
    HASH_FIND_STR(k->by_video, video, v);
    return v;
}

static void known_drop(struct known_videos *k, struct known_video *v) {
    HASH_DEL(k->by_video, v);
    free(v);
}

static bool known_is_at_rest(const struct known_video *v) {
    return !v->queued && !v->asked && !v->waiters;
}

static void known_move_to_end(struct known_videos *k, struct known_video *v) {
    HASH_DEL(k->by_video, v);
    HASH_ADD_KEYPTR(hh, k->by_video, v->video, strlen(v->video), v);
}

// Drops the least recently read, beyond the bound.
static void known_make_room(struct known_videos *k) {
    for (int i = 0; i < BUSY_SKIPPED && HASH_COUNT(k->by_video) >= KNOWN_MAX; i++) {
        if (known_is_at_rest(k->by_video))
            known_drop(k, k->by_video);
        else
            known_move_to_end(k, k->by_video);
    }
}

static struct known_video *known_add(struct known_videos *k, const char *video) {
    size_t size = strlen(video) + 1;
    known_make_room(k);
    struct known_video *v = mem_zalloc(sizeof *v + size);
    memcpy(v->video, video, size);
    HASH_ADD_KEYPTR(hh, k->by_video, v->video, size - 1, v);
    return v;
}

static enum video_state state_named(const struct json_reader *r) {
    if (json_reader_equals(r, video_state_name(VIDEO_CLOSED))) return VIDEO_CLOSED;
    return VIDEO_OPEN; // also what a later version may write
}

static enum video_state state_of(const char *settings) {
    enum video_state state = VIDEO_OPEN;
    struct json_reader r;
    if (!settings) return VIDEO_UNKNOWN;
    json_reader_init(&r, settings, strlen(settings));
    if (json_reader_next(&r) != JSON_TOKEN_OBJECT) return state;
    while (json_reader_next(&r) == JSON_TOKEN_KEY) {
        bool is_state = json_reader_equals(&r, "state");
        json_reader_next(&r);
        if (is_state && r.last == JSON_TOKEN_STRING) state = state_named(&r);
        if (!json_reader_skip(&r)) break;
    }
    return state;
}

// Asking

static void known_send(struct known_videos *k);

static void known_queue(struct known_videos *k, struct known_video *v) {
    if (v->queued || v->asked) return;
    v->queued = true;
    DL_APPEND(k->queue, v);
    k->queued++;
    if (!k->asked && !k->pace.slot) known_send(k);
}

// Calls back all that wait. A callback may ask again.
static void known_answer(struct known_videos *k, struct known_waiter **waiters, enum video_state state) {
    struct known_waiter *all = *waiters, *w, *next;
    *waiters = NULL;
    LL_FOREACH_SAFE(all, w, next) {
        address_share_give_back(&k->waiting, w->address);
        w->cb(w->arg, state);
        free(w);
    }
}

static void known_take(struct known_videos *k, struct known_video *v, enum engine_status status,
                       const char *settings) {
    v->asked = false;
    if (status == ENGINE_OK && v->changed) { // it may have been read before that
        v->changed = false;
        known_queue(k, v);
        return;
    }
    if (status == ENGINE_OK) {
        v->state = state_of(settings);
        v->read_ms = loop_now_ms(k->loop);
        known_move_to_end(k, v);
    } else {
        v->read_ms = loop_now_ms(k->loop) - STALE_MS + 1; // in this turn it counts: for those that wait
    }
    enum video_state state = v->state;
    struct known_waiter *waiters = v->waiters;
    bool is_known = state == VIDEO_OPEN || state == VIDEO_CLOSED;
    v->waiters = NULL;
    if (!is_known && known_is_at_rest(v)) known_drop(k, v);
    known_answer(k, &waiters, state); // last: a callback that asks again may drop this one
}

static void on_known_read(void *arg, enum engine_status status, const char *const *settings) {
    struct known_videos *k = arg;
    size_t count = k->asked;
    struct known_video *batch[ENGINE_SETTINGS_BATCH];
    memcpy(batch, k->batch, count * sizeof(struct known_video *));
    k->closed |= status == ENGINE_CLOSED;
    if (!k->closed) loop_timer_start(k->loop, &k->pace, PACE_MS);
    k->asked = 0; // from now on the batch is only here; the timer keeps another one from being sent
    for (size_t i = 0; i < count; i++) known_take(k, batch[i], status, settings ? settings[i] : NULL);
}

static void on_known_pace(struct loop_timer *t) {
    struct known_videos *k = container_of(t, struct known_videos, pace);
    known_answer(k, &k->refused, VIDEO_UNSURE);
    if (!k->asked) known_send(k);
}

static void known_send(struct known_videos *k) {
    const char *videos[ENGINE_SETTINGS_BATCH];
    if (k->closed) return;
    for (struct known_video *v; k->asked < ENGINE_SETTINGS_BATCH && (v = k->queue); k->asked++) {
        DL_DELETE(k->queue, v);
        k->queued--;
        v->queued = false;
        v->asked = true;
        k->batch[k->asked] = v;
        videos[k->asked] = v->video;
    }
    if (k->asked) k->engine->ops->settings_read(k->engine, videos, k->asked, on_known_read, k);
}

static void on_video_changed(void *arg, const char *body, size_t len) {
    struct known_videos *k = arg;
    struct known_video *v;
    HASH_FIND(hh, k->by_video, body, len, v);
    if (!v) return;
    v->read_ms = -STALE_MS; // what was known counts only if the store does not answer
    v->changed = v->asked;
}

enum video_state known_videos_find(struct known_videos *k, const char *video) {
    struct known_video *v = known_get(k, video);
    if (!v || v->state == VIDEO_UNKNOWN) return VIDEO_UNSURE;
    int64_t age_ms = loop_now_ms(k->loop) - v->read_ms;
    if (v->state == VIDEO_UNSURE || age_ms >= STALE_MS) return VIDEO_UNSURE;
    if (age_ms >= FRESH_MS) known_queue(k, v);
    return v->state;
}

void known_videos_ask(struct known_videos *k, const char *video, address_key address, known_videos_cb *cb,
                      void *arg) {
    struct known_video *v = known_get(k, video);
    struct known_waiter *w = mem_alloc(sizeof *w);
    bool has_place = address_share_take(&k->waiting, address, KNOWN_WAITING_OF_ADDRESS);
    *w = (struct known_waiter){.cb = cb, .arg = arg, .address = has_place ? address : 0};
    if (!has_place || (!v && k->queued >= QUEUED_MAX)) { // so a query is running, or the timer is
        LL_PREPEND(k->refused, w);
        return;
    }
    if (!v) v = known_add(k, video);
    LL_PREPEND(v->waiters, w);
    known_queue(k, v);
}

// Several at once

struct known_query {
    size_t outstanding;
    void (*cb)(void *arg);
    void *arg;
};

static void on_one_known(void *arg, enum video_state state) {
    struct known_query *q = arg;
    (void)state;
    if (--q->outstanding) return;
    q->cb(q->arg);
    free(q);
}

bool known_videos_prepare(struct known_videos *k, const json_t *list, void (*cb)(void *arg), void *arg) {
    const json_t *videos = json_object_get(list, "videos"), *video;
    struct known_query *q = mem_alloc(sizeof *q);
    *q = (struct known_query){.cb = cb, .arg = arg};
    size_t i;
    json_array_foreach(videos, i, video) {
        const char *id = json_string_value(json_object_get(video, "videoid"));
        if (!id || known_videos_find(k, id) != VIDEO_UNSURE) continue;
        q->outstanding++;
        known_videos_ask(k, id, 0, on_one_known, q);
    }
    if (q->outstanding) return false;
    free(q);
    return true;
}

// Handlers

struct known_request {
    const struct known_videos *known;
    struct http_exchange *exchange;
    known_videos_cb *on_refused;
    known_videos_handle *handle;
    void *arg;
};

void known_videos_reply_unknown(struct http_exchange *x) {
    http_reply_error(x, 404, "unknown_video", "There is no such video; a service has to create it first.");
}

static bool known_may(const struct known_request *q, enum video_state state) {
    struct http_exchange *x = q->exchange;
    if (state == VIDEO_OPEN || (state == VIDEO_CLOSED && !q->on_refused)) return true;
    if (q->on_refused) q->on_refused(q->arg, state);
    if (state == VIDEO_UNSURE)
        reply_unavailable(x, "store_unavailable", "The store does not answer; try again soon.");
    else if (state == VIDEO_UNKNOWN)
        known_videos_reply_unknown(x);
    else
        http_reply_error(x, 403, "video_closed", "This video is closed: it accepts no comments.");
    return false;
}

static void on_request_known(void *arg, enum video_state state) {
    struct known_request *q = arg;
    if (q->known->closed) q->on_refused = NULL; // the handler may have been freed
    if (known_may(q, state)) q->handle(q->exchange, q->arg);
    free(q);
}

enum video_state known_videos_look(const struct service *s, const struct http_exchange *x,
                                   const char *video) {
    struct known_videos *k = s->process ? s->process->known : NULL;
    if (!k || internal_only_has_token(s->process->internal, x->request)) return VIDEO_OPEN;
    return known_videos_find(k, video);
}

bool known_videos_admit(const struct service *s, struct http_exchange *x, const char *video,
                        known_videos_cb *on_refused, known_videos_handle *handle, void *arg) {
    struct known_request r = {.exchange = x, .on_refused = on_refused, .handle = handle, .arg = arg};
    enum video_state state = known_videos_look(s, x, video);
    if (state != VIDEO_UNSURE || !http_exchange_keep_body(x)) return known_may(&r, state);
    struct known_request *q = mem_alloc(sizeof *q);
    *q = r;
    q->known = s->process->known;
    known_videos_ask(s->process->known, video, http_request_limits_key(x->request), on_request_known, q);
    return false;
}

// Writing

struct known_write {
    const struct service *service;
    engine_done_cb *cb;
    void *arg;
    char video[];
};

static void on_known_written(void *arg, enum engine_status status) {
    struct known_write *w = arg;
    struct known_videos *k = w->service->process ? w->service->process->known : NULL;
    struct engine *e = w->service->engine;
    if (k) on_video_changed(k, w->video, strlen(w->video)); // before the message arrives here, too
    if (status == ENGINE_OK) e->ops->notify(e, KNOWN_VIDEOS_TOPIC, w->video, strlen(w->video));
    w->cb(w->arg, status);
    free(w);
}

void known_videos_write(const struct service *s, const char *video, enum video_state state,
                        engine_done_cb *cb, void *arg) {
    size_t size = strlen(video) + 1;
    char settings[64];
    struct known_write *w = mem_alloc(sizeof *w + size);
    *w = (struct known_write){.service = s, .cb = cb, .arg = arg};
    memcpy(w->video, video, size);
    bool exists = state != VIDEO_UNKNOWN;
    if (exists) snprintf(settings, sizeof settings, "{\"state\":\"%s\"}", video_state_name(state));
    s->engine->ops->settings_write(s->engine, video, exists ? settings : NULL, on_known_written, w);
}

// Life

struct known_videos *known_videos_new(struct loop *loop, struct engine *engine) {
    struct known_videos *k = mem_zalloc(sizeof *k);
    k->loop = loop;
    k->engine = engine;
    k->pace.on_due = on_known_pace;
    k->changes = engine->ops->listen(engine, KNOWN_VIDEOS_TOPIC, on_video_changed, k);
    return k;
}

void known_videos_free(struct known_videos *k) {
    struct known_video *v, *next;
    if (!k) return;
    k->closed = true;
    loop_timer_stop(k->loop, &k->pace);
    known_answer(k, &k->refused, VIDEO_UNSURE);
    HASH_ITER(hh, k->by_video, v, next) known_answer(k, &v->waiters, VIDEO_UNSURE);
    HASH_ITER(hh, k->by_video, v, next) known_drop(k, v);
    free(k);
}
