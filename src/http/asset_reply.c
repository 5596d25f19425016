#include "asset_reply.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/asset.h"
#include "http/exchange.h"

// Whether the list names the tag, compared weakly (RFC 9110, 13.1.2). Our tags hold no comma.
static bool lists_tag(const char *list, const char *etag) {
    if (!strncmp(etag, "W/", 2)) etag += 2;
    for (size_t len; *(list += strspn(list, ", \t")); list += len) {
        len = strcspn(list, ", \t");
        size_t weak = len > 2 && !strncmp(list, "W/", 2) ? 2 : 0;
        if (len == 1 && *list == '*') return true;
        if (len - weak == strlen(etag) && !memcmp(list + weak, etag, len - weak)) return true;
    }
    return false;
}

// Whether an element of Accept-Encoding, "gzip" or "gzip;q=0.5", has a weight above 0 (RFC 9110, 12.4.2).
static bool is_wanted(const char *element, size_t len) {
    const char *weight = memchr(element, '=', len);
    if (!weight) return true;
    size_t at = (size_t)(weight + 1 - element);
    while (at < len && strchr(" \t0.", element[at])) at++;
    return at < len;
}

static bool accepts_gzip(const char *list) {
    bool any = false;
    for (size_t len; *(list += strspn(list, ", \t")); list += len) {
        len = strcspn(list, ",");
        size_t name = strcspn(list, ",; \t");
        if ((name == 4 && !strncasecmp(list, "gzip", 4)) || (name == 6 && !strncasecmp(list, "x-gzip", 6)))
            return is_wanted(list, len);
        if (name == 1 && *list == '*') any = is_wanted(list, len);
    }
    return any;
}

// The tag is weak, so that it holds for the compressed bytes too (RFC 9110, 8.8.3).
void http_reply_asset(struct http_exchange *x, const struct http_asset *a) {
    const char *known = http_request_header(x->request, "if-none-match");
    const char *encodings = http_request_header(x->request, "accept-encoding");
    bool gzip = a->gzip && encodings && accepts_gzip(encodings);
    char headers[256];
    snprintf(headers, sizeof headers, "ETag: %s\r\nCache-Control: no-cache\r\n%s%s", a->etag,
             a->gzip ? "Vary: Accept-Encoding\r\n" : "", gzip ? "Content-Encoding: gzip\r\n" : "");
    if (known && lists_tag(known, a->etag)) {
        if (gzip) *strstr(headers, "Content-Encoding") = 0;
        http_reply(x, &(struct http_reply){.status = 304, .headers = headers});
        return;
    }
    http_reply(x, &(struct http_reply){.status = 200,
                                       .content_type = a->type,
                                       .body = gzip ? a->gzip : a->bytes,
                                       .body_len = gzip ? a->gzip_len : a->len,
                                       .is_static = true,
                                       .headers = headers});
}
