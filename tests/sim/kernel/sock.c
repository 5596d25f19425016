// net/sock.h over the simulated network.
#include "net/sock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "network.h"

enum { WRITE_US = 2, LATER_MOST_US = 2000 };

static struct end *end_of(int fd) {
    struct sock *s = sock_of(fd);
    return s && s->kind == SOCK_STREAM_END ? (struct end *)s : NULL;
}

static union address address_of(const struct host *h, int port) {
    union address a = {.v4 = {.sin_family = AF_INET}};
    a.v4.sin_addr.s_addr = htonl(10u << 24 | h->number);
    a.v4.sin_port = htons((uint16_t)port);
    return a;
}

// Readiness

static uint32_t end_readiness(const struct end *e) {
    struct end *end = (struct end *)e;
    struct pipe *in = end_in(end), *out = end_out(end);
    uint32_t events = 0;
    if (e->state == END_CONNECTING) return e->reset ? EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP : 0;
    if (pipe_unread(in) || in->end_arrived || e->reset) events |= EPOLLIN;
    if (in->end_arrived || e->reset) events |= EPOLLRDHUP;
    if (e->error) events |= EPOLLERR;
    if (e->reset || (in->end_arrived && out->has_end)) events |= EPOLLHUP;
    if (e->reset || pipe_room(out, e->send_buffer) >= e->send_buffer / 3) events |= EPOLLOUT;
    return events;
}

uint32_t sock_readiness(const struct sock *s) {
    switch (s->kind) {
    case SOCK_STREAM_END: return end_readiness((const struct end *)s);
    case SOCK_LISTENER: return ((const struct listener *)s)->first ? EPOLLIN : 0;
    case SOCK_SIGNALS: return s->process && s->process->raised ? EPOLLIN : 0;
    case SOCK_OTHER: break;
    }
    return 0;
}

void sock_notify(struct sock *s) {
    if (s->waiter) thread_wake(s->waiter);
    loop_queue(s);
}

// Chance has a call behave as if the kernel were not ready for all of it. An event follows, as after any
// partial result.
static bool end_is_short(struct end *e, unsigned per_million) {
    if (!sim_chance(per_million)) return false;
    if (!e->later.slot) event_start(&e->later, world.now_us + (int64_t)sim_random(LATER_MOST_US));
    return true;
}

// Connecting

int sock_connect(const union address *to, const union address *from) {
    (void)from;
    struct host *self = world.self->host, *peer = host_at(to, self);
    if (!peer) return -EHOSTUNREACH;
    struct connection *c = connection_new(self, peer, address_port(to));
    int fd = sock_add(world.self, &c->ends[0].sock);
    if (fd >= 0) connection_send_syn(c);
    connection_free_if_done(c); // it is, if there was no descriptor
    return fd;
}

int sock_error(int fd) {
    struct end *e = end_of(fd);
    if (!e) return -EBADF;
    int error = e->error;
    e->error = 0;
    return error;
}

int sock_listen(const union address *a, bool only_v6) {
    (void)only_v6;
    struct host *self = world.self->host;
    if (a->any.sa_family != AF_INET) return -EAFNOSUPPORT;
    int port = address_port(a) ? address_port(a) : ++self->next_port;
    if (listener_of(self, port)) return -EADDRINUSE;
    struct listener *l = kernel_alloc(sizeof *l);
    l->sock.kind = SOCK_LISTENER;
    l->host = self;
    l->port = port;
    l->address = *a;
    address_set_port(&l->address, port);
    l->tail = &l->first;
    int fd = sock_add(world.self, &l->sock);
    if (fd < 0)
        kernel_free(l);
    else
        listener_add(l);
    return fd;
}

int sock_lowest_free(void) {
    return 0;
}

// There are no unix sockets: one is the port that its path ends with, so that actors reach it from other
// hosts, as an operator does who has logged in there.
int sock_listen_unix(const char *path, unsigned mode) {
    union address any = {.v4 = {.sin_family = AF_INET}};
    const char *name = strrchr(path, '/');
    int port = name ? (int)strtol(name + 1, NULL, 10) : 0;
    (void)mode;
    if (!port) return -EAFNOSUPPORT;
    address_set_port(&any, port);
    return sock_listen(&any, false);
}

void sock_remove_unix(const char *path) {
    (void)path;
}

int sock_duplicate(int fd) {
    (void)fd;
    return -EMFILE;
}

int sock_accept(int listener, union address *peer) {
    struct sock *s = sock_of(listener);
    if (!s || s->kind != SOCK_LISTENER) return -EBADF;
    struct listener *l = (struct listener *)s;
    struct end *e = l->first;
    if (world.self->sock_count >= world.self->sock_max) return -EMFILE; // even if there is none
    if (!e) return -EAGAIN;
    l->first = e->next_accept;
    if (!l->first) l->tail = &l->first;
    e->queued_accept = false;
    *peer = address_of(end_peer(e)->host, end_peer(e)->port);
    return sock_add(world.self, &e->sock);
}

int sock_local_address(int fd, union address *a) {
    struct sock *s = sock_of(fd);
    if (!s) return -EBADF;
    if (s->kind == SOCK_LISTENER) {
        *a = ((struct listener *)s)->address;
        return 0;
    }
    const struct end *e = end_of(fd);
    if (!e) return -ENOTSOCK;
    *a = address_of(e->host, e->port);
    return 0;
}

int sock_peer_address(int fd, union address *a) {
    struct end *e = end_of(fd);
    if (!e) return -ENOTSOCK;
    *a = address_of(end_peer(e)->host, end_peer(e)->port);
    return 0;
}

// Bytes

ssize_t sock_read(int fd, void *bytes, size_t room) {
    struct end *e = end_of(fd);
    if (!e) return -EBADF;
    struct pipe *in = end_in(e);
    size_t len = pipe_unread(in);
    if (len && room) {
        if (end_is_short(e, world.kernel.again_per_million)) return -EAGAIN;
        if (len > room) len = room;
        if (len > 1 && end_is_short(e, world.kernel.short_read_per_million))
            len = 1 + (size_t)sim_random(len - 1);
        pipe_take(in, bytes, len);
        return (ssize_t)len;
    }
    if (e->error) return sock_error(fd);
    if (in->end_arrived || e->reset) return 0;
    return e->state == END_CONNECTING ? -ENOTCONN : -EAGAIN;
}

// Returns how many bytes may be written now.
static ssize_t end_may_write(struct end *e, size_t len) {
    struct pipe *out = end_out(e);
    if (e->error) return sock_error(e->sock.fd);
    if (e->reset || out->has_end) return -EPIPE;
    if (e->state == END_CONNECTING) return -EAGAIN;
    size_t room = pipe_room(out, e->send_buffer);
    if (len > room) out->is_blocked = true;
    if (!room || end_is_short(e, world.kernel.again_per_million)) return -EAGAIN;
    if (len > room) return (ssize_t)room;
    if (len > 1 && end_is_short(e, world.kernel.short_write_per_million))
        return (ssize_t)(1 + sim_random(len - 1));
    return (ssize_t)len;
}

ssize_t sock_write(int fd, const void *bytes, size_t len) {
    return sock_writev(fd, &(struct iovec){.iov_base = (void *)bytes, .iov_len = len}, 1);
}

HOT_PATH ssize_t sock_writev(int fd, const struct iovec *iov, size_t count) {
    struct end *e = end_of(fd);
    size_t len = 0;
    if (!e) return -EBADF;
    world.now_us += WRITE_US;
    for (size_t i = 0; i < count; i++) len += iov[i].iov_len;
    ssize_t most = end_may_write(e, len);
    if (most <= 0) return most;
    if (count == 1) {
        pipe_write(end_out(e), iov->iov_base, (size_t)most);
    } else {
        unsigned char gathered[2048], *at = gathered;
        if ((size_t)most > sizeof gathered) at = kernel_alloc((size_t)most);
        size_t done = 0;
        for (size_t i = 0; i < count && done < (size_t)most; i++) {
            size_t part = iov[i].iov_len;
            if (part > (size_t)most - done) part = (size_t)most - done;
            if (part) memcpy(at + done, iov[i].iov_base, part);
            done += part;
        }
        pipe_write(end_out(e), at, (size_t)most);
        if (at != gathered) kernel_free(at);
    }
    end_watch_silence(e);
    return most;
}

int sock_unread(int fd) {
    struct end *e = end_of(fd);
    return e ? (int)pipe_unread(end_in(e)) : -EBADF;
}

uint64_t sock_number(int fd) {
    const struct end *e = end_of(fd);
    return e ? e->number : 0;
}

// What the peer's window has room for has been sent.
bool sock_sent(int fd, struct sock_sent *sent) {
    struct end *e = end_of(fd);
    if (!e) return false;
    const struct pipe *out = end_out(e);
    uint64_t window = out->taken + world.kernel.receive_buffer;
    sent->bytes = out->written < window ? out->written : window;
    sent->waiting = (uint32_t)(out->written - sent->bytes);
    return true;
}

// Closing

void sock_shutdown(int fd) {
    struct end *e = end_of(fd);
    if (e && !e->reset) pipe_end(end_out(e));
}

// A socket that is closed with unread bytes resets its connection (RFC 2525, 2.17).
static void end_close(struct end *e, bool reset, bool silently) {
    struct end *peer = end_peer(e);
    struct connection *c = e->connection;
    bool was_open = e->state == END_OPEN && !e->reset;
    bool unread = pipe_unread(end_in(e)) > 0;
    e->state = silently ? END_GONE : END_CLOSED;
    sock_remove(&e->sock);
    end_free(e);
    if (was_open && silently) {
        event_stop(&end_out(e)->arrival); // what has left the machine is lost, too: it is not sent again
        end_out(e)->segment_count = 0;
        end_out(e)->broken = true;
        end_watch_silence(peer);
    } else if (was_open && (reset || unread)) {
        end_send_reset(peer, !reset);
    } else if (was_open) {
        pipe_end(end_out(e));
    }
    connection_free_if_done(c);
}

static void listener_close(struct listener *l, bool silently) {
    struct end *next;
    listener_remove(l);
    sock_remove(&l->sock);
    for (struct end *e = l->first; e; e = next) {
        next = e->next_accept;
        e->queued_accept = false;
        end_close(e, true, silently);
    }
    kernel_free(l);
}

static void sock_end(struct sock *s, bool reset, bool silently) {
    switch (s->kind) {
    case SOCK_STREAM_END: end_close((struct end *)s, reset, silently); break;
    case SOCK_LISTENER: listener_close((struct listener *)s, silently); break;
    case SOCK_SIGNALS:
        s->process->signals = NULL;
        sock_remove(s);
        kernel_free(s);
        break;
    case SOCK_OTHER: sock_remove(s); break;
    }
}

void sock_abandon(struct sock *s, bool silently) {
    sock_end(s, false, silently);
}

void sock_close(int fd) {
    struct sock *s = sock_of(fd);
    if (s) sock_end(s, false, false);
}

void sock_reset(int fd) {
    struct sock *s = sock_of(fd);
    if (s) sock_end(s, true, false);
}

// Options

void sock_set_send_buffer(int fd, int bytes) {
    struct end *e = end_of(fd);
    if (!e || bytes <= 0) return;
    size_t asked = (size_t)bytes * 2; // the kernel doubles it, up to its own limit (socket(7), SO_SNDBUF)
    e->send_buffer = asked < world.kernel.send_buffer ? asked : world.kernel.send_buffer;
}

void sock_set_user_timeout(int fd, int ms) {
    struct end *e = end_of(fd);
    if (e) e->user_timeout_ms = ms;
}

void sock_set_keepalive(int fd, int after_s, int every_s) {
    struct end *e = end_of(fd);
    if (!e) return;
    e->keep_after_s = after_s ? after_s : 7200;
    e->keep_every_s = every_s;
}

int sock_wait(int fd, int events, int timeout_ms) {
    struct sock *s = sock_of(fd);
    int64_t due_us = timeout_ms < 0 ? INT64_MAX : world.now_us + timeout_ms * INT64_C(1000);
    uint32_t wanted = (uint32_t)events | POLLERR | POLLHUP, found = 0;
    while (s && !(found = sock_readiness(s) & wanted) && world.now_us < due_us) {
        s->waiter = world.running;
        thread_wait(s, due_us);
        s->waiter = NULL;
    }
    if (!s) thread_wait(&world, due_us); // only the time
    return (int)found;
}

// What is not simulated: reports to systemd, and descriptor tables of threads (--own-descriptors).

int sock_send_datagram(const char *name, const void *bytes, size_t len) {
    (void)name, (void)bytes, (void)len;
    return -ENOENT;
}

int sock_pair(int ends[2]) {
    ends[0] = ends[1] = -1;
    return -ENOSYS;
}

int sock_send_descriptor(int end, int fd, bool wait) {
    (void)end, (void)fd, (void)wait;
    return -ENOSYS;
}

int sock_receive_descriptor(int end) {
    (void)end;
    return -EPIPE;
}
