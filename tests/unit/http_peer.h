// The other end of an HTTP connection, for tests of servers: a raw socket on the test's own loop that sends
// what the test gives it and keeps what it receives. It waits by running the loop, so tests are
// single-threaded.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "run_loop.h"

struct peer {
    struct loop_fd watch;
    struct loop *loop; // NULL: not open
    int fd;
    bool paused; // does not read
    struct buf out, got;
    bool ended; // by the other side; `error` if not in good order
    int error;
    bool asks_head; // its answers have no bodies
    // The latest answer:
    int status;
    struct buf head, body;
};

static inline void peer_watch(struct peer *p) {
    uint32_t events = (p->paused || p->ended ? 0 : EPOLLIN) | (p->out.len ? EPOLLOUT : 0);
    if (p->watch.fd >= 0 && p->ended && !p->out.len)
        loop_fd_remove(p->loop, &p->watch);
    else if (p->watch.fd >= 0)
        loop_fd_change(p->loop, &p->watch, events);
}

static inline void peer_end(struct peer *p, int error) {
    p->ended = true;
    if (error) buf_clear(&p->out);
    if (!p->error) p->error = error;
}

static inline void peer_push(struct peer *p) {
    size_t sent = 0;
    while (sent < p->out.len) {
        ssize_t n = send(p->fd, p->out.data + sent, p->out.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            peer_end(p, errno);
            return;
        }
        sent += (size_t)n;
    }
    buf_consume(&p->out, sent);
}

static inline void peer_pull(struct peer *p) {
    for (;;) {
        ssize_t n = recv(p->fd, buf_reserve(&p->got, 65536), 65536, MSG_DONTWAIT);
        if (n > 0) p->got.len += (size_t)n;
        if (n == 0) peer_end(p, 0);
        if (n < 0 && errno != EAGAIN) peer_end(p, errno);
        if (n <= 0) return;
    }
}

static inline void peer_on_event(struct loop_fd *f, uint32_t events) {
    struct peer *p = (struct peer *)(void *)f;
    if (events & EPOLLOUT) peer_push(p);
    if (!p->paused && !p->ended) peer_pull(p);
    peer_watch(p);
}

// Connects to a port of 127.0.0.1. `receive` bounds what the kernel takes for it; 0: as usual.
static inline void peer_open_with(struct peer *p, struct loop *loop, int port, int receive) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    *p = (struct peer){.loop = loop, .watch.on_event = peer_on_event};
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->fd >= 0);
    int on = 1; // or what is sent in pieces waits for acknowledgements
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive) setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
    assert_int_equal(connect(p->fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(loop_fd_add(loop, &p->watch, p->fd, EPOLLIN), 0);
}

static inline void peer_open(struct peer *p, struct loop *loop, int port) {
    peer_open_with(p, loop, port, 0);
}

static inline void peer_send_bytes(struct peer *p, const void *bytes, size_t len) {
    buf_add(&p->out, bytes, len);
    peer_push(p);
    peer_watch(p);
}

static inline void peer_send(struct peer *p, const char *text) {
    peer_send_bytes(p, text, strlen(text));
}

static inline void peer_pause(struct peer *p, bool paused) {
    p->paused = paused;
    peer_watch(p);
}

static inline void peer_close_socket(struct peer *p) {
    if (!p->loop) return;
    loop_fd_remove(p->loop, &p->watch);
    close(p->fd);
    p->loop = NULL;
}

// Closes with a FIN, or with a RST (which is also quick for the kernel, so every test ends with it).
static inline void peer_reset(struct peer *p) {
    struct linger hard = {.l_onoff = 1};
    if (p->loop) setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_close_socket(p);
}

static inline void peer_release(struct peer *p) {
    peer_reset(p);
    buf_release(&p->out);
    buf_release(&p->got);
    buf_release(&p->head);
    buf_release(&p->body);
    *p = (struct peer){0};
}

static inline bool peer_has_ended(void *peer) {
    return ((struct peer *)peer)->ended;
}

static inline bool peer_has_sent(void *peer) {
    struct peer *p = peer;
    return !p->out.len || p->error;
}

// Gives a header line's value of the latest answer in a static buffer, or NULL.
static inline const char *peer_header(struct peer *p, const char *name) {
    static char value[512];
    size_t len = strlen(name);
    for (const char *at = strstr(buf_string(&p->head), "\r\n"); at; at = strstr(at, "\r\n")) {
        at += 2;
        if (strncasecmp(at, name, len) != 0 || at[len] != ':') continue;
        snprintf(value, sizeof value, "%.*s", (int)strcspn(at + len + 2, "\r\n"), at + len + 2);
        return value;
    }
    return NULL;
}

// Takes a whole answer off what was got. Returns false if there is none yet.
static inline bool peer_parse_response(struct peer *p) {
    const char *text = buf_string(&p->got), *end = strstr(text, "\r\n\r\n");
    if (!end) return false;
    assert_memory_equal(text, "HTTP/1.1 ", 9);
    size_t head_len = (size_t)(end - text) + 4;
    int status = (int)strtol(text + 9, NULL, 10);
    buf_clear(&p->head);
    buf_add(&p->head, text, head_len);
    const char *length = peer_header(p, "Content-Length");
    bool bodiless = p->asks_head || status < 200 || status == 204;
    if (!bodiless) assert_non_null(length);
    size_t body_len = bodiless ? 0 : strtoul(length, NULL, 10);
    if (p->got.len < head_len + body_len) return false;
    p->status = status;
    buf_clear(&p->body);
    buf_add(&p->body, text + head_len, body_len);
    buf_consume(&p->got, head_len + body_len);
    return true;
}

static inline bool peer_has_response(void *peer) {
    struct peer *p = peer;
    return peer_parse_response(p) || p->ended;
}

// Waits for the next answer.
static inline void peer_receive(struct peer *p) {
    p->status = 0;
    run_until(p->loop, peer_has_response, p);
    if (!p->status)
        fail_msg("the connection ended (error %d) after %zu bytes of an answer: \"%.200s\"", p->error,
                 p->got.len, buf_string(&p->got));
}

static inline void peer_expect(struct peer *p, int status, const char *body) {
    peer_receive(p);
    if (p->status != status) fail_msg("%d instead of %d: %s", p->status, status, buf_string(&p->body));
    if (body) assert_string_equal(buf_string(&p->body), body);
}

// Waits for the end of the connection in good order, with nothing more before it.
static inline void peer_expect_end(struct peer *p) {
    run_until(p->loop, peer_has_ended, p);
    if (p->error || p->got.len)
        fail_msg("the connection ended with error %d and \"%s\"", p->error, buf_string(&p->got));
}
