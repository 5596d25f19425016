#include "bench/endpoint.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "http/url.h"
#include "net/sock.h"

enum { VIEWERS_PER_ADDRESS = 20000, FIRST_SOURCE = 2, SOURCES = 250 };

static int endpoints_index(const struct endpoints *all, const struct endpoint *e) {
    for (uint32_t i = 0; i < all->count; i++)
        if (!strcmp(all->at[i].host, e->host) && !strcmp(all->at[i].path, e->path)) return (int)i;
    return -ENOENT;
}

// Another process may have added it meanwhile.
static int endpoints_add(struct endpoints *all, const struct endpoint *e) {
    while (atomic_exchange(&all->busy, true)) sched_yield();
    int index = endpoints_index(all, e);
    if (index < 0) index = all->count < ENDPOINTS_MAX ? (int)all->count : -ENOSPC;
    if (index == (int)all->count) {
        all->at[index] = *e;
        all->count++;
    }
    all->busy = false;
    return index;
}

// The path of a URL that requests are added to. Returns 0, or -EINVAL if it is too long.
static int endpoint_set_path(struct endpoint *e, const struct http_url *url) {
    size_t len = url->path_len;
    while (len && url->path[len - 1] == '/') len--;
    if (len >= sizeof e->path) return -EINVAL;
    snprintf(e->path, sizeof e->path, "%.*s", (int)len, url->path);
    return 0;
}

static int endpoints_find_at(struct endpoints *all, const char *url, bool with_path) {
    struct http_url parsed;
    struct endpoint e = {.port = 0};
    int error = http_url_parse(&parsed, url);
    if (!error && with_path) error = endpoint_set_path(&e, &parsed);
    if (error) return error;
    snprintf(e.host, sizeof e.host, parsed.ipv6 ? "[%s]:%d" : "%s:%d", parsed.host, parsed.port);
    e.port = parsed.port;
    int index = endpoints_index(all, &e);
    if (index >= 0) return index;
    if (!address_resolve(parsed.host, &e.address, 1)) return -EHOSTUNREACH;
    address_set_port(&e.address, parsed.port);
    return endpoints_add(all, &e);
}

int endpoints_find(struct endpoints *all, const char *url) {
    return endpoints_find_at(all, url, false);
}

int endpoints_find_reader(struct endpoints *all, const char *url) {
    return endpoints_find_at(all, url, true);
}

int endpoint_connect(const struct endpoint *e, size_t number) {
    union address from;
    uint32_t host = (uint32_t)(FIRST_SOURCE + number / VIEWERS_PER_ADDRESS % SOURCES);
    if (!address_loopback_source(&e->address, host, &from)) return sock_connect(&e->address, NULL);
    int fd = sock_connect(&e->address, &from);
    return fd == -EADDRNOTAVAIL ? sock_connect(&e->address, NULL) : fd;
}
