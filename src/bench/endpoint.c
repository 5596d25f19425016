#include "bench/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/url.h"

enum { VIEWERS_PER_ADDRESS = 20000, FIRST_SOURCE = 2, SOURCES = 250 };

static int look_up(struct endpoint *e, const struct http_url *url) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    char port[8];
    snprintf(port, sizeof port, "%d", url->port);
    if (getaddrinfo(url->host, port, &hints, &found)) return -EHOSTUNREACH;
    memcpy(&e->address, found->ai_addr, found->ai_addrlen);
    e->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int find(const struct endpoints *all, const char *host) {
    for (uint32_t i = 0; i < all->count; i++)
        if (!strcmp(all->at[i].host, host)) return (int)i;
    return -ENOENT;
}

// Another process may have been faster.
static int add(struct endpoints *all, const struct endpoint *e) {
    while (atomic_exchange(&all->busy, true)) sched_yield();
    int index = find(all, e->host);
    if (index < 0) index = all->count < ENDPOINTS_MAX ? (int)all->count : -ENOSPC;
    if (index == (int)all->count) {
        all->at[index] = *e;
        all->count++;
    }
    all->busy = false;
    return index;
}

int endpoints_find(struct endpoints *all, const char *url) {
    struct http_url parsed;
    struct endpoint e = {.port = 0};
    int error = http_url_parse(&parsed, url);
    if (error) return error;
    snprintf(e.host, sizeof e.host, parsed.ipv6 ? "[%s]:%d" : "%s:%d", parsed.host, parsed.port);
    e.port = parsed.port;
    int index = find(all, e.host);
    if (index >= 0) return index;
    error = look_up(&e, &parsed);
    return error ? error : add(all, &e);
}

static bool is_loopback(const struct sockaddr_storage *address) {
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
    return address->ss_family == AF_INET && ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

// The port is chosen at connect(), when the destination is known too.
static void bind_source(int fd, size_t number) {
    int one = 1;
    uint32_t host = (uint32_t)(FIRST_SOURCE + number / VIEWERS_PER_ADDRESS % SOURCES);
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl((uint32_t)IN_LOOPBACKNET << 24 | host)};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&source, sizeof source)) return; // then the usual address has to do
}

int endpoint_connect(const struct endpoint *e, size_t number) {
    int one = 1, fd = socket(e->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (is_loopback(&e->address)) bind_source(fd, number);
    if (connect(fd, (const struct sockaddr *)&e->address, e->address_size) < 0 && errno != EINPROGRESS) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}
