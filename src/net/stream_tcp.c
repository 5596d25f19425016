// Plain TCP: needs no state, because the kernel's events map directly to the stream's flags.
#include <errno.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "net/sock.h"
#include "net/stream.h"

static void tcp_open(struct stream *s, bool is_server) {
    (void)is_server;
    s->error = 0;
    s->writable = true;
}

static bool tcp_on_socket(struct stream *s, uint32_t events) {
    if (s->error == -EINPROGRESS) { // the outcome of the connect is known
        s->error = sock_error(s->watch.fd);
        if (!s->error) tcp_open(s, false);
    }
    if (events & (EPOLLERR | EPOLLHUP)) s->broken = s->readable = s->writable = true;
    if (events & EPOLLRDHUP) s->fin = s->readable = true;
    if (events & EPOLLIN) s->readable = true;
    if (events & EPOLLOUT) s->writable = true;
    return true;
}

// A read that returns less than asked for has emptied the socket; only the end of the stream may still be
// unread.
static ssize_t tcp_read(struct stream *s, void *bytes, size_t room) {
    ssize_t n = sock_read(s->watch.fd, bytes, room);
    if (n <= 0 || ((size_t)n < room && !s->fin && !s->broken)) s->readable = false;
    if (n < 0 && n != -EAGAIN) s->broken = true;
    return n;
}

static ssize_t tcp_writev(struct stream *s, const struct iovec *iov, size_t count) {
    ssize_t n = count == 1 ? sock_write(s->watch.fd, iov->iov_base, iov->iov_len)
                           : sock_writev(s->watch.fd, iov, count);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) len += iov[i].iov_len;
    if (n < 0 || (size_t)n < len) s->writable = false;
    if (n < 0 && n != -EAGAIN) s->broken = true;
    return n;
}

static void tcp_shutdown(struct stream *s) {
    sock_shutdown(s->watch.fd);
}

static bool tcp_has_unread(const struct stream *s) {
    return sock_unread(s->watch.fd) != 0;
}

static void tcp_close(struct stream *s) {
    (void)s;
}

static struct sink tcp_take_sink(struct stream *s, int fd, enum sink_framing framing) {
    (void)s;
    return sink_from_socket(fd, framing);
}

const struct stream_ops stream_tcp = {.open = tcp_open,
                                      .on_socket = tcp_on_socket,
                                      .read = tcp_read,
                                      .writev = tcp_writev,
                                      .shutdown = tcp_shutdown,
                                      .has_unread = tcp_has_unread,
                                      .close = tcp_close,
                                      .take_sink = tcp_take_sink};
