// A tiny HTTP server for tests of the client, on the same loop: it sends the response that the test sets,
// split and closed where the test wants. It has no threads and checks nothing itself.
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "net/loop.h"

struct fake_server;

struct fake_conn {
    struct loop_fd watch;
    struct loop_timer timer; // sends the next part
    struct fake_server *server;
    struct buf in, out;
    size_t part;      // bytes per write; 0: all together
    size_t first;     // bytes of the first part; 0: like the others
    bool close_after; // once all is sent
    unsigned requests;
    struct fake_conn *next;
};

struct fake_server {
    struct loop *loop;
    struct loop_fd listener;
    int port;
    char url[64];
    unsigned accepted, requests;
    struct fake_conn *conns;
    struct buf last; // the latest request
    bool early;      // answer as soon as the head has come, and read no further
    // Called for each whole request.
    void (*on_request)(struct fake_conn *, const char *request);
    void *arg;
};

static inline void fake_close(struct fake_conn *c) {
    int fd = c->watch.fd;
    if (fd < 0) return;
    loop_timer_stop(c->server->loop, &c->timer);
    loop_fd_remove(c->server->loop, &c->watch);
    close(fd);
}

// Closes with a reset instead of an end.
static inline void fake_reset(struct fake_conn *c) {
    struct linger hard = {.l_onoff = 1};
    if (c->watch.fd >= 0) setsockopt(c->watch.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fake_close(c);
}

static inline void fake_send_part(struct fake_conn *c) {
    size_t len = c->first ? c->first : c->part ? c->part : c->out.len;
    c->first = 0;
    if (len > c->out.len) len = c->out.len;
    ssize_t n = len ? send(c->watch.fd, c->out.data, len, MSG_NOSIGNAL) : 0;
    if (n > 0) buf_consume(&c->out, (size_t)n);
    if (c->out.len)
        loop_timer_start(c->server->loop, &c->timer, 1);
    else if (c->close_after)
        fake_close(c);
}

static inline void fake_on_timer(struct loop_timer *t) {
    fake_send_part(container_of(t, struct fake_conn, timer));
}

static inline void fake_send(struct fake_conn *c, const void *bytes, size_t len) {
    buf_add(&c->out, bytes, len);
    fake_send_part(c);
}

static inline void fake_sends(struct fake_conn *c, const char *text) {
    fake_send(c, text, strlen(text));
}

// Returns the length of a whole request at the start of `in`, or 0.
static inline size_t fake_request_len(struct buf *in, bool early) {
    const char *text = buf_string(in), *end = strstr(text, "\r\n\r\n");
    if (!end) return 0;
    if (early) return in->len;
    const char *length = strstr(text, "Content-Length: ");
    size_t len = (size_t)(end - text) + 4;
    if (length && length < end) len += (size_t)strtoul(length + 16, NULL, 10);
    return len <= in->len ? len : 0;
}

static inline void fake_on_event(struct loop_fd *f, uint32_t events) {
    (void)events;
    struct fake_conn *c = container_of(f, struct fake_conn, watch);
    char bytes[65536];
    ssize_t n = recv(f->fd, bytes, sizeof bytes, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) fake_close(c);
        return;
    }
    buf_add(&c->in, bytes, (size_t)n);
    size_t len;
    while (f->fd >= 0 && (len = fake_request_len(&c->in, c->server->early))) {
        if (c->server->early) loop_fd_change(c->server->loop, f, 0);
        buf_clear(&c->server->last);
        buf_add(&c->server->last, c->in.data, len);
        buf_consume(&c->in, len);
        c->requests++;
        c->server->requests++;
        c->server->on_request(c, buf_string(&c->server->last));
    }
}

static inline void fake_on_listener(struct loop_fd *f, uint32_t events) {
    (void)events;
    struct fake_server *s = container_of(f, struct fake_server, listener);
    int fd = accept4(f->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct fake_conn *c = mem_zalloc(sizeof *c);
    *c = (struct fake_conn){.server = s, .next = s->conns};
    c->watch.on_event = fake_on_event;
    c->timer.on_due = fake_on_timer;
    s->conns = c;
    s->accepted++;
    loop_fd_add(s->loop, &c->watch, fd, EPOLLIN);
}

// Returns a listening socket on loopback. IPv6 if `ipv6`; -1 if the machine has none of it.
static inline int fake_listen(bool ipv6, int *port) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr *address = ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = ipv6 ? sizeof v6 : sizeof v4;
    *port = 0;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (bind(fd, address, len) < 0 || listen(fd, 64) < 0) {
        close(fd);
        return -1;
    }
    getsockname(fd, address, &len);
    *port = ntohs(ipv6 ? v6.sin6_port : v4.sin_port);
    return fd;
}

// Returns false if the machine has no IPv6.
static inline bool fake_server_start(struct fake_server *s, struct loop *loop, bool ipv6,
                                     void (*on_request)(struct fake_conn *, const char *), void *arg) {
    *s = (struct fake_server){.loop = loop, .on_request = on_request, .arg = arg};
    int fd = fake_listen(ipv6, &s->port);
    if (fd < 0) return false;
    snprintf(s->url, sizeof s->url, ipv6 ? "http://[::1]:%d" : "http://127.0.0.1:%d", s->port);
    s->listener.on_event = fake_on_listener;
    loop_fd_add(loop, &s->listener, fd, EPOLLIN);
    return true;
}

static inline void fake_server_stop(struct fake_server *s) {
    int fd = s->listener.fd;
    loop_fd_remove(s->loop, &s->listener);
    close(fd);
    while (s->conns) {
        struct fake_conn *c = s->conns;
        s->conns = c->next;
        fake_close(c);
        buf_release(&c->in);
        buf_release(&c->out);
        free(c);
    }
    buf_release(&s->last);
}
