#include "service/own_page.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "http/hostnames.h"
#include "http/request.h"

static bool origin_is(const char *origin, const char *host) {
    static const char scheme[] = "http://";
    return !strncasecmp(origin, scheme, sizeof scheme - 1) && !strcasecmp(origin + sizeof scheme - 1, host);
}

bool own_page_allows(const struct own_page_sign *s) {
    if (!s->host || !hostname_is_own(s->host)) return false;
    if (s->origin && !origin_is(s->origin, s->host)) return false;
    return !s->fetch_site || !strcmp(s->fetch_site, "same-origin") || !strcmp(s->fetch_site, "none");
}

bool own_page_sent(const struct http_request *r) {
    return own_page_allows(&(struct own_page_sign){.host = http_request_header(r, "host"),
                                                   .origin = http_request_header(r, "origin"),
                                                   .fetch_site = http_request_header(r, "sec-fetch-site")});
}
