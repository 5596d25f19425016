#include "listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "net/address.h"
#include "net/sock.h"

enum { TRIES = 32 }; // to find a port that is free on all addresses

int http_listen_port(int fd) {
    union address a;
    return sock_local_address(fd, &a) ? 0 : address_port(&a);
}

static bool is_missing(int error) {
    return error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT;
}

// Returns how many descriptors there are, or a negative errno and none.
static int listen_on_all(union address *addresses, int count, int port, int fds[HTTP_LISTENERS]) {
    int open = 0, error = 0;
    for (int i = 0; i < count && (!error || is_missing(error)); i++) {
        address_set_port(&addresses[i], port);
        int fd = sock_listen(&addresses[i], count > 1);
        if (fd < 0) {
            error = fd;
            continue;
        }
        if (!port) port = http_listen_port(fd);
        fds[open++] = fd;
    }
    if (open && (!error || is_missing(error))) return open;
    while (open) sock_close(fds[--open]);
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

const char *http_listen_path(const char *at) {
    return strncmp(at, "unix:", 5) ? NULL : at + 5;
}

int http_listen_at(const char *at, unsigned mode) {
    union address address;
    const char *path = http_listen_path(at);
    if (path) return sock_listen_unix(path, mode);
    return address_parse_with_port(&address, at) ? sock_listen(&address, true) : -EINVAL;
}
