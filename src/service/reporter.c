#include "reporter.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/client.h"
#include "net/loop.h"

enum {
    FIRST_MS = 1000,    // at most
    JITTER_PERCENT = 5, // of the interval, so that parts that started together do not stay in step
    INTERVAL_MS = 5000
};

struct reporter {
    struct loop *loop;
    struct http_client *client;
    struct loop_timer timer;
    struct loop_job reap;
    char *role, *url, *authorization; // authorization: NULL for none
    int interval_ms;
    json_t *(*build)(void *arg);
    void *arg;
    enum { REPORTER_WAITING, REPORTER_POSTING, REPORTER_CLOSING } state;
    bool again;   // as soon as the running request has been answered
    bool failing; // the last report was not accepted, and that has been logged
};

static void on_reporter_due(struct loop_timer *);
static void on_reporter_reap(struct loop_job *);

static char *join_text(const char *a, size_t a_len, const char *b) {
    size_t b_len = strlen(b);
    char *both = mem_alloc(a_len + b_len + 1);
    memcpy(both, a, a_len);
    memcpy(both + a_len, b, b_len + 1);
    return both;
}

void reporter_set_token(struct reporter *r, const char *token) {
    if (!r) return;
    free(r->authorization);
    r->authorization = http_client_bearer(token);
}

struct reporter *reporter_new(struct loop *loop, struct http_client *client,
                              const struct reporter_config *config) {
    const char *url = config->statistics_url;
    if (!url || !*url) return NULL;
    size_t url_len = strlen(url);
    while (url_len && url[url_len - 1] == '/') url_len--;
    struct reporter *r = mem_zalloc(sizeof *r);
    r->loop = loop;
    r->client = client;
    r->role = mem_strdup(config->role);
    r->url = join_text(url, url_len, config->path);
    reporter_set_token(r, config->token);
    r->interval_ms = config->interval_ms > 0 ? config->interval_ms : INTERVAL_MS;
    r->build = config->build;
    r->arg = config->arg;
    r->timer.on_due = on_reporter_due;
    r->reap.run = on_reporter_reap;
    // In the second half of the first second, or of the interval if that is shorter.
    int64_t half_ms = (r->interval_ms < FIRST_MS ? r->interval_ms : FIRST_MS) / 2;
    loop_timer_start(loop, &r->timer, half_ms + (int64_t)(hash_random() % (uint64_t)(half_ms + 1)));
    return r;
}

static void reporter_begin_failing(struct reporter *r, const struct http_client_response *a) {
    if (a->error == -ECANCELED) return; // we are stopping
    if (!r->failing && a->error)
        log_warn(r->role, "reports_failing", "url=%s error=\"%s\"", r->url, strerror(-a->error));
    else if (!r->failing)
        log_warn(r->role, "reports_failing", "url=%s status=%d", r->url, a->status);
    r->failing = true;
}

static void reporter_post(struct reporter *);

static void on_report_answer(void *arg, const struct http_client_response *a) {
    struct reporter *r = arg;
    if (r->state == REPORTER_CLOSING) {
        loop_defer(r->loop, &r->reap);
        return;
    }
    r->state = REPORTER_WAITING;
    if (a->error || a->status / 100 != 2) {
        reporter_begin_failing(r, a);
    } else if (r->failing) {
        r->failing = false;
        log_info(r->role, "reports_accepted", "url=%s", r->url);
    }
    if (r->again) reporter_post(r);
}

static void reporter_post(struct reporter *r) {
    r->again = false;
    json_t *report = r->build(r->arg);
    char *body = report ? json_dumps(report, JSON_COMPACT) : NULL;
    json_decref(report);
    if (!body) return;
    r->state = REPORTER_POSTING;
    http_client_request(r->client,
                        &(struct http_client_request){
                            .method = "POST",
                            .url = r->url,
                            .body = body,
                            .body_len = strlen(body),
                            .authorization = r->authorization,
                            .timeout_ms = r->interval_ms < INTERVAL_MS ? INTERVAL_MS : r->interval_ms},
                        on_report_answer, r);
    free(body);
}

// Skipped while the last report is still being sent: figures are totals, so nothing is lost.
static void on_reporter_due(struct loop_timer *t) {
    struct reporter *r = container_of(t, struct reporter, timer);
    int64_t jitter_ms = (int64_t)r->interval_ms * JITTER_PERCENT / 100;
    loop_timer_start(r->loop, t,
                     r->interval_ms - jitter_ms + (int64_t)(hash_random() % (uint64_t)(2 * jitter_ms + 1)));
    if (r->state == REPORTER_WAITING) reporter_post(r);
}

void reporter_report_now(struct reporter *r) {
    if (r->state == REPORTER_WAITING)
        reporter_post(r);
    else
        r->again = true;
}

bool reporter_is_posting(const struct reporter *r) {
    return r && r->state == REPORTER_POSTING;
}

bool reporter_is_failing(const struct reporter *r) {
    return r && r->failing;
}

static void on_reporter_reap(struct loop_job *job) {
    struct reporter *r = container_of(job, struct reporter, reap);
    free(r->role);
    free(r->url);
    free(r->authorization);
    free(r);
}

// A running request keeps the memory until its callback.
void reporter_free(struct reporter *r) {
    if (!r || r->state == REPORTER_CLOSING) return;
    if (r->state == REPORTER_WAITING) loop_defer(r->loop, &r->reap);
    r->state = REPORTER_CLOSING;
    loop_timer_stop(r->loop, &r->timer);
}
