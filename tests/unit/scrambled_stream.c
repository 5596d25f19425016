// A transport that is as inconvenient as a stream may be: opening takes another turn; reads take more from
// the socket than they are asked for, return a few bytes at a time, and sometimes none; writes
// take a part, keep it, and send it later. A test that is linked with it uses it instead of plain TCP. What
// is on the wire is the same.
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "dice.h"
#include "net/sock.h"
#include "net/stream.h"

enum { SCRAMBLED_ROOM = 1000 };

struct scrambled {
    char in[SCRAMBLED_ROOM], out[SCRAMBLED_ROOM];
    size_t in_at, in_len, out_len;
    bool shutting_down;
};

__attribute__((constructor)) static void scrambled_seed(void) {
    dice_begin("scrambled_stream");
}

static bool scrambled_chance(unsigned of) {
    return dice(of) == 0;
}

static size_t scrambled_part(size_t most) {
    size_t some = scrambled_chance(4) ? most : most < 7 ? most : 7;
    return some ? 1 + dice(some) : 0;
}

static void scrambled_open(struct stream *s, bool is_server) {
    (void)is_server;
    s->state = mem_zalloc(sizeof(struct scrambled));
    stream_ready_again(s); // the handshake
}

static void scrambled_flush(struct stream *s) {
    struct scrambled *x = s->state;
    while (x->out_len) {
        ssize_t n = sock_write(s->watch.fd, x->out, x->out_len);
        if (n == -EAGAIN) return;
        if (n < 0) s->broken = true;
        if (n < 0) n = (ssize_t)x->out_len;
        memmove(x->out, x->out + n, x->out_len - (size_t)n);
        x->out_len -= (size_t)n;
    }
    if (x->shutting_down) sock_shutdown(s->watch.fd);
    x->shutting_down = false;
}

static bool scrambled_on_socket(struct stream *s, uint32_t events) {
    if (!s->state) {
        int error = sock_error(s->watch.fd);
        if (error)
            s->error = error;
        else
            scrambled_open(s, false);
        return error;
    }
    if (s->error == -EINPROGRESS && !(events & (EPOLLERR | EPOLLHUP)) && scrambled_chance(3)) {
        stream_ready_again(s);
        return false;
    }
    s->error = 0;
    scrambled_flush(s);
    if (events & (EPOLLERR | EPOLLHUP)) s->broken = true;
    if (events & EPOLLRDHUP) s->fin = true;
    s->readable = true; // a read finds out
    s->writable = !((struct scrambled *)s->state)->out_len;
    return true;
}

static ssize_t scrambled_fill(struct stream *s) {
    struct scrambled *x = s->state;
    if (scrambled_chance(4)) {
        stream_ready_again(s);
        return -EAGAIN;
    }
    ssize_t n = sock_read(s->watch.fd, x->in, sizeof x->in);
    if (n < 0 && n != -EAGAIN) s->broken = true;
    x->in_at = 0;
    x->in_len = n > 0 ? (size_t)n : 0;
    return n;
}

static ssize_t scrambled_read(struct stream *s, void *bytes, size_t room) {
    struct scrambled *x = s->state;
    assert(x);
    ssize_t n = x->in_len ? 1 : scrambled_fill(s);
    if (n <= 0) {
        s->readable = false;
        return n;
    }
    size_t some = scrambled_part(x->in_len < room ? x->in_len : room);
    memcpy(bytes, x->in + x->in_at, some);
    x->in_at += some;
    x->in_len -= some;
    return (ssize_t)some;
}

static size_t scrambled_take(struct scrambled *x, const struct iovec *iov, size_t most) {
    size_t some = iov->iov_len < most ? iov->iov_len : most;
    memcpy(x->out + x->out_len, iov->iov_base, some);
    x->out_len += some;
    return some;
}

static ssize_t scrambled_writev(struct stream *s, const struct iovec *iov, size_t count) {
    struct scrambled *x = s->state;
    size_t len = 0, left, taken;
    assert(x && !x->shutting_down);
    if (s->broken) return -EPIPE;
    for (size_t i = 0; i < count; i++) len += iov[i].iov_len;
    left = x->out_len || scrambled_chance(4) ? 0 : scrambled_part(len < sizeof x->out ? len : sizeof x->out);
    taken = left;
    for (; left; iov++) left -= scrambled_take(x, iov, left);
    if (!scrambled_chance(3)) scrambled_flush(s);
    s->writable = taken == len && !x->out_len;
    if (!s->writable) stream_ready_again(s);
    return taken || !len ? (ssize_t)taken : -EAGAIN;
}

static void scrambled_shutdown(struct stream *s) {
    struct scrambled *x = s->state;
    x->shutting_down = true;
    scrambled_flush(s);
}

static bool scrambled_has_unread(const struct stream *s) {
    const struct scrambled *x = s->state;
    return (x && x->in_len) || sock_unread(s->watch.fd) != 0;
}

static void scrambled_close(struct stream *s) {
    if (s->state) scrambled_flush(s);
    free(s->state);
    s->state = NULL;
}

static struct sink scrambled_take_sink(struct stream *s, int fd, enum sink_framing framing) {
    struct scrambled *x = s->state;
    while (x->out_len) {
        ssize_t n = sock_write(fd, x->out, x->out_len);
        assert(n == (ssize_t)x->out_len);
        x->out_len = 0;
    }
    free(x);
    s->state = NULL;
    return sink_from_socket(fd, framing);
}

const struct stream_ops stream_tcp = {.open = scrambled_open,
                                      .on_socket = scrambled_on_socket,
                                      .read = scrambled_read,
                                      .writev = scrambled_writev,
                                      .shutdown = scrambled_shutdown,
                                      .has_unread = scrambled_has_unread,
                                      .close = scrambled_close,
                                      .take_sink = scrambled_take_sink};
