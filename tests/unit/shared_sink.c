#include "shared_sink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "net/sock.h"

struct shared_stream {
    struct shared_conn *conn;
    struct sink_owner *owner; // NULL: not attached
    uint32_t window;
    uint8_t number;
    bool blocked, closed;
    struct loop_job reap;
};

// Of any connection on this thread.
static _Thread_local unsigned operations;        // under way
static _Thread_local struct shared_stream *told; // the stream whose on_sink() is running

static void shared_tell(struct shared_stream *s, unsigned events) {
    assert(!operations); // the rule of sink_owner
    assert(!s->closed);
    struct shared_stream *outer = told;
    told = s;
    s->owner->on_sink(s->owner, events);
    told = outer;
}

static void shared_tell_all(struct shared_conn *c, unsigned events) {
    for (unsigned i = 0; i < SHARED_STREAMS; i++)
        if (c->streams[i]) shared_tell(c->streams[i], events);
}

static void on_news(struct loop_job *job) {
    struct shared_conn *c = container_of(job, struct shared_conn, news);
    unsigned events = c->untold;
    c->untold = 0;
    c->told_in_a_job += c->attached;
    shared_tell_all(c, events);
}

// For operations, which must not report themselves.
static void shared_tell_later(struct shared_conn *c, unsigned events) {
    if (!c->untold) {
        c->news = (struct loop_job){.run = on_news};
        loop_defer(c->loop, &c->news);
    }
    c->untold |= events;
}

static bool shared_is_free(const struct shared_conn *c) {
    return c->from == c->to;
}

// Sends what is left of the frame. Returns 0 or a negative errno.
static int shared_send(struct shared_conn *c) {
    while (c->from < c->to) {
        if (c->to_break) c->broken = true;
        if (c->broken) return -EPIPE;
        ssize_t n = sock_write(c->fd, c->frame + c->from, c->to - c->from);
        if (n == -EAGAIN) break;
        c->broken = n < 0;
        if (n < 0) return (int)n;
        c->from += (size_t)n;
    }
    return 0;
}

static int shared_send_frame(struct shared_conn *c, uint8_t stream, enum shared_kind kind, size_t len) {
    c->frame[0] = stream;
    c->frame[1] = (uint8_t)kind;
    c->frame[2] = (uint8_t)(len >> 8);
    c->frame[3] = (uint8_t)len;
    c->from = 0;
    c->to = SHARED_HEAD + len;
    return shared_send(c);
}

// The streams take turns, so that each gets its share of a slow connection.
static void shared_unblock(struct shared_conn *c) {
    for (unsigned i = 0; i < SHARED_STREAMS && shared_is_free(c); i++) {
        struct shared_stream *s = c->streams[c->next++ % SHARED_STREAMS];
        if (!s || !s->blocked || !s->window) continue;
        s->blocked = false;
        shared_tell(s, SINK_WRITABLE);
    }
}

static void shared_take(struct shared_conn *c, const uint8_t *record) {
    struct shared_stream *s = c->streams[record[0]];
    if (s && record[1] == SHARED_OPEN) s->window += SHARED_WINDOW;
    if (s && record[1] == SHARED_ABANDON) shared_tell(s, SINK_GONE);
}

static void shared_read(struct shared_conn *c) {
    uint8_t record[2];
    while (c->attached && sock_read(c->fd, record, sizeof record) == sizeof record) shared_take(c, record);
}

static void on_socket(struct loop_fd *f, uint32_t events) {
    struct shared_conn *c = container_of(f, struct shared_conn, watch);
    if (events & EPOLLIN) shared_read(c);
    if ((events & (EPOLLHUP | EPOLLERR)) || shared_send(c) < 0) {
        c->broken = true;
        shared_tell_all(c, SINK_GONE);
        return;
    }
    shared_unblock(c);
    if (!(events & EPOLLRDHUP) || c->fin) return;
    c->fin = true;
    shared_tell_all(c, SINK_FIN);
}

static int shared_begin(struct shared_stream *s, struct loop *loop, struct sink_owner *owner) {
    struct shared_conn *c = s->conn;
    if (c->broken || c->streams[s->number]) return -EPIPE;
    if (!c->loop) c->loop = loop;
    if (c->loop != loop) return -EXDEV;
    int error =
        c->attached ? 0 : loop_fd_add(loop, &c->watch, c->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (error) return error;
    s->owner = owner;
    c->streams[s->number] = s;
    c->attached++;
    if (c->fin) shared_tell_later(c, SINK_FIN);
    return 0;
}

static int shared_attach(void *state, int fd, struct loop *loop, struct sink_owner *owner) {
    struct shared_stream *s = state;
    assert(fd == -1);
    operations++;
    int error = shared_begin(s, loop, owner);
    s->conn->refused += error != 0;
    s->conn->on_other_loops += error == -EXDEV;
    operations--;
    return error;
}

static size_t shared_gather(uint8_t *out, const struct iovec *pieces, size_t count, size_t skip,
                            size_t most) {
    size_t len = 0;
    for (size_t i = 0; i < count && len < most; i++) {
        size_t here = pieces[i].iov_len;
        if (skip >= here) {
            skip -= here;
            continue;
        }
        size_t n = here - skip < most - len ? here - skip : most - len;
        memcpy(out + len, (const char *)pieces[i].iov_base + skip, n);
        len += n;
        skip = 0;
    }
    return len;
}

// Returns how many bytes it has accepted, or a negative errno, which concerns all streams.
static ssize_t shared_send_data(struct shared_stream *s, const struct iovec *pieces, size_t count) {
    struct shared_conn *c = s->conn;
    ssize_t taken = 0;
    while (shared_is_free(c) && s->window) {
        size_t most = s->window < SHARED_MOST ? s->window : SHARED_MOST;
        size_t len = shared_gather(c->frame + SHARED_HEAD, pieces, count, (size_t)taken, most);
        if (!len) return taken;
        int error = shared_send_frame(c, s->number, SHARED_DATA, len);
        if (error) return error;
        s->window -= (uint32_t)len;
        taken += (ssize_t)len;
    }
    return taken;
}

static ssize_t shared_write(void *state, int fd, const struct iovec *pieces, size_t count) {
    struct shared_stream *s = state;
    size_t total = 0;
    assert(fd == -1 && !s->closed);
    operations++;
    for (size_t i = 0; i < count; i++) total += pieces[i].iov_len;
    ssize_t taken = s->conn->broken ? -EPIPE : shared_send_data(s, pieces, count);
    if (taken < 0) shared_tell_later(s->conn, SINK_GONE);
    s->blocked = taken >= 0 && (size_t)taken < total;
    if (s->blocked) sem_post(&s->conn->blocked);
    operations--;
    return taken;
}

static size_t shared_pinned(const void *state) {
    (void)state;
    return 0; // it holds what it has begun to send
}

static unsigned shared_on_socket(void *state, int fd, uint32_t events) {
    (void)state, (void)fd, (void)events;
    abort(); // there is no descriptor to watch
}

static void on_reap(struct loop_job *job) {
    free(container_of(job, struct shared_stream, reap));
}

// An end that finds no room is left out: the peer does not count on it.
static void shared_end(struct shared_stream *s, enum sink_end end) {
    struct shared_conn *c = s->conn;
    s->closed = true;
    c->streams[s->number] = NULL;
    if (!c->broken && shared_is_free(c)) shared_send_frame(c, s->number, SHARED_CUT + end, 0);
    if (!--c->attached) loop_fd_remove(c->loop, &c->watch);
    c->closed_inside += told == s;
    s->reap = (struct loop_job){.run = on_reap};
    loop_defer(c->loop, &s->reap); // shared_tell() may be running
}

static void shared_close(void *state, int fd, enum sink_end end) {
    struct shared_stream *s = state;
    assert(fd == -1 && !s->closed);
    operations++;
    if (s->owner)
        shared_end(s, end);
    else
        free(s);
    operations--;
}

static void shared_placed(void *state, int worker) {
    struct shared_conn *c = ((struct shared_stream *)state)->conn;
    assert(c->worker == SINK_ANY_WORKER);
    c->worker = worker;
}

static const struct sink_ops shared_ops = {
    .state_bytes = sizeof(struct shared_stream),
    .placed = shared_placed,
    .attach = shared_attach,
    .write = shared_write,
    .pinned = shared_pinned,
    .on_socket = shared_on_socket,
    .close = shared_close,
};

void shared_conn_init(struct shared_conn *c, int fd) {
    *c =
        (struct shared_conn){.watch = {.fd = -1, .on_event = on_socket}, .fd = fd, .worker = SINK_ANY_WORKER};
    sem_init(&c->blocked, 0, 0);
}

void shared_conn_release(struct shared_conn *c) {
    assert(!c->attached);
    sem_destroy(&c->blocked);
    sock_close(c->fd);
}

struct sink shared_sink(struct shared_conn *c, uint8_t stream) {
    struct shared_stream *s = mem_zalloc(sizeof *s);
    *s = (struct shared_stream){.conn = c, .number = stream, .window = SHARED_WINDOW};
    return (struct sink){.fd = -1, .framing = SINK_RAW, .worker = c->worker, .ops = &shared_ops, .state = s};
}
