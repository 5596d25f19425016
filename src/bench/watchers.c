#include "bench/watchers.h"

#include <errno.h>
#include <llhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "bench/scan.h"
#include "clients/sequence.h"
#include "net/address.h"
#include "net/loop.h"

enum { CONNECTING_MAX = 128, READ_SIZE = 256 * 1024 };

enum watcher_state { WATCHER_IDLE, WATCHER_CONNECTING, WATCHER_ASKING, WATCHER_STREAMING, WATCHER_OVER };

struct watcher {
    struct loop_fd watch;
    struct watchers *owner;
    llhttp_t http;
    struct scan scan;
    struct sequence sequence;
    unsigned video;
    uint8_t state;
    bool had_stream;
};

struct watchers {
    struct watchers_config of;
    llhttp_settings_t settings;
    size_t next, connecting;
    int64_t begun_us, now_us;
    char *bytes;
    struct watcher at[];
};

static void on_socket(struct loop_fd *, uint32_t events);
static int on_head(llhttp_t *);
static int on_body(llhttp_t *, const char *, size_t);
static int on_end(llhttp_t *);

struct watchers *watchers_new(const struct watchers_config *config) {
    struct watchers *all = mem_zalloc(sizeof *all + config->count * sizeof *all->at);
    all->of = *config;
    all->bytes = mem_alloc(READ_SIZE);
    llhttp_settings_init(&all->settings);
    all->settings.on_headers_complete = on_head;
    all->settings.on_body = on_body;
    all->settings.on_message_complete = on_end;
    for (size_t i = 0; i < config->count; i++) {
        struct watcher *w = &all->at[i];
        w->owner = all;
        w->watch = (struct loop_fd){.fd = -1, .on_event = on_socket};
        w->video = config->videos[i];
    }
    return all;
}

static void drop(struct watcher *w) {
    int fd = w->watch.fd;
    if (fd < 0) return;
    loop_fd_remove(w->owner->of.loop, &w->watch);
    close(fd);
    scan_release(&w->scan);
}

void watchers_free(struct watchers *all) {
    for (size_t i = 0; i < all->of.count; i++) drop(&all->at[i]);
    free(all->bytes);
    free(all);
}

// A viewer's number among those of all processes.
static size_t number_of(const struct watcher *w) {
    const struct watchers *all = w->owner;
    return (size_t)(w - all->at) * all->of.plan->processes + all->of.process;
}

static bool begin(struct watcher *w) {
    const struct endpoint *e = w->owner->of.places[w->video].endpoint;
    int fd = e ? endpoint_connect(e, number_of(w)) : -EHOSTUNREACH;
    if (fd < 0) return false;
    if (loop_fd_add(w->owner->of.loop, &w->watch, fd, EPOLLOUT)) {
        close(fd);
        return false;
    }
    w->state = WATCHER_CONNECTING;
    return true;
}

static void connect_next(struct watchers *all) {
    while (all->next < all->of.count && all->connecting < CONNECTING_MAX) {
        struct watcher *w = &all->at[all->next++];
        if (begin(w)) {
            all->connecting++;
        } else {
            w->state = WATCHER_OVER;
            all->of.figures->connect_failures++;
        }
    }
}

void watchers_connect(struct watchers *all) {
    all->begun_us = clock_monotonic_us();
    connect_next(all);
}

bool watchers_are_settled(const struct watchers *all) {
    return all->next == all->of.count && !all->connecting;
}

static void attempt_over(struct watchers *all) {
    all->connecting--;
    all->of.figures->connect_us = clock_monotonic_us() - all->begun_us;
    connect_next(all);
}

static void end(struct watcher *w) {
    struct watchers *all = w->owner;
    bool was_streaming = w->state == WATCHER_STREAMING;
    drop(w);
    w->state = WATCHER_OVER;
    if (was_streaming) {
        all->of.figures->cuts++;
    } else {
        all->of.figures->connect_failures++;
        attempt_over(all);
    }
}

void watchers_give_up(struct watchers *all) {
    all->of.figures->connect_failures += all->of.count - all->next;
    all->next = all->of.count;
    for (size_t i = 0; i < all->of.count; i++) {
        struct watcher *w = &all->at[i];
        if (w->state == WATCHER_CONNECTING || w->state == WATCHER_ASKING) end(w);
    }
}

// A request fits into an empty socket's buffer, or something is wrong with the connection.
static bool send_request(struct watcher *w) {
    const struct stream_place *place = &w->owner->of.places[w->video];
    char video[32], viewer[32];
    snprintf(video, sizeof video, "bench-%u", w->video + 1);
    snprintf(viewer, sizeof viewer, "%zu", number_of(w) + 1);
    struct buf out = {0};
    buf_adds(&out, "GET ");
    template_expand(&out, place->path, &(struct template_values){.video = video, .viewer = viewer});
    buf_printf(&out, " HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", place->endpoint->host);
    bool sent = send(w->watch.fd, out.data, out.len, MSG_NOSIGNAL) == (ssize_t)out.len;
    buf_release(&out);
    return sent;
}

static void on_connected(struct watcher *w) {
    if (address_connect_result(w->watch.fd) || !send_request(w) ||
        loop_fd_change(w->owner->of.loop, &w->watch, EPOLLIN)) {
        end(w);
        return;
    }
    llhttp_init(&w->http, HTTP_RESPONSE, &w->owner->settings);
    w->http.data = w;
    w->state = WATCHER_ASKING;
}

static int on_head(llhttp_t *p) {
    struct watcher *w = p->data;
    if (p->status_code != 200) return -1;
    w->state = WATCHER_STREAMING;
    w->had_stream = true;
    w->owner->of.figures->connects++;
    if (!w->owner->of.plan->manager_url) sequence_jump(&w->sequence, (struct position){.epoch = 1});
    attempt_over(w->owner);
    return 0;
}

// A stream with an end of its own is over.
static int on_end(llhttp_t *p) {
    (void)p;
    return -1;
}

static void check_number(struct watcher *w, struct position p) {
    struct bench_figures *f = w->owner->of.figures;
    uint64_t skipped;
    enum sequence_verdict verdict = sequence_take(&w->sequence, p, &skipped);
    f->lost += skipped;
    if (verdict == SEQUENCE_DUPLICATE) f->duplicated++;
    if (verdict == SEQUENCE_LATE) {
        f->out_of_order++;
        if (f->lost) f->lost--; // it was counted as missing
    }
}

static void take_gap(struct watcher *w, const struct scan_event *e) {
    w->owner->of.figures->gaps++;
    w->owner->of.figures->lost += e->missed;
    if (position_is_set(e->position)) sequence_jump(&w->sequence, e->position);
}

// A server that numbers its events by rules of its own is judged by our own numbers.
static void on_event(void *arg, const struct scan_event *e) {
    struct watcher *w = arg;
    struct watchers *all = w->owner;
    bool numbered = all->of.plan->manager_url;
    if (numbered && e->is_gap) {
        take_gap(w, e);
    } else if (numbered && e->is_start) {
        sequence_jump(&w->sequence, e->position);
    } else if (e->is_stamped || (numbered && e->has_data && !e->is_named)) {
        struct bench_figures *f = all->of.figures;
        load_figures_deliver(f, all->now_us -
                                    atomic_load_explicit(&all->of.shared->start_us, memory_order_relaxed));
        f->last_arrival_us = all->now_us;
        if (e->is_stamped) histogram_add(&f->latency, all->now_us - e->stamp.due_us);
        check_number(w, numbered ? e->position : (struct position){.epoch = 1, .seq = e->stamp.number});
    }
}

static int on_body(llhttp_t *p, const char *at, size_t len) {
    struct watcher *w = p->data;
    return scan_feed(&w->scan, at, len, on_event, w) ? 0 : -1;
}

static void read_some(struct watcher *w) {
    struct watchers *all = w->owner;
    ssize_t n = recv(w->watch.fd, all->bytes, READ_SIZE, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    all->now_us = clock_monotonic_us();
    if (n <= 0 || llhttp_execute(&w->http, all->bytes, (size_t)n) != HPE_OK) end(w);
}

static void on_socket(struct loop_fd *f, uint32_t events) {
    struct watcher *w = container_of(f, struct watcher, watch);
    (void)events;
    if (w->state == WATCHER_CONNECTING)
        on_connected(w);
    else
        read_some(w);
}

uint64_t watchers_outstanding(const struct watchers *all, bool with_cut) {
    uint64_t sum = 0;
    for (size_t i = 0; i < all->of.count; i++) {
        const struct watcher *w = &all->at[i];
        if (!w->had_stream || (w->state == WATCHER_OVER && !with_cut)) continue;
        struct position newest = all->of.shared->newest[w->video].at, last = w->sequence.last;
        if (position_compare(newest, last) <= 0) continue;
        sum += newest.epoch == last.epoch ? newest.seq - last.seq : newest.seq;
    }
    return sum;
}
