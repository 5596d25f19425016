#include "watchers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "intake.h"
#include "clients/sequence.h"
#include "net/loop.h"
#include "net/sock.h"

enum {
    CONNECTING_MAX = 128,      // per process,
    CONNECTING_SUM_MAX = 2000, // and in total: a server's listen backlog holds 4096
    READ_SIZE = 256 * 1024
};

enum watcher_state {
    WATCHER_IDLE,
    WATCHER_CONNECTING,
    WATCHER_AWAITING_HEAD,
    WATCHER_STREAMING,
    WATCHER_STALLED,
    WATCHER_OVER
};

// There are millions of these.
struct watcher {
    struct loop_fd watch;
    struct watchers *owner;
    struct intake intake;
    struct sequence sequence;
    unsigned video;
    uint8_t state;
    bool had_stream, has_seen, stalls; // has_seen: has received a comment or a gap
};

struct watchers {
    struct watchers_config of;
    size_t next, connecting, connecting_max, count;
    int64_t begun_us, now_us;
    char *bytes;
    struct watcher at[];
};

static void watcher_on_socket(struct loop_fd *, uint32_t events);

// Returns the viewer's number among those of all processes.
static size_t watcher_number(const struct watcher *w) {
    const struct watchers *all = w->owner;
    return (size_t)(w - all->at) * all->of.plan->processes + all->of.process;
}

struct watchers *watchers_new(const struct watchers_config *config) {
    const struct bench_plan *plan = config->plan;
    size_t count =
        plan->viewers > config->process ? (plan->viewers - config->process - 1) / plan->processes + 1 : 0;
    struct watchers *all = mem_zalloc(sizeof *all + count * sizeof *all->at);
    all->of = *config;
    all->count = count;
    all->bytes = mem_alloc(READ_SIZE);
    size_t share = CONNECTING_SUM_MAX / plan->processes;
    all->connecting_max = share < CONNECTING_MAX ? share : CONNECTING_MAX;
    for (size_t i = 0; i < count; i++) {
        struct watcher *w = &all->at[i];
        w->owner = all;
        w->watch = (struct loop_fd){.fd = -1, .on_event = watcher_on_socket};
        size_t number = watcher_number(w);
        w->video = config->shared->video_of[number];
        // Stalled viewers are spread evenly over all.
        w->stalls = (number + 1) * plan->stalled / plan->viewers > number * plan->stalled / plan->viewers;
    }
    return all;
}

static void watcher_drop(struct watcher *w) {
    int fd = w->watch.fd;
    if (fd < 0) return;
    loop_fd_remove(w->owner->of.loop, &w->watch);
    sock_close(fd);
    intake_release(&w->intake);
}

void watchers_free(struct watchers *all) {
    if (!all) return;
    for (size_t i = 0; i < all->count; i++) watcher_drop(&all->at[i]);
    free(all->bytes);
    free(all);
}

static void watcher_note_failure(const struct watcher *w, const char *why) {
    const struct watchers_config *of = &w->owner->of;
    const struct endpoint *e = bench_shared_endpoint(of->shared, w->video);
    if (!e) return; // the reason has been recorded already
    bench_note_error(of->shared->load[of->process].connect_error, "A stream at %s: %s.", e->host, why);
}

static bool watcher_connect(struct watcher *w) {
    const struct endpoint *e = bench_shared_endpoint(w->owner->of.shared, w->video);
    int fd = e ? endpoint_connect(e, watcher_number(w)) : -EHOSTUNREACH;
    int error = fd < 0 ? fd : loop_fd_add(w->owner->of.loop, &w->watch, fd, EPOLLOUT);
    if (error) {
        watcher_note_failure(w, strerror(-error));
        if (fd >= 0) sock_close(fd);
        return false;
    }
    w->state = WATCHER_CONNECTING;
    return true;
}

static void watchers_connect_next(struct watchers *all) {
    while (all->next < all->count && all->connecting < all->connecting_max) {
        struct watcher *w = &all->at[all->next++];
        if (watcher_connect(w)) {
            all->connecting++;
        } else {
            w->state = WATCHER_OVER;
            all->of.figures->connect_failures++;
        }
    }
}

void watchers_connect(struct watchers *all) {
    all->begun_us = clock_monotonic_us();
    watchers_connect_next(all);
}

bool watchers_are_settled(const struct watchers *all) {
    return all->next == all->count && !all->connecting;
}

static void watchers_attempt_over(struct watchers *all) {
    all->connecting--;
    all->of.figures->connect_us = clock_monotonic_us() - all->begun_us;
    watchers_connect_next(all);
}

static void watcher_end(struct watcher *w) {
    struct watchers *all = w->owner;
    enum watcher_state was = (enum watcher_state)w->state;
    watcher_drop(w);
    w->state = WATCHER_OVER;
    if (was == WATCHER_STREAMING) {
        all->of.figures->cuts++;
    } else if (was == WATCHER_STALLED) {
        all->of.figures->stalled_closed++;
    } else {
        all->of.figures->connect_failures++;
        watchers_attempt_over(all);
    }
}

// Viewers that are waiting for a response when the user interrupts have not failed.
void watchers_end_connecting(struct watchers *all) {
    bool interrupted = all->of.shared->interrupted;
    if (!interrupted) all->of.figures->connect_failures += all->count - all->next;
    all->next = all->count;
    for (size_t i = 0; i < all->count; i++) {
        struct watcher *w = &all->at[i];
        if (w->state != WATCHER_CONNECTING && w->state != WATCHER_AWAITING_HEAD) continue;
        if (interrupted) {
            watcher_drop(w);
            w->state = WATCHER_OVER;
            watchers_attempt_over(all);
            continue;
        }
        watcher_note_failure(w, "no answer in time");
        watcher_end(w);
    }
}

// A request fits into an empty send buffer; if it does not, the connection is broken.
static bool watcher_send_request(struct watcher *w) {
    const struct bench_plan *plan = w->owner->of.plan;
    char video[32], viewer[32];
    snprintf(video, sizeof video, "bench-%u", w->video + 1);
    snprintf(viewer, sizeof viewer, "%zu", watcher_number(w) + 1);
    struct buf out = {0};
    const struct endpoint *e = bench_shared_endpoint(w->owner->of.shared, w->video);
    buf_printf(&out, "GET %s%s", e->path, *plan->path == '/' ? "" : "/");
    template_expand(&out, plan->path, &(struct template_values){.video = video, .viewer = viewer});
    buf_printf(&out, " HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n", e->host);
    if (plan->authorization) buf_printf(&out, "Authorization: %s\r\n", plan->authorization);
    buf_add_string(&out, "\r\n");
    bool sent = sock_write(w->watch.fd, out.data, out.len) == (ssize_t)out.len;
    buf_release(&out);
    return sent;
}

static void watcher_on_connected(struct watcher *w) {
    int error = sock_error(w->watch.fd);
    if (error || !watcher_send_request(w) || loop_fd_change(w->owner->of.loop, &w->watch, EPOLLIN)) {
        watcher_note_failure(w, error ? strerror(-error) : "the request cannot be sent");
        watcher_end(w);
        return;
    }
    intake_begin(&w->intake);
    w->state = WATCHER_AWAITING_HEAD;
}

static void watcher_on_stream(void *arg) {
    struct watcher *w = arg;
    struct watchers *all = w->owner;
    w->state = WATCHER_STREAMING;
    w->had_stream = true;
    all->of.figures->connects++;
    if (!all->of.plan->manager_url) {
        sequence_jump(&w->sequence, (struct position){.epoch = 1});
        if (w->stalls) w->state = WATCHER_STALLED; // such a stream may begin without an event
    }
    watchers_attempt_over(all);
}

static void watcher_check_number(struct watcher *w, struct position p, uint64_t more) {
    struct bench_figures *f = w->owner->of.figures;
    uint64_t skipped;
    enum sequence_verdict verdict = sequence_take(&w->sequence, p, &skipped);
    uint64_t left_out = skipped < more ? skipped : more;
    f->left_out += left_out;
    f->lost += skipped - left_out;
    if (verdict == SEQUENCE_DUPLICATE) f->duplicated++;
    if (verdict == SEQUENCE_LATE) {
        f->out_of_order++;
        if (f->lost) f->lost--; // it had been counted as missing
    }
}

static void watcher_take_gap(struct watcher *w, const struct scan_event *e) {
    struct bench_figures *f = w->owner->of.figures;
    w->has_seen = true;
    f->gaps++;
    f->missed += e->missed;
    f->lost += e->missed;
    if (position_is_set(e->position)) sequence_jump(&w->sequence, e->position);
}

static void watcher_take_comment(struct watcher *w, const struct scan_event *e, struct position p) {
    struct watchers *all = w->owner;
    struct bench_figures *f = all->of.figures;
    int64_t start_us = atomic_load_explicit(&all->of.shared->start_us, memory_order_relaxed);
    w->has_seen = true;
    load_figures_add_delivery(f, all->now_us - start_us);
    f->last_arrival_us = all->now_us;
    if (e->is_stamped && e->stamp.due_us >= start_us + all->of.plan->warmup_us)
        histogram_add(&f->latency, all->now_us - e->stamp.due_us);
    watcher_check_number(w, p, e->more);
}

// If the server's event ids are not a Chorus's, our own numbers are checked instead.
static void watcher_on_event(void *arg, const struct scan_event *e) {
    struct watcher *w = arg;
    bool numbered = w->owner->of.plan->manager_url;
    if (w->stalls)
        w->state = WATCHER_STALLED;
    else if (numbered && e->is_gap)
        watcher_take_gap(w, e);
    else if (numbered && e->is_start)
        sequence_jump(&w->sequence, e->position);
    else if (e->is_stamped || (numbered && e->has_data && !e->is_named))
        watcher_take_comment(w, e,
                             numbered ? e->position : (struct position){.epoch = 1, .seq = e->stamp.number});
}

// Unread data keeps the server's FIN from arriving: a keepalive probe each second detects that it has closed.
static void watcher_stall(struct watcher *w) {
    w->owner->of.figures->stalled++;
    intake_release(&w->intake);
    sock_set_keepalive(w->watch.fd, 1, 1);
    if (loop_fd_change(w->owner->of.loop, &w->watch, EPOLLRDHUP)) watcher_end(w);
}

static const struct intake_calls calls = {.on_stream = watcher_on_stream, .on_event = watcher_on_event};

static void watcher_read(struct watcher *w) {
    struct watchers *all = w->owner;
    ssize_t n = sock_read(w->watch.fd, all->bytes, READ_SIZE);
    if (n == -EAGAIN) return;
    all->now_us = clock_monotonic_us();
    bool goes_on = n > 0 && intake_feed(&w->intake, all->bytes, (size_t)n, &calls, w);
    if (w->state == WATCHER_STALLED) {
        watcher_stall(w);
    } else if (!goes_on) {
        char why[64] = "closed without an answer, as a full reader does";
        if (n > 0)
            snprintf(why, sizeof why, "the response is not an event stream (status %d)",
                     intake_status(&w->intake));
        if (w->state == WATCHER_AWAITING_HEAD) watcher_note_failure(w, n < 0 ? strerror((int)-n) : why);
        watcher_end(w);
    }
}

static void watcher_on_socket(struct loop_fd *f, uint32_t events) {
    struct watcher *w = container_of(f, struct watcher, watch);
    (void)events;
    if (w->state == WATCHER_CONNECTING)
        watcher_on_connected(w);
    else if (w->state == WATCHER_STALLED) // watched only for the connection's end
        watcher_end(w);
    else
        watcher_read(w);
}

// A viewer that has received nothing may be on another system's log, with other numbers: it lacks all
// comments.
static uint64_t watcher_outstanding(const struct watchers *all, const struct watcher *w) {
    struct position newest = all->of.shared->newest[w->video].at, last = w->sequence.last;
    if (!w->has_seen) return all->of.shared->newest[w->video].answered;
    if (position_compare(newest, last) <= 0) return 0;
    return newest.epoch == last.epoch ? newest.seq - last.seq : newest.seq;
}

uint64_t watchers_outstanding(const struct watchers *all, bool with_cut) {
    uint64_t sum = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct watcher *w = &all->at[i];
        if (w->had_stream && !w->stalls && (with_cut || w->state != WATCHER_OVER))
            sum += watcher_outstanding(all, w);
    }
    return sum;
}
