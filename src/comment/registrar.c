#include "comment/registrar.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/map.h"
#include "net/http_client.h"
#include "net/loop.h"

enum { TIMEOUT_MS = 5000, AGAIN_AFTER_MS = 1000, TELL_AGAIN_MS = 24 * 3600 * 1000 };

struct seen {
    struct registrar *registrar;
    char *video;
    int64_t quiet_until_ms;
    bool telling;
    UT_hash_handle hh;
};

struct registrar {
    struct loop *loop;
    struct http_client *client;
    char url[600];
    bool failing;
    struct seen *videos; // oldest first
};

struct registrar *registrar_new(struct loop *loop, struct http_client *client, const char *manager_url) {
    struct registrar *r = mem_zalloc(sizeof *r);
    r->loop = loop;
    r->client = client;
    snprintf(r->url, sizeof r->url, "%s/register", manager_url);
    return r;
}

static void drop(struct registrar *r, struct seen *v) {
    HASH_DEL(r->videos, v);
    free(v->video);
    free(v);
}

void registrar_free(struct registrar *r) {
    if (!r) return;
    struct seen *v, *next;
    HASH_ITER(hh, r->videos, v, next) drop(r, v);
    free(r);
}

static void on_told(void *arg, const struct http_client_answer *a) {
    struct seen *v = arg;
    struct registrar *r = v->registrar;
    bool ok = !a->error && a->status == 200;
    v->telling = false;
    // A mapping is kept while it is used, and a daily word from here is use.
    v->quiet_until_ms = loop_now_ms(r->loop) + (ok ? TELL_AGAIN_MS : AGAIN_AFTER_MS);
    if (ok == !r->failing || a->error == -ECANCELED) return;
    r->failing = !ok;
    if (ok)
        log_info("comment", "manager_back", NULL);
    else
        log_warn("comment", "manager_unreachable", "error=%d status=%d comments=\"taken all the same\"",
                 -a->error, a->status);
}

static struct seen *seen_of(struct registrar *r, const char *video) {
    struct seen *v;
    HASH_FIND_STR(r->videos, video, v);
    if (v) return v;
    if (HASH_COUNT(r->videos) >= REGISTRAR_VIDEOS) {
        if (r->videos->telling) return NULL;
        drop(r, r->videos);
    }
    v = mem_zalloc(sizeof *v);
    v->registrar = r;
    v->video = mem_strdup(video);
    HASH_ADD_KEYPTR(hh, r->videos, v->video, strlen(v->video), v);
    return v;
}

void registrar_saw(struct registrar *r, const char *video) {
    struct seen *v = seen_of(r, video);
    if (!v || v->telling || v->quiet_until_ms > loop_now_ms(r->loop)) return;
    v->telling = true;
    char body[200];
    int len = snprintf(body, sizeof body, "{\"videoid\":\"%s\"}", video); // an id needs no escaping
    http_client_request(
        r->client,
        &(struct http_client_request){
            .method = "POST", .url = r->url, .body = body, .body_len = (size_t)len, .timeout_ms = TIMEOUT_MS},
        on_told, v);
}
