#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/address.h"

enum {
    BACKLOG = 4096,
    TRIES = 32 // to find a port that is free on all addresses
};

static int listen_on(union address *a, int port, bool only_v6) {
    int on = 1, fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    address_set_port(a, port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (only_v6 && a->any.sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &a->any, address_size(a)) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int error = -errno;
    close(fd);
    return error;
}

int http_listen_port(int fd) {
    union address a = {0};
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) < 0) return 0;
    return address_port(&a);
}

static bool is_missing(int error) {
    return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

// Returns how many descriptors there are, or a negative errno and none.
static int listen_on_all(union address *addresses, int count, int port, int fds[HTTP_LISTENERS]) {
    int open = 0, error = 0;
    for (int i = 0; i < count && (!error || is_missing(error)); i++) {
        int fd = listen_on(&addresses[i], port, count > 1);
        if (fd < 0) {
            error = fd;
            continue;
        }
        if (!port) port = http_listen_port(fd);
        fds[open++] = fd;
    }
    if (open && (!error || is_missing(error))) return open;
    while (open) close(fds[--open]);
    return error;
}

int http_listen(const char *name, int port, int fds[HTTP_LISTENERS]) {
    union address addresses[HTTP_LISTENERS];
    int count = address_resolve(name, addresses, HTTP_LISTENERS);
    if (!count) return -EINVAL;
    int opened = listen_on_all(addresses, count, port, fds);
    for (int i = 1; opened == -EADDRINUSE && !port && count > 1 && i < TRIES; i++)
        opened = listen_on_all(addresses, count, port, fds);
    return opened;
}
