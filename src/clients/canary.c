#include "clients/canary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/prng.h"
#include "client_viewer.h"
#include "clients/tally.h"
#include "http/client.h"
#include "net/resolver.h"
#include "stamps.h"

enum { URL_SIZE = 1024, LINE_MAX_SHOWN = 150, REASON_SIZE = sizeof((struct canary_result *)0)->reason };

struct canary {
    struct client_viewer_env env; // first: callbacks receive its address
    struct client_viewer viewer;
    const struct canary_config *config;
    struct canary_result *result;
    struct tally tally;
    struct prng prng;
    struct stamps *stamps; // none, as the viewer expects to have some
    struct loop_timer timeout;
    int64_t began_us, posted_us;
    bool connected, accepted, delivered, over;
    char failure[REASON_SIZE]; // why the last attempt to connect has failed; empty at first
    char register_url[URL_SIZE], post_url[URL_SIZE];
    char marker[32]; // in the comment, which no other has
};

static double ms_since(int64_t us) {
    return (double)(clock_monotonic_us() - us) / 1000;
}

static void canary_end(struct canary *c, const char *why) {
    if (c->over) return;
    c->over = true;
    if (why) {
        snprintf(c->result->reason, REASON_SIZE, "%s", why);
        for (char *at = c->result->reason; *at; at++) // what a server has answered stays one quoted line
            if (*at < ' ' || *at == '"' || *at == '\\' || *at == 0x7f) *at = *at == '"' ? '\'' : '?';
        c->result->why = c->result->reason;
    }
    loop_stop(c->env.loop);
}

static void canary_end_if_done(struct canary *c) {
    if (c->accepted && c->delivered) canary_end(c, NULL);
}

// Returns the length of its first line, or of what may be shown of that.
static size_t first_line(const char *text, size_t len) {
    size_t most = len < LINE_MAX_SHOWN ? len : LINE_MAX_SHOWN;
    const char *end = memchr(text, '\n', most);
    return end ? (size_t)(end - text) : most;
}

static void on_canary_answer(void *arg, const struct http_client_response *a) {
    struct canary *c = arg;
    char why[REASON_SIZE];
    if (c->over) return;
    if (!a->error && a->status == 201) {
        c->accepted = true;
        c->result->post_ms = ms_since(c->posted_us);
        canary_end_if_done(c);
        return;
    }
    if (a->error)
        snprintf(why, sizeof why, "the comment could not be posted: %s", strerror(-a->error));
    else
        snprintf(why, sizeof why, "the comment was refused: %d %.*s", a->status,
                 (int)first_line(a->body, a->body_len), a->body);
    canary_end(c, why);
}

static void canary_post(struct canary *c) {
    char body[512];
    int len = snprintf(body, sizeof body, "{\"userid\":\"canary\",\"videoid\":\"%s\",\"comment\":\"%s\"}",
                       c->config->video, c->marker);
    c->posted_us = clock_monotonic_us();
    http_client_request(c->env.client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = c->post_url,
                                                      .body = body,
                                                      .body_len = (size_t)len,
                                                      .authorization = c->config->authorization,
                                                      .timeout_ms = (int)c->config->timeout_ms},
                        on_canary_answer, c);
}

// The first event says that the stream has begun, and nothing on the way holds it back.
static void on_canary_event(struct client_viewer_env *env, const struct event_parsed *e) {
    struct canary *c = container_of(env, struct canary, env);
    if (c->over) return;
    if (!c->connected) {
        c->connected = true;
        c->result->connect_ms = ms_since(c->began_us);
        canary_post(c);
    } else if (e->data && memmem(e->data, e->data_len, c->marker, strlen(c->marker))) {
        c->delivered = true;
        c->result->delivery_ms = ms_since(c->posted_us);
        canary_end_if_done(c);
    }
}

static void on_canary_timeout(struct loop_timer *t) {
    struct canary *c = container_of(t, struct canary, timeout);
    const char *why = "the comment was accepted, but did not arrive on the stream in time";
    if (c->viewer.state != CLIENT_VIEWER_STREAMING && *c->failure)
        why = c->failure;
    else if (c->viewer.state != CLIENT_VIEWER_STREAMING)
        why = c->viewer.reader ? "the reader did not answer in time" : "no reader was named in time";
    else if (!c->connected)
        why = "the stream was opened, but no event came: a proxy on the way keeps it back (buffering)";
    else if (!c->accepted && !c->delivered)
        why = "the comment was not accepted in time";
    else if (!c->accepted)
        why = "the comment arrived on the stream, but its post was not answered in time";
    canary_end(c, why);
}

// The attempt has succeeded, or the viewer has logged why it failed, and tries again while there is time.
static void on_canary_attempt_over(struct client_viewer_env *env, struct client_viewer *v) {
    struct canary *c = container_of(env, struct canary, env);
    if (v->reader) snprintf(c->result->reader, sizeof c->result->reader, "%s", v->reader->text);
}

static void on_canary_failed(struct client_viewer_env *env, const char *why) {
    struct canary *c = container_of(env, struct canary, env);
    const char *asked = c->viewer.reader ? c->viewer.reader->text : c->register_url;
    snprintf(c->failure, sizeof c->failure, "no stream: %.120s: %.100s", asked, why);
}

static void on_canary_wants_connection(struct client_viewer_env *env, struct client_viewer *v) {
    (void)env;
    client_viewer_connect(v);
}

static void on_canary_calls(struct client_viewer_env *env, int change) {
    (void)env;
    (void)change; // canary_free() ends them
}

static void on_canary_resolved(void *arg) {
    struct canary *c = arg;
    client_viewer_resolved(&c->viewer);
}

static struct canary *canary_new(struct loop *loop, const struct canary_config *config,
                                 struct canary_result *result) {
    struct canary *c = mem_zalloc(sizeof *c);
    c->config = config;
    c->result = result;
    c->prng.state = hash_random();
    c->stamps = stamps_new(1);
    snprintf(c->register_url, sizeof c->register_url, "%s/register", config->url);
    snprintf(c->post_url, sizeof c->post_url, "%s/comment", config->url);
    snprintf(c->marker, sizeof c->marker, "canary %016" PRIx64, hash_random());
    c->env = (struct client_viewer_env){.loop = loop,
                                        .client = http_client_new(loop),
                                        .resolver = resolver_new(loop, on_canary_resolved, c),
                                        .register_url = c->register_url,
                                        .authorization = config->authorization,
                                        .prng = &c->prng,
                                        .tally = &c->tally,
                                        .stamps = c->stamps,
                                        .read_buffer = mem_alloc(CLIENT_VIEWER_READ_SIZE),
                                        .user_name = "canary",
                                        .video_name = config->video,
                                        .on_event = on_canary_event,
                                        .on_wants_connection = on_canary_wants_connection,
                                        .on_attempt_over = on_canary_attempt_over,
                                        .on_failed = on_canary_failed,
                                        .on_calls = on_canary_calls};
    c->timeout.on_due = on_canary_timeout;
    client_viewer_init(&c->viewer, &c->env, 1, 1);
    return c;
}

static void canary_free(struct canary *c) {
    struct loop *loop = c->env.loop;
    c->env.closing = c->over = true;
    loop_timer_stop(loop, &c->timeout);
    http_client_free(c->env.client); // which calls back what is under way
    client_viewer_release(&c->viewer);
    origins_release(&c->env.origins);
    resolver_free(c->env.resolver);
    stamps_free(c->stamps);
    free(c->env.read_buffer);
    free(c);
}

bool canary_run(struct loop *loop, const struct canary_config *config, struct canary_result *result) {
    *result = (struct canary_result){.connect_ms = -1, .post_ms = -1, .delivery_ms = -1};
    struct canary *c = canary_new(loop, config, result);
    c->began_us = clock_monotonic_us();
    loop_timer_start(loop, &c->timeout, config->timeout_ms);
    client_viewer_connect(&c->viewer);
    int error = loop_run(loop);
    if (error) canary_end(c, strerror(-error));
    if (*result->reader == 0 && c->viewer.reader)
        snprintf(result->reader, sizeof result->reader, "%s", c->viewer.reader->text);
    canary_free(c);
    return !result->why;
}
