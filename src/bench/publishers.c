#include "publishers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "bench/stamp.h"
#include "http/client.h"
#include "net/loop.h"

enum { ANSWER_TIMEOUT_MS = 10000, ANSWER_SHOWN = 160 };

struct publisher {
    struct publishers *owner;
    struct http_client *client;
    struct prng prng;
    size_t number; // among all
    uint64_t turn; // its next comment
    bool waiting;  // for the response to this comment:
    unsigned video;
    uint32_t comment;
    int64_t sent_us;
};

struct publishers {
    struct loop *loop;
    const struct bench_plan *plan;
    struct bench_shared *shared;
    struct bench_figures *figures;
    struct loop_fd timer; // a timerfd: the loop's own timers are too coarse
    unsigned process;
    bool posting;
    char *text;
    struct buf url, body;
    size_t waiting, count;
    struct publisher at[];
};

static void publishers_on_timer(struct loop_fd *, uint32_t events);

struct publishers *publishers_new(struct loop *loop, const struct bench_plan *plan,
                                  struct bench_shared *shared, struct bench_figures *figures,
                                  unsigned process) {
    bool any = plan->rate > 0 && plan->publishers > process;
    size_t count = any ? (plan->publishers - process - 1) / plan->processes + 1 : 0;
    struct publishers *all = mem_zalloc(sizeof *all + count * sizeof *all->at);
    all->loop = loop;
    all->plan = plan;
    all->shared = shared;
    all->figures = figures;
    all->process = process;
    all->count = count;
    all->text = mem_alloc(plan->size + 1);
    for (size_t i = 0; i < count; i++) {
        size_t number = i * plan->processes + process;
        all->at[i] = (struct publisher){.owner = all,
                                        .client = http_client_new(loop),
                                        .prng.state = plan->seed + number + 1,
                                        .number = number};
    }
    all->timer = (struct loop_fd){.fd = -1, .on_event = publishers_on_timer};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0 || loop_fd_add(loop, &all->timer, fd, EPOLLIN)) mem_abort("a timer of the bench");
    return all;
}

void publishers_free(struct publishers *all) {
    int fd = all->timer.fd;
    loop_fd_remove(all->loop, &all->timer);
    close(fd);
    for (size_t i = 0; i < all->count; i++) http_client_free(all->at[i].client);
    buf_release(&all->url);
    buf_release(&all->body);
    free(all->text);
    free(all);
}

static uint64_t comment_index(const struct publisher *p) {
    return p->turn * p->owner->plan->publishers + p->number;
}

static int64_t publisher_due_us(const struct publisher *p) {
    return p->owner->shared->start_us + (int64_t)((double)comment_index(p) * 1e6 / p->owner->plan->rate);
}

// Returns a comment's position from a Chorus's response; with another server, from our own numbering.
static struct position answered_position(const struct publisher *p, const struct http_client_response *a) {
    static const char opening[] = "\"id\":\"";
    struct position at = {0};
    if (!p->owner->plan->manager_url) return (struct position){.epoch = 1, .seq = p->comment};
    const char *id = memmem(a->body, a->body_len, opening, sizeof opening - 1);
    if (!id) return at;
    id += sizeof opening - 1;
    const char *quote = memchr(id, '"', (size_t)(a->body + a->body_len - id));
    if (quote && !position_parse(id, (size_t)(quote - id), &at)) at = (struct position){0};
    return at;
}

static void publishers_run_due(struct publishers *);

static void publishers_note_failure(const struct publishers *all, const struct http_client_response *a) {
    char *error = all->shared->load[all->process].post_error;
    if (a->error)
        bench_note_error(error, "A post: %s.", strerror(-a->error));
    else
        bench_note_error(error, "A post: status %d: %.*s", a->status,
                         (int)(a->body_len < ANSWER_SHOWN ? a->body_len : ANSWER_SHOWN),
                         a->body_len ? a->body : "");
}

static void publisher_on_answer(void *arg, const struct http_client_response *a) {
    struct publisher *p = arg;
    struct publishers *all = p->owner;
    p->waiting = false;
    all->waiting--;
    if (a->error || a->status / 100 != 2) {
        all->figures->post_failures++;
        publishers_note_failure(all, a);
    } else {
        all->figures->comments++;
        histogram_add(&all->figures->answer, clock_monotonic_us() - p->sent_us);
        bench_shared_record_answer(all->shared, p->video, answered_position(p, a));
    }
    publishers_run_due(all);
}

static void publisher_post(struct publisher *p) {
    struct publishers *all = p->owner;
    const struct bench_request *r = &all->plan->publish;
    char video[32];
    const struct distribution *law = all->shared->law;
    p->video = (unsigned)(law ? distribution_choose(law, &p->prng) : comment_index(p) % all->plan->videos);
    p->comment = atomic_fetch_add(&all->shared->numbers[p->video], 1) + 1;
    snprintf(video, sizeof video, "bench-%u", p->video + 1);
    stamp_write((struct bench_stamp){.due_us = publisher_due_us(p), .number = p->comment}, all->plan->size,
                all->text);
    struct template_values values = {.video = video, .body = all->text};
    buf_clear(&all->url);
    buf_clear(&all->body);
    template_expand(&all->url, r->url, &values);
    if (r->body) template_expand(&all->body, r->body, &values);
    p->turn++;
    p->waiting = true;
    p->sent_us = clock_monotonic_us();
    all->waiting++;
    http_client_request(p->client,
                        &(struct http_client_request){.method = r->method,
                                                      .url = buf_string(&all->url),
                                                      .body = r->body ? buf_string(&all->body) : NULL,
                                                      .body_len = all->body.len,
                                                      .authorization = all->plan->authorization,
                                                      .timeout_ms = ANSWER_TIMEOUT_MS},
                        publisher_on_answer, p);
}

static void publishers_run_due(struct publishers *all) {
    int64_t now = clock_monotonic_us(), end = all->shared->end_us, next = INT64_MAX;
    if (!all->posting || now >= end) return;
    for (size_t i = 0; i < all->count; i++) {
        struct publisher *p = &all->at[i];
        int64_t due = publisher_due_us(p);
        if (p->waiting || due >= end) continue;
        if (due <= now)
            publisher_post(p);
        else if (due < next)
            next = due;
    }
    if (next == INT64_MAX) return;
    struct itimerspec at = {.it_value = {.tv_sec = next / 1000000, .tv_nsec = next % 1000000 * 1000}};
    timerfd_settime(all->timer.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void publishers_on_timer(struct loop_fd *f, uint32_t events) {
    struct publishers *all = container_of(f, struct publishers, timer);
    uint64_t times;
    (void)events;
    if (read(f->fd, &times, sizeof times) < 0) return;
    publishers_run_due(all);
}

void publishers_start(struct publishers *all) {
    all->posting = true;
    publishers_run_due(all);
}

void publishers_stop(struct publishers *all) {
    if (!all->posting) return;
    all->posting = false;
    for (size_t i = 0; i < all->count; i++)
        for (; publisher_due_us(&all->at[i]) < all->shared->end_us; all->at[i].turn++)
            all->figures->unposted++;
}

bool publishers_are_answered(const struct publishers *all) {
    return !all->waiting;
}
