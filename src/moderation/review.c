#include "moderation/review.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/mem.h"
#include "breaker.h"
#include "http/client.h"
#include "net/loop.h"
#include "review_answer.h"

enum { WHY_SIZE = 128 };

struct review {
    struct loop *loop;
    struct http_client *client;
    char *url;
    const struct text_rules *texts;
    struct review_bounds bounds;
    struct breaker breaker;
    struct review_counters counters;
    struct buf scratch; // for building JSON
    unsigned under_way;
};

struct review_call {
    struct review *review;
    review_cb *cb;
    void *arg;
    int64_t began_us;
};

enum review_action review_fallback(const struct review *r) {
    return r->bounds.refuses ? REVIEW_UNAVAILABLE : REVIEW_ALLOW;
}

static void review_note(struct review *r, const char *why) {
    bool changed = breaker_note(&r->breaker, !*why, loop_now_ms(r->loop));
    if (*why) r->counters.failures++;
    if (changed && r->breaker.open)
        log_error("comment", "review_failing", "url=%s why=\"%s\" comments=%s", r->url, why,
                  r->bounds.refuses ? "refused" : "accepted");
    else if (changed)
        log_info("comment", "review_back", "url=%s", r->url);
}

// Writes why an answer is none; nothing if it is one.
static void review_read(const struct review *r, const struct http_client_response *answer,
                        struct review_answer *read, char why[WHY_SIZE]) {
    *why = 0;
    if (answer->error)
        snprintf(why, WHY_SIZE, "%s",
                 answer->error == -EMSGSIZE ? "the answer is too large" : strerror(-answer->error));
    else if (answer->status != 200)
        snprintf(why, WHY_SIZE, "it answers %d", answer->status);
    else if (!review_answer_read(read, answer->body, answer->body_len, r->texts))
        snprintf(why, WHY_SIZE, "the answer is not one of allow, deny, hold and replace");
}

static struct review_verdict review_conclude(struct review *r, const struct http_client_response *response,
                                             struct review_answer *read) {
    char why[WHY_SIZE];
    review_read(r, response, read, why);
    review_note(r, why);
    if (*why) return (struct review_verdict){.action = review_fallback(r)};
    r->counters.answers[read->action]++;
    return (struct review_verdict){
        .action = read->action, .text = read->len ? read->text : NULL, .len = read->len};
}

static void on_review_answer(void *arg, const struct http_client_response *response) {
    struct review_call call = *(struct review_call *)arg;
    struct review *r = call.review;
    struct review_answer read = {.action = REVIEW_ALLOW};
    struct review_verdict verdict = {.action = REVIEW_STOPPING};
    free(arg);
    r->under_way--;
    if (response->error != -ECANCELED) { // which review_free() makes of it
        durations_add(&r->counters.took, clock_monotonic_us() - call.began_us);
        verdict = review_conclude(r, response, &read);
    }
    call.cb(call.arg, &verdict);
}

static void review_write(struct buf *b, const struct review_question *q) {
    buf_clear(b);
    buf_printf(b, "{\"id\":\"%s\",\"video\":\"%s\",\"user\":\"%s\"", q->id, q->video, q->user);
    if (q->name) {
        buf_add_string(b, ",\"name\":");
        json_text_add(b, q->name, q->name_len);
    }
    buf_add_string(b, ",\"text\":");
    json_text_add(b, q->text, q->text_len);
    buf_add_string(b, "}");
}

bool review_ask(struct review *r, const struct review_question *q, review_cb *cb, void *arg) {
    if (r->under_way == REVIEW_UNDER_WAY) {
        r->counters.overflows++;
        return false;
    }
    if (!breaker_admits(&r->breaker, loop_now_ms(r->loop))) {
        r->counters.skipped++;
        return false;
    }
    struct review_call *call = mem_alloc(sizeof *call);
    *call = (struct review_call){.review = r, .cb = cb, .arg = arg, .began_us = clock_monotonic_us()};
    r->under_way++;
    review_write(&r->scratch, q);
    http_client_request(r->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = r->url,
                                                      .body = r->scratch.data,
                                                      .body_len = r->scratch.len,
                                                      .timeout_ms = r->bounds.timeout_ms,
                                                      .response_max = COMMENT_BODY_MAX},
                        on_review_answer, call);
    return true;
}

void review_set(struct review *r, const struct review_bounds *bounds) {
    r->bounds = *bounds;
}

struct review *review_new(struct loop *loop, const struct review_config *config,
                          const struct review_bounds *bounds) {
    struct review *r = mem_zalloc(sizeof *r);
    r->loop = loop;
    r->client = http_client_new_over(loop, config->tls);
    http_client_set_connections(r->client, REVIEW_CONNECTIONS);
    r->url = mem_strdup(config->url);
    r->texts = config->texts;
    review_set(r, bounds);
    return r;
}

void review_free(struct review *r) {
    if (!r) return;
    http_client_free(r->client);
    buf_release(&r->scratch);
    free(r->url);
    free(r);
}

const struct review_counters *review_counters(const struct review *r) {
    static const struct review_counters none;
    return r ? &r->counters : &none;
}

unsigned review_under_way(const struct review *r) {
    return r ? r->under_way : 0;
}

bool review_is_failing(const struct review *r) {
    return r && r->breaker.open;
}
