#include "h1_parser.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "http/exchange.h"
#include "request_parts.h"
#include "site.h"

enum {
    CHUNK_MAX = 6,     // bytes on the wire for a byte of the body that is a chunk of its own
    WIRE_SPARE = 65536 // for extensions and trailers, and for what is read but not parsed yet
};

// llhttp's callbacks. Returning non-zero stops the parser.

static struct h1_parser *h1_parser_of(llhttp_t *p) {
    return p->data;
}

static int h1_stop(struct h1_parser *h) {
    h->refused = true;
    return HPE_USER;
}

static int h1_refuse(struct h1_parser *h, int status, const char *code, const char *sentence) {
    http_refuse(&h->exchange->refusal, status, code, sentence);
    return h1_stop(h);
}

// The head's size is bounded before llhttp sees it (h1_scan_head). Trailers of a chunked body come through
// the same callbacks as header fields, and are discarded.

static int h1_keep(struct h1_parser *h, const char *at, size_t len) {
    struct buf *head = &h->exchange->request->head;
    if (head->len + len > HTTP_KEPT_MAX)
        return h1_refuse(
            h, 431, "header_too_large",
            "The target and the header fields that the server reads are larger than 16384 bytes.");
    buf_add(head, at, len);
    return 0;
}

static int h1_on_url(llhttp_t *p, const char *at, size_t len) {
    return h1_keep(h1_parser_of(p), at, len);
}

static int h1_on_url_complete(llhttp_t *p) {
    buf_add(&h1_parser_of(p)->exchange->request->head, "", 1);
    return 0;
}

static int h1_on_header_field(llhttp_t *p, const char *at, size_t len) {
    struct h1_parser *h = h1_parser_of(p);
    if (h->span != SPAN_NAME) {
        if (!h->in_body && ++h->field_count > HTTP_FIELDS_MAX)
            return h1_refuse(h, 431, "too_many_headers", "The request has more than 1000 header fields.");
        h->name_len = 0;
        h->span = SPAN_NAME;
    }
    size_t room = h->name_len < sizeof h->name ? sizeof h->name - h->name_len : 0;
    memcpy(h->name + h->name_len, at, len < room ? len : room);
    h->name_len = (uint8_t)(len <= room ? h->name_len + len : H1_FIELD_NAME_MAX + 1);
    return 0;
}

static void h1_begin_value(struct h1_parser *h) {
    h->span = SPAN_VALUE;
    h->field = (uint8_t)(h->in_body ? FIELD_UNKNOWN : http_field_find(h->name, h->name_len));
    h->value_at = (uint32_t)h->exchange->request->head.len;
}

enum { COOKIE_MAX = 8192 };

static int h1_on_header_value(llhttp_t *p, const char *at, size_t len) {
    struct h1_parser *h = h1_parser_of(p);
    if (h->span != SPAN_VALUE) h1_begin_value(h);
    struct buf *head = &h->exchange->request->head;
    if (h->field == FIELD_COOKIE &&
        (head->len - h->value_at + len > COOKIE_MAX || head->len + len > HTTP_KEPT_MAX)) {
        head->len = h->value_at; // as if there were none: it is other applications' as well
        h->field = FIELD_UNKNOWN;
    }
    return h->field < FIELD_PROXY ? h1_keep(h, at, len) : 0;
}

static int h1_on_header_value_complete(llhttp_t *p) {
    struct h1_parser *h = h1_parser_of(p);
    if (h->span != SPAN_VALUE) h1_begin_value(h); // an empty one
    h->span = SPAN_NONE;
    if (h->field == FIELD_UNKNOWN) return 0;
    buf_add(&h->exchange->request->head, "", 1);
    http_request_take_field(h->exchange->request, (enum http_field)h->field, h->value_at);
    return 0;
}

// A body that no handler reads is received, up to a bound, and discarded, so that the next request can
// follow.
static bool h1_keeps_body(const struct h1_parser *h) {
    unsigned with_body = HTTP_METHOD_POST | HTTP_METHOD_PUT | HTTP_METHOD_PATCH;
    return h->exchange->request->method & with_body && http_exchange_is_handled(h->exchange);
}

static size_t h1_body_max(const struct h1_parser *h) {
    size_t max = h1_keeps_body(h) ? h->exchange->match.route->body_max : 0;
    return max ? max : HTTP_BODY_DEFAULT;
}

static int h1_refuse_body(struct h1_parser *h) {
    if (!http_exchange_is_handled(h->exchange)) return h1_stop(h);
    return h1_refuse(h, 413, "body_too_large", "The body is larger than this path accepts.");
}

// A request that no handler gets is answered immediately, and its connection closed, if its client may or may
// not send the body, or would send a large one.
static int h1_admit(struct h1_parser *h, llhttp_t *p) {
    const char *bad = http_request_check_head(h->exchange->request, p->http_minor);
    if (bad) return h1_refuse(h, 400, "bad_request", bad);
    http_site_admit(h->site, h->exchange);
    if (p->method == HTTP_CONNECT) return h1_refuse(h, 405, "method_not_allowed", "This is not a proxy.");
    const struct http_request *r = h->exchange->request;
    const char *expect =
        p->http_minor && r->values[FIELD_EXPECT] ? r->head.data + r->values[FIELD_EXPECT] : NULL;
    bool waits = expect && !strcasecmp(expect, "100-continue");
    if (expect && !waits)
        http_refuse(&h->exchange->refusal, 417, "expectation_failed",
                    "Only Expect: 100-continue is supported.");
    bool is_large = (p->flags & F_CONTENT_LENGTH) && p->content_length > HTTP_BODY_DEFAULT;
    if (!http_exchange_is_handled(h->exchange) && (waits || is_large || h->exchange->refusal.status == 417))
        return h1_stop(h);
    if ((p->flags & F_CONTENT_LENGTH) && p->content_length > h1_body_max(h)) return h1_refuse_body(h);
    h->asks_continue = waits && ((p->flags & F_CHUNKED) || p->content_length);
    return 0;
}

static int h1_on_headers_complete(llhttp_t *p) {
    struct h1_parser *h = h1_parser_of(p);
    h->exchange->request->method = http_method_of(llhttp_method_name((llhttp_method_t)p->method));
    h->last = !llhttp_should_keep_alive(p) || h->exchange->request->closes;
    // Upgrade is ignored, as RFC 9110, 7.8 allows; left set, llhttp would stop at the next request.
    p->upgrade = 0;
    int refused = h1_admit(h, p);
    if (refused) return refused;
    h->in_body = true;
    h->wire_bytes = h->body_bytes = 0;
    return 0;
}

static int h1_on_chunk_header(llhttp_t *p) {
    struct h1_parser *h = h1_parser_of(p);
    return p->content_length > h1_body_max(h) - h->exchange->request->body.len ? h1_refuse_body(h) : 0;
}

static int h1_on_body(llhttp_t *p, const char *at, size_t len) {
    struct h1_parser *h = h1_parser_of(p);
    h->body_bytes += len;
    if (h->body_bytes > h1_body_max(h)) return h1_refuse_body(h);
    if (h1_keeps_body(h)) buf_add(&h->exchange->request->body, at, len);
    return 0;
}

static int h1_on_message_complete(llhttp_t *p) {
    (void)p;
    return HPE_PAUSED;
}

static const llhttp_settings_t h1_parser_settings = {
    .on_header_field = h1_on_header_field,
    .on_header_value = h1_on_header_value,
    .on_header_value_complete = h1_on_header_value_complete,
    .on_headers_complete = h1_on_headers_complete,
    .on_chunk_header = h1_on_chunk_header,
    .on_body = h1_on_body,
    .on_message_complete = h1_on_message_complete,
    .on_url = h1_on_url,
    .on_url_complete = h1_on_url_complete,
};

void h1_parser_start(struct h1_parser *h, const struct http_site *site, struct http_exchange *x) {
    h->site = site;
    h->exchange = x;
    h->in_body = h->asks_continue = h->last = h->refused = false;
    h->span = SPAN_NONE;
    h->field_count = 0;
    h->head_scan = (struct http_head){0};
    llhttp_init(&h->llhttp, HTTP_REQUEST, &h1_parser_settings);
    h->llhttp.data = h;
}

// Checks raw bytes of the head. Returns how many of them llhttp may have: all, or up to the end of the head;
// 0 if they are refused.
static size_t h1_scan_head(struct h1_parser *h, const char *bytes, size_t len) {
    size_t used = 0;
    switch (http_head_scan(&h->head_scan, bytes, len, &used)) {
    case HTTP_HEAD_MORE:
    case HTTP_HEAD_DONE: return used;
    case HTTP_HEAD_BAD:
        h1_refuse(h, 400, "bad_request", "This is not a well-formed HTTP/1.1 request.");
        break;
    case HTTP_HEAD_VERSION:
        h1_refuse(h, 400, "http_version", "Only HTTP/1.1 and HTTP/1.0 are supported.");
        break;
    case HTTP_HEAD_LONG:
        h1_refuse(h, 431, "header_too_large", "The request line and headers are larger than 65536 bytes.");
        break;
    }
    return 0;
}

// Passes one stretch, of the head or of the body, to llhttp.
static enum h1_parsed h1_feed(struct h1_parser *h, const char *bytes, size_t *len) {
    if (!h->in_body) {
        *len = h1_scan_head(h, bytes, *len);
        if (!*len) return H1_PARSED_REFUSED;
    } else {
        h->wire_bytes += *len; // chunk sizes, extensions and trailers count too
        if (h->wire_bytes > CHUNK_MAX * h->body_bytes + WIRE_SPARE) {
            h1_refuse_body(h);
            return H1_PARSED_REFUSED;
        }
    }
    llhttp_errno_t error = llhttp_execute(&h->llhttp, bytes, *len);
    if (error == HPE_OK) return H1_PARSED_PART;
    if (error == HPE_PAUSED) {
        *len = (size_t)(llhttp_get_error_pos(&h->llhttp) - bytes);
        return H1_PARSED_REQUEST;
    }
    if (!h->refused) h1_refuse(h, 400, "bad_request", "This is not a well-formed HTTP/1.1 request.");
    return H1_PARSED_REFUSED;
}

enum h1_parsed h1_parser_feed(struct h1_parser *h, const char *bytes, size_t len, size_t *used) {
    enum h1_parsed parsed = H1_PARSED_PART;
    for (*used = 0; *used < len && parsed == H1_PARSED_PART;) {
        size_t stretch = len - *used;
        parsed = h1_feed(h, bytes + *used, &stretch);
        *used += stretch;
    }
    return parsed;
}
