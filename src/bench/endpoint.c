#include "bench/endpoint.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_url.h"

enum { VIEWERS_PER_ADDRESS = 20000, FIRST_SOURCE = 2, SOURCES = 250 };

static bool look_up(struct endpoint *e, const struct http_url *url) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *found;
    char port[8];
    snprintf(port, sizeof port, "%d", url->port);
    if (getaddrinfo(url->host, port, &hints, &found)) return false;
    memcpy(&e->address, found->ai_addr, found->ai_addrlen);
    e->address_size = found->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

static struct endpoint *add(struct endpoints *all, const struct http_url *url, const char *host) {
    struct endpoint *e = mem_zalloc(sizeof *e);
    memcpy(e->host, host, strlen(host));
    e->port = url->port;
    if (all->count == ENDPOINTS_MAX || !look_up(e, url)) {
        free(e);
        return NULL;
    }
    return all->at[all->count++] = e;
}

const struct endpoint *endpoints_get(struct endpoints *all, const char *url, const char **path) {
    struct http_url parsed;
    char host[ENDPOINT_HOST_SIZE];
    if (http_url_parse(&parsed, url)) return NULL;
    snprintf(host, sizeof host, parsed.ipv6 ? "[%s]:%d" : "%s:%d", parsed.host, parsed.port);
    *path = parsed.path;
    for (size_t i = 0; i < all->count; i++)
        if (!strcmp(all->at[i]->host, host)) return all->at[i];
    return add(all, &parsed, host);
}

void endpoints_release(struct endpoints *all) {
    for (size_t i = 0; i < all->count; i++) free(all->at[i]);
    all->count = 0;
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
