#include "bench/places.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http_client.h"

enum { ASKING_MAX = 64, ASK_TIMEOUT_MS = 10000 };

struct places {
    struct places_config of;
    struct http_client *client;
    struct endpoints endpoints;
    struct stream_place *at;
    size_t next, asking;
    struct buf register_url;
};

struct question {
    struct places *places;
    size_t video;
};

struct places *places_new(const struct places_config *config) {
    struct places *s = mem_zalloc(sizeof *s);
    s->of = *config;
    s->client = http_client_new(config->loop);
    s->at = mem_zalloc(config->plan->videos * sizeof *s->at);
    if (config->plan->manager_url) buf_printf(&s->register_url, "%s/register", config->plan->manager_url);
    return s;
}

void places_free(struct places *s) {
    http_client_free(s->client);
    endpoints_release(&s->endpoints);
    for (size_t i = 0; i < s->of.plan->videos; i++) free(s->at[i].path);
    free(s->at);
    buf_release(&s->register_url);
    free(s);
}

static void note_port(struct places *s, int port) {
    for (size_t i = 0; i < BENCH_PORTS_MAX; i++) {
        if (s->of.ports[i] == port) return;
        if (s->of.ports[i]) continue;
        s->of.ports[i] = port;
        return;
    }
}

// `path` is a template still; without one it is what stands behind the host in the URL.
static void set_place(struct places *s, size_t video, const char *url, const char *path) {
    const char *rest = "";
    const struct endpoint *e = endpoints_get(&s->endpoints, url, &rest);
    if (!e) {
        snprintf(s->of.error, BENCH_ERROR_SIZE, "There is no way to %s.", url);
        return;
    }
    note_port(s, e->port);
    s->at[video].endpoint = e;
    s->at[video].path = mem_strdup(path ? path : *rest ? rest : "/");
}

static void by_template(struct places *s, size_t video) {
    char name[32];
    struct buf url = {0};
    snprintf(name, sizeof name, "bench-%zu", video + 1);
    template_expand(&url, s->of.plan->subscribe,
                    &(struct template_values){.video = name, .viewer = "{viewer}"});
    set_place(s, video, buf_string(&url), NULL);
    buf_release(&url);
}

static void ask_next(struct places *);

static void on_registered(void *arg, const struct http_client_answer *a) {
    struct question *q = arg;
    struct places *s = q->places;
    json_t *body = a->error ? NULL : json_loadb(a->body, a->body_len, 0, NULL);
    const char *url = json_string_value(json_object_get(body, "readerUrl"));
    if (url)
        set_place(s, q->video, url, s->of.plan->subscribe);
    else if (a->error)
        snprintf(s->of.error, BENCH_ERROR_SIZE, "The manager at %s: %s.", s->of.plan->manager_url,
                 strerror(-a->error));
    else
        snprintf(s->of.error, BENCH_ERROR_SIZE,
                 "The manager at %s does not say where a video is (status %d).", s->of.plan->manager_url,
                 a->status);
    json_decref(body);
    free(q);
    s->asking--;
    if (a->error != -ECANCELED) ask_next(s);
}

static void ask(struct places *s, size_t video) {
    char body[64];
    struct question *q = mem_alloc(sizeof *q);
    *q = (struct question){.places = s, .video = video};
    int len = snprintf(body, sizeof body, "{\"videoid\":\"bench-%zu\"}", video + 1);
    s->asking++;
    http_client_request(s->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = buf_string(&s->register_url),
                                                      .body = body,
                                                      .body_len = (size_t)len,
                                                      .timeout_ms = ASK_TIMEOUT_MS},
                        on_registered, q);
}

static void ask_next(struct places *s) {
    for (; s->next < s->of.plan->videos && s->asking < ASKING_MAX; s->next++) {
        if (!s->of.wanted[s->next]) continue;
        if (s->of.plan->manager_url)
            ask(s, s->next);
        else
            by_template(s, s->next);
    }
}

void places_find(struct places *s) {
    ask_next(s);
}

bool places_are_found(const struct places *s) {
    return s->next == s->of.plan->videos && !s->asking;
}

const struct stream_place *places_of_videos(const struct places *s) {
    return s->at;
}
