// Connected sockets, for tests that use both ends.
#pragma once

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum transport { SOCKETPAIR, LOOPBACK };

struct socket_pair {
    int server, client; // both non-blocking
};

static inline void socket_set(int fd, int level, int option, int value) {
    int set = setsockopt(fd, level, option, &value, sizeof value);
    assert(set == 0);
    (void)set;
}

static inline struct socket_pair loopback_pair(int buffer_bytes) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (buffer_bytes) {
        socket_set(client, SOL_SOCKET, SO_RCVBUF, buffer_bytes);
        // Windows smaller than a segment would be opened by timers only, and loopback's segments are huge.
        socket_set(client, IPPROTO_TCP, TCP_MAXSEG, 536);
        socket_set(listener, IPPROTO_TCP, TCP_MAXSEG, 536);
    }
    int failed = bind(listener, (struct sockaddr *)&at, len) || listen(listener, 1) ||
                 getsockname(listener, (struct sockaddr *)&at, &len) ||
                 connect(client, (struct sockaddr *)&at, len);
    int server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert(!failed && server >= 0);
    (void)failed;
    close(listener);
    socket_set(server, IPPROTO_TCP, TCP_NODELAY, 1);
    return (struct socket_pair){server, client};
}

// Opens a pair; buffer_bytes, unless 0, bounds what the kernel holds between them (roughly).
static inline struct socket_pair socket_pair_open(enum transport transport, int buffer_bytes) {
    struct socket_pair p;
    if (transport == LOOPBACK) {
        p = loopback_pair(buffer_bytes);
    } else {
        int fds[2], failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        assert(!failed);
        (void)failed;
        p = (struct socket_pair){fds[0], fds[1]};
    }
    if (buffer_bytes) socket_set(p.server, SOL_SOCKET, SO_SNDBUF, buffer_bytes);
    return p;
}
