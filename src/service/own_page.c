#include "service/own_page.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "http/request.h"

enum { HOST_MAX = 64 }; // an address is shorter

static bool is_address(const char *text, int family) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(family, text, address) == 1;
}

bool own_page_host(const char *host) {
    char name[HOST_MAX];
    bool v6 = *host == '[';
    const char *begin = host + v6;
    size_t len = strcspn(begin, v6 ? "]" : ":");
    if (len >= sizeof name) return false;
    memcpy(name, begin, len);
    name[len] = 0;
    if (v6) return begin[len] == ']' && strchr(":", begin[len + 1]) && is_address(name, AF_INET6);
    return is_address(name, AF_INET) || !strcasecmp(name, "localhost");
}

static bool origin_is(const char *origin, const char *host) {
    static const char scheme[] = "http://";
    return !strncasecmp(origin, scheme, sizeof scheme - 1) && !strcasecmp(origin + sizeof scheme - 1, host);
}

bool own_page_allows(const struct own_page_sign *s) {
    if (!s->host || !own_page_host(s->host)) return false;
    if (s->origin && !origin_is(s->origin, s->host)) return false;
    return !s->fetch_site || !strcmp(s->fetch_site, "same-origin") || !strcmp(s->fetch_site, "none");
}

bool own_page_sent(const struct http_request *r) {
    return own_page_allows(&(struct own_page_sign){.host = http_request_header(r, "host"),
                                                   .origin = http_request_header(r, "origin"),
                                                   .fetch_site = http_request_header(r, "sec-fetch-site")});
}
