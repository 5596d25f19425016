#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/container_of.h"
#include "net/sock.h"

#define STREAM_WATCHED (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void stream_take_events(struct stream *s, uint32_t events) {
    if (s->ops->on_socket(s, events)) s->on_ready(s);
}

static void stream_on_socket(struct loop_fd *f, uint32_t events) {
    stream_take_events(container_of(f, struct stream, watch), events);
}

void stream_init(struct stream *s, const struct stream_ops *ops, struct loop *loop,
                 void (*on_ready)(struct stream *)) {
    *s = (struct stream){.ops = ops, .loop = loop, .on_ready = on_ready, .error = -ENOTCONN};
    s->watch = (struct loop_fd){.fd = -1, .on_event = stream_on_socket};
}

// Owns the socket from then on. Returns 0, or a negative errno after closing it.
static int stream_watch(struct stream *s, int fd) {
    assert(stream_is_closed(s));
    s->readable = s->writable = s->fin = s->broken = false;
    s->error = -EINPROGRESS;
    int error = loop_fd_add(s->loop, &s->watch, fd, STREAM_WATCHED);
    if (error) sock_close(fd);
    return error;
}

const char *stream_why(const struct stream *s) {
    return s->ops->why ? s->ops->why(s) : NULL;
}

int stream_connect(struct stream *s, const union address *to) {
    return stream_connect_from(s, to, NULL);
}

int stream_connect_from(struct stream *s, const union address *to, const union address *from) {
    int fd = sock_connect(to, from);
    if (fd == -EADDRNOTAVAIL && from) fd = sock_connect(to, NULL);
    return fd < 0 ? fd : stream_watch(s, fd);
}

int stream_accept(struct stream *s, int fd) {
    int error = stream_watch(s, fd);
    if (!error) s->ops->open(s, true);
    return error;
}

ssize_t stream_read(struct stream *s, void *bytes, size_t room) {
    return s->ops->read(s, bytes, room);
}

ssize_t stream_writev(struct stream *s, const struct iovec *iov, size_t count) {
    return s->ops->writev(s, iov, count);
}

ssize_t stream_write(struct stream *s, const void *bytes, size_t len) {
    return s->ops->writev(s, &(struct iovec){(void *)bytes, len}, 1);
}

// Modifying the registration, even to the same events, makes the kernel report them again. There is always at
// least one, as the socket is writable.
void stream_ready_again(struct stream *s) {
    loop_fd_change(s->loop, &s->watch, STREAM_WATCHED);
}

void stream_shutdown(struct stream *s) {
    s->ops->shutdown(s);
}

static int stream_unwatch(struct stream *s) {
    int fd = s->watch.fd;
    loop_fd_remove(s->loop, &s->watch);
    s->readable = s->writable = false;
    s->error = -ENOTCONN;
    return fd;
}

void stream_close(struct stream *s) {
    if (stream_is_closed(s)) return;
    s->ops->close(s);
    sock_close(stream_unwatch(s));
}

void stream_reset(struct stream *s) {
    if (stream_is_closed(s)) return;
    s->ops->close(s);
    sock_reset(stream_unwatch(s));
}

struct sink stream_take_sink(struct stream *s, enum sink_framing framing) {
    return s->ops->take_sink(s, stream_unwatch(s), framing);
}

bool stream_wait(struct stream *s, int timeout_ms) {
    int wanted = EPOLLIN | (s->writable ? 0 : EPOLLOUT);
    int events = sock_wait(s->watch.fd, wanted, timeout_ms); // poll(2) and epoll use the same bits
    if (events) stream_take_events(s, (uint32_t)events);
    return events;
}

bool stream_has_unread(const struct stream *s) {
    return s->ops->has_unread(s);
}

void stream_set_keepalive(struct stream *s, int after_s, int every_s) {
    sock_set_keepalive(s->watch.fd, after_s, every_s);
}
