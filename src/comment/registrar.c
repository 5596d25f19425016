// Videos to register wait in a queue, oldest first; at most UNDER_WAY requests run at a time. A video whose
// request fails goes to the end of the queue, and the queue rests for a moment: a manager that is down gets a
// request a second, not one a comment.
#include "registrar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "http/client.h"
#include "net/loop.h"

enum { TIMEOUT_MS = 5000, REST_MS = 1000, REPEAT_MS = 24 * 3600 * 1000, UNDER_WAY = 8 };

struct seen {
    struct registrar *registrar;
    enum { SEEN_QUEUED, SEEN_SENT, SEEN_REGISTERED } state;
    int64_t registered_ms, seen_ms;
    struct seen *prev, *next; // in the queue
    UT_hash_handle hh;
    char video[];
};

struct registrar {
    struct loop *loop;
    struct http_client *client;
    char url[600];
    char *authorization; // NULL: none
    int64_t idle_ms;
    bool failing;
    unsigned under_way;
    struct seen *videos; // oldest first
    struct seen *queue;
    struct loop_timer rest;
};

static void registrar_send_queued(struct registrar *);

static void on_registrar_rested(struct loop_timer *t) {
    registrar_send_queued(container_of(t, struct registrar, rest));
}

struct registrar *registrar_new(struct loop *loop, struct http_client *client, const char *manager_url,
                                int64_t idle_ms, const char *token) {
    struct registrar *r = mem_zalloc(sizeof *r);
    r->loop = loop;
    r->client = client;
    r->idle_ms = idle_ms;
    r->rest.on_due = on_registrar_rested;
    snprintf(r->url, sizeof r->url, "%s/register", manager_url);
    registrar_set_token(r, token);
    return r;
}

void registrar_set_token(struct registrar *r, const char *token) {
    free(r->authorization);
    r->authorization = http_client_bearer(token);
}

void registrar_set_idle(struct registrar *r, int64_t idle_ms) {
    r->idle_ms = idle_ms;
}

static void registrar_drop(struct registrar *r, struct seen *v) {
    HASH_DEL(r->videos, v);
    free(v);
}

void registrar_free(struct registrar *r) {
    if (!r) return;
    loop_timer_stop(r->loop, &r->rest);
    struct seen *v, *next;
    HASH_ITER(hh, r->videos, v, next) registrar_drop(r, v);
    free(r->authorization);
    free(r);
}

static void registrar_enqueue(struct registrar *r, struct seen *v) {
    v->state = SEEN_QUEUED;
    DL_APPEND(r->queue, v);
}

static void registrar_note_outcome(struct registrar *r, const struct http_client_response *a, bool ok) {
    if (ok == !r->failing) return;
    r->failing = !ok;
    if (ok)
        log_info("comment", "manager_back", NULL);
    else if (a->error)
        log_warn("comment", "manager_unreachable", "error=\"%s\" comments=accepted", strerror(-a->error));
    else
        log_warn("comment", "manager_failing", "status=%d comments=accepted", a->status);
}

static void on_registrar_answer(void *arg, const struct http_client_response *a) {
    struct seen *v = arg;
    struct registrar *r = v->registrar;
    static const char code[] = "\"too_many_videos\"";
    bool ok = !a->error && a->status == 200;
    bool full =
        !a->error && a->status == 503 && a->body_len && memmem(a->body, a->body_len, code, sizeof code - 1);
    r->under_way--;
    if (a->error == -ECANCELED) return; // the process is stopping
    registrar_note_outcome(r, a, ok || full);
    if (full) { // comments on it are refused, too; one that is accepted later registers it
        registrar_drop(r, v);
        registrar_send_queued(r);
    } else if (ok) {
        v->state = SEEN_REGISTERED;
        v->registered_ms = loop_now_ms(r->loop);
        registrar_send_queued(r);
    } else {
        registrar_enqueue(r, v);
        loop_timer_start(r->loop, &r->rest, REST_MS);
    }
}

static void registrar_send_queued(struct registrar *r) {
    while (r->queue && r->under_way < UNDER_WAY && !r->rest.slot) {
        struct seen *v = r->queue;
        DL_DELETE(r->queue, v);
        char body[200];
        int len = snprintf(body, sizeof body, "{\"videoid\":\"%s\"}", v->video); // an id needs no escaping
        r->under_way++;
        v->state = SEEN_SENT;
        http_client_request(r->client,
                            &(struct http_client_request){.method = "POST",
                                                          .url = r->url,
                                                          .body = body,
                                                          .body_len = (size_t)len,
                                                          .authorization = r->authorization,
                                                          .timeout_ms = TIMEOUT_MS},
                            on_registrar_answer, v);
    }
}

// Returns a new entry, which may replace the oldest one; NULL if that one is still needed.
static struct seen *registrar_add(struct registrar *r, const char *video) {
    if (HASH_COUNT(r->videos) >= REGISTRAR_VIDEOS) {
        if (r->videos->state != SEEN_REGISTERED) return NULL;
        registrar_drop(r, r->videos);
    }
    struct seen *v = mem_zalloc(sizeof *v + strlen(video) + 1);
    v->registrar = r;
    memcpy(v->video, video, strlen(video) + 1);
    HASH_ADD_KEYPTR(hh, r->videos, v->video, strlen(v->video), v);
    return v;
}

void registrar_note(struct registrar *r, const char *video) {
    struct seen *v;
    HASH_FIND_STR(r->videos, video, v);
    int64_t now_ms = loop_now_ms(r->loop), quiet_ms = v ? now_ms - v->seen_ms : 0;
    if (v) v->seen_ms = now_ms;
    // The store keeps a mapping while it is used, and counts a daily registration as use.
    bool registered = v && now_ms - v->registered_ms < REPEAT_MS && quiet_ms < r->idle_ms;
    if (v && (v->state != SEEN_REGISTERED || registered)) return;
    if (!v) v = registrar_add(r, video);
    if (!v) return;
    v->seen_ms = now_ms;
    registrar_enqueue(r, v);
    registrar_send_queued(r);
}
