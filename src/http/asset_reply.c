#include "http/asset_reply.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "accept.h"
#include "http/asset.h"
#include "http/exchange.h"

// Our tags hold no comma.
bool http_lists_tag(const char *list, const char *etag) {
    if (!strncmp(etag, "W/", 2)) etag += 2;
    for (size_t len; *(list += strspn(list, ", \t")); list += len) {
        len = strcspn(list, ", \t");
        size_t weak = len > 2 && !strncmp(list, "W/", 2) ? 2 : 0;
        if (len == 1 && *list == '*') return true;
        if (len - weak == strlen(etag) && !memcmp(list + weak, etag, len - weak)) return true;
    }
    return false;
}

static bool accepts_gzip(const char *list) {
    enum http_acceptance found = http_accept_find(list, "gzip");
    if (found == HTTP_UNNAMED) found = http_accept_find(list, "x-gzip");
    if (found == HTTP_UNNAMED) found = http_accept_find(list, "*");
    return found == HTTP_ACCEPTED;
}

// Pages load nothing from elsewhere, and run no script and use no style that is not a file: a comment that a
// mistake turned into markup could do nothing. They connect anywhere, because readers are other origins; only
// our own pages may frame them. Scripts and styles may be used by pages of others, which needs no header but
// the CORS that everything has.
static const char security_lines[] =
    "Content-Security-Policy: default-src 'self'; connect-src http: https:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'\r\n"
    "Referrer-Policy: no-referrer\r\n";

// A cached copy is used only once the server has confirmed it (304): files have no version in their names,
// and must fit each other after an upgrade. The tag is weak, so that it holds for the compressed bytes too
// (RFC 9110, 8.8.3).
void http_reply_asset(struct http_exchange *x, const struct http_asset *a) {
    const char *known = http_request_header(x->request, "if-none-match");
    bool gzip = a->gzip && accepts_gzip(http_request_header(x->request, "accept-encoding"));
    const char *vary = a->gzip ? "Vary: Accept-Encoding\r\n" : "";
    if (x->match.by_accept) vary = a->gzip ? "Vary: Accept, Accept-Encoding\r\n" : "Vary: Accept\r\n";
    char headers[640];
    snprintf(headers, sizeof headers, "ETag: %s\r\nCache-Control: no-cache\r\n%s%s%s", a->etag,
             security_lines, vary, gzip ? "Content-Encoding: gzip\r\n" : "");
    if (known && http_lists_tag(known, a->etag)) {
        if (gzip) *strstr(headers, "Content-Encoding") = 0;
        http_reply(x, &(struct http_reply){.status = 304, .headers = headers, .says_how_to_cache = true});
        return;
    }
    http_reply(x, &(struct http_reply){.status = 200,
                                       .content_type = a->type,
                                       .body = gzip ? a->gzip : a->bytes,
                                       .body_len = gzip ? a->gzip_len : a->len,
                                       .is_static = true,
                                       .headers = headers,
                                       .says_how_to_cache = true});
}
