#include "poster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "stamps.h"
#include "talk.h"
#include "clients/tally.h"
#include "http/client.h"

enum {
    POSTS_PER_TURN = 500, // posts in one turn of the loop
    TIMEOUT_MS = 10000,   // after which a post has failed
    PUNCTUAL_US = 2000,   // by how much a timer may be late before the delay counts
    LINES = 1             // log lines per second about failed posts
};

struct post {
    struct poster *poster;
    struct client_viewer *viewer;
};

// Keeps the number in the response, if it is the newest. Responses arrive in any order.
static void poster_note_newest(const struct post *post, const struct http_client_response *a) {
    static const char opening[] = "\"id\":\"";
    struct position *newest = &post->poster->newest[post->viewer->video], p;
    const char *id = memmem(a->body, a->body_len, opening, sizeof opening - 1);
    if (!id) return;
    id += sizeof opening - 1;
    const char *quote = memchr(id, '"', (size_t)(a->body + a->body_len - id));
    if (quote && position_parse(id, (size_t)(quote - id), &p) && position_compare(p, *newest) > 0)
        *newest = p;
}

static void poster_on_answer(void *arg, const struct http_client_response *a) {
    struct post *post = arg;
    struct poster *p = post->poster;
    p->unanswered--;
    if (!a->error && a->status == 201) {
        p->tally->comments++;
        post->viewer->generated++;
        poster_note_newest(post, a);
    } else {
        p->tally->failed++;
        if (a->error != -ECANCELED && log_sample(&p->sampler, "clients", LINES, loop_now_ms(p->loop)))
            log_warn("clients", "post_failed", "client=%u status=%d error=\"%s\"", post->viewer->number,
                     a->error ? 0 : a->status, a->error ? strerror(-a->error) : "");
    }
    free(post);
    p->on_calls(p, -1);
}

static void poster_post(struct poster *p, struct client_viewer *v, const char *body, int len) {
    struct post *post = mem_alloc(sizeof *post);
    *post = (struct post){.poster = p, .viewer = v};
    p->unanswered++;
    p->on_calls(p, 1);
    http_client_request(p->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = p->url,
                                                      .body = body,
                                                      .body_len = (size_t)len,
                                                      .authorization = p->authorization,
                                                      .timeout_ms = TIMEOUT_MS},
                        poster_on_answer, post);
}

static void poster_post_stamped(struct poster *p, struct client_viewer *v, int64_t posted_us) {
    char body[256], stamp[STAMP_TEXT_SIZE];
    stamps_add(p->stamps, posted_us, stamp);
    int len =
        snprintf(body, sizeof body,
                 "{\"userid\":\"user%u\",\"videoid\":\"video%u\",\"comment\":\"Hello from client-%u at %s\"}",
                 v->number, v->video, v->number, stamp);
    poster_post(p, v, body, len);
}

static void poster_on_turn(struct poster *p) {
    struct talk_turn turn = talk_next(p->talk);
    struct client_viewer *v = &p->viewers[turn.viewer];
    char body[TALK_TEXT_MAX + 256];
    int len = snprintf(body, sizeof body,
                       "{\"userid\":\"user%u\",\"videoid\":\"video%u\",\"name\":\"%s\",\"comment\":\"%s\"}",
                       v->number, v->video, talk_name(v->number), turn.text);
    poster_post(p, v, body, len);
    loop_timer_start(p->loop, &p->timer, turn.wait_us / 1000 + 1);
}

static int64_t poster_due_us(const struct poster *p) {
    return p->start_us + p->turn * p->period_ns / 1000;
}

// The latency of a comment that is posted late because this process is busy counts from when it was due.
static void poster_on_due(struct loop_timer *t) {
    struct poster *p = container_of(t, struct poster, timer);
    if (p->talk) {
        poster_on_turn(p);
        return;
    }
    int64_t now = clock_monotonic_us();
    for (int i = 0; i < POSTS_PER_TURN && poster_due_us(p) <= now; i++) {
        int64_t due = poster_due_us(p);
        struct client_viewer *v = &p->viewers[(uint64_t)p->turn++ % p->viewer_count];
        poster_post_stamped(p, v, now - due > PUNCTUAL_US ? due : clock_monotonic_us());
    }
    int64_t wait_us = poster_due_us(p) - now;
    loop_timer_start(p->loop, t, wait_us > 0 ? wait_us / 1000 + 1 : 0);
}

void poster_start(struct poster *p) {
    p->timer.on_due = poster_on_due;
    p->start_us = clock_monotonic_us();
    p->turn = 0;
    loop_timer_start(p->loop, &p->timer, 0);
}

void poster_stop(struct poster *p) {
    loop_timer_stop(p->loop, &p->timer);
}
