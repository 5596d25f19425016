#include "places.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/client.h"

enum {
    QUERYING_PROCESSES_MAX = 8, // enough to keep a manager busy, without too many connections
    PENDING_MAX = 64,
    QUERY_TIMEOUT_MS = 10000
};

struct places {
    const struct bench_plan *plan;
    struct bench_shared *shared;
    char *error; // BENCH_ERROR_SIZE bytes: why a place is unknown
    struct http_client *client;
    size_t next, step, asking;
    struct buf register_url;
};

struct places_query {
    struct places *places;
    size_t video;
};

struct places *places_new(struct loop *loop, const struct bench_plan *plan, struct bench_shared *shared,
                          unsigned process) {
    struct places *s = mem_zalloc(sizeof *s);
    s->plan = plan;
    s->shared = shared;
    s->error = shared->load[process].connect_error;
    s->client = http_client_new(loop);
    s->step = plan->processes < QUERYING_PROCESSES_MAX ? plan->processes : QUERYING_PROCESSES_MAX;
    s->next = process < s->step ? process : plan->videos;
    if (plan->manager_url) buf_printf(&s->register_url, "%s/register", plan->manager_url);
    return s;
}

void places_free(struct places *s) {
    if (!s) return;
    http_client_free(s->client);
    buf_release(&s->register_url);
    free(s);
}

// `endpoint`: its number, or a negative errno.
static void places_set(struct places *s, size_t video, const char *url, int endpoint) {
    if (endpoint < 0)
        bench_note_error(s->error, "%s cannot be reached: %s.", url, strerror(-endpoint));
    else
        s->shared->place[video] = (uint16_t)(PLACE_FIRST + endpoint);
}

static void places_set_by_template(struct places *s, size_t video) {
    char name[32];
    struct buf url = {0};
    snprintf(name, sizeof name, "bench-%zu", video + 1);
    template_expand(&url, s->plan->subscribe, &(struct template_values){.video = name, .viewer = "{viewer}"});
    places_set(s, video, buf_string(&url), endpoints_find(s->shared->endpoints, buf_string(&url)));
    buf_release(&url);
    s->shared->resolved++;
}

static void places_query_next(struct places *);

static void places_on_registered(void *arg, const struct http_client_response *a) {
    struct places_query *q = arg;
    struct places *s = q->places;
    json_t *body = a->error ? NULL : json_loadb(a->body, a->body_len, 0, NULL);
    const char *url = json_string_value(json_object_get(body, "readerUrl"));
    if (url)
        places_set(s, q->video, url, endpoints_find_reader(s->shared->endpoints, url));
    else if (a->error)
        bench_note_error(s->error, "The manager at %s: %s.", s->plan->manager_url, strerror(-a->error));
    else
        bench_note_error(s->error, "The manager at %s does not name a video's reader (status %d).",
                         s->plan->manager_url, a->status);
    json_decref(body);
    free(q);
    s->shared->resolved++;
    s->asking--;
    if (a->error != -ECANCELED) places_query_next(s);
}

static void places_query(struct places *s, size_t video) {
    char body[64];
    struct places_query *q = mem_alloc(sizeof *q);
    *q = (struct places_query){.places = s, .video = video};
    int len = snprintf(body, sizeof body, "{\"videoid\":\"bench-%zu\"}", video + 1);
    s->asking++;
    http_client_request(s->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = buf_string(&s->register_url),
                                                      .body = body,
                                                      .body_len = (size_t)len,
                                                      .authorization = s->plan->authorization,
                                                      .timeout_ms = QUERY_TIMEOUT_MS},
                        places_on_registered, q);
}

static void places_query_next(struct places *s) {
    for (; s->next < s->plan->videos && s->asking < PENDING_MAX; s->next += s->step) {
        if (s->shared->place[s->next] == PLACE_UNWATCHED) continue;
        if (s->plan->manager_url)
            places_query(s, s->next);
        else
            places_set_by_template(s, s->next);
    }
}

void places_find(struct places *s) {
    places_query_next(s);
}

bool places_are_found(const struct places *s) {
    return s->next >= s->plan->videos && !s->asking;
}
