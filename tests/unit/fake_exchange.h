// An exchange without a connection: a request made of text, and a record of how it was ended. The
// second implementer of http/exchange.h.
#pragma once

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "http/exchange.h"
#include "http/request.h"
#include "http/request_parts.h"
#include "http/response.h"
#include "http/site.h"
#include "net/sink.h"

enum fake_end { FAKE_OPEN, FAKE_REPLIED, FAKE_STREAMS, FAKE_ABORTED };

struct fake_exchange {
    struct http_exchange exchange; // first
    struct http_request request;
    enum fake_end end;
    int status;
    struct buf head, body; // of the reply, as HTTP/1.1 has them; of a stream: its head
    bool is_static;        // the body was not to be copied
    const char *shown;     // the reply's own body
    bool is_gone;          // the client: it gets no stream
    bool has_no_socket;    // its sink has no descriptor
};

static inline struct fake_exchange *fake_of(struct http_exchange *x) {
    return (struct fake_exchange *)(void *)x;
}

static inline void fake_end(struct fake_exchange *f, enum fake_end end) {
    assert_int_equal(f->end, FAKE_OPEN); // once
    f->end = end;
    http_request_reset(&f->request); // so that a use after the end is found
}

static inline void fake_reply(struct http_exchange *x, const struct http_reply *reply) {
    struct fake_exchange *f = fake_of(x);
    f->status = reply->status;
    f->is_static = reply->is_static;
    f->shown = reply->body;
    http_response_head(&f->head, reply, "", HTTP_CONNECTION_OMITTED);
    if (f->request.method != HTTP_METHOD_HEAD && http_status_has_body(reply->status))
        buf_add(&f->body, reply->body, reply->body_len);
    fake_end(f, FAKE_REPLIED);
}

// A sink is a number that no descriptor of a test has.
enum { FAKE_SINK = 500 };

static inline bool fake_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    struct fake_exchange *f = fake_of(x);
    fake_end(f, f->is_gone ? FAKE_ABORTED : FAKE_STREAMS);
    if (f->is_gone) return false;
    *sink = (struct sink){
        .fd = f->has_no_socket ? -1 : FAKE_SINK, .framing = SINK_RAW, .worker = SINK_ANY_WORKER};
    buf_add_string(head, "(head)");
    return true;
}

static inline void fake_abort(struct http_exchange *x) {
    fake_end(fake_of(x), FAKE_ABORTED);
}

static const struct http_exchange_ops fake_exchange_ops = {
    .reply = fake_reply, .begin_stream = fake_begin_stream, .abort = fake_abort};

static inline void fake_exchange_release(struct fake_exchange *f) {
    http_request_release(&f->request);
    buf_release(&f->head);
    buf_release(&f->body);
    *f = (struct fake_exchange){0};
}

static inline void fake_add_text(struct http_request *r, const char *text, size_t len) {
    buf_add(&r->head, text, len);
    buf_add(&r->head, "", 1);
}

// Takes the lines "Name: value", each ended by CR LF.
static inline void fake_add_fields(struct http_request *r, const char *fields) {
    for (const char *end; *fields; fields = end + 2) {
        end = strstr(fields, "\r\n");
        const char *colon = strchr(fields, ':');
        enum http_field field = http_field_find(fields, (size_t)(colon - fields));
        if (field == FIELD_UNKNOWN) continue;
        uint32_t at = (uint32_t)r->head.len;
        fake_add_text(r, colon + 2, (size_t)(end - colon - 2));
        http_request_take_field(r, field, at);
    }
}

// Makes the request, "GET /path?query", of a client at 127.0.0.1. Returns why its head is bad, or NULL.
static inline const char *fake_request(struct fake_exchange *f, const char *line, const char *fields,
                                       const char *body) {
    struct http_request *r = &f->request;
    char method[16];
    size_t len = strcspn(line, " ");
    *f = (struct fake_exchange){.exchange = {.ops = &fake_exchange_ops, .request = r}};
    snprintf(method, sizeof method, "%.*s", (int)len, line);
    assert_true(address_parse(&r->peer, "127.0.0.1"));
    r->method = http_method_of(method);
    fake_add_text(r, line + len + 1, strlen(line + len + 1));
    fake_add_fields(r, "Host: a\r\n");
    fake_add_fields(r, fields);
    if (body) buf_add_string(&r->body, body);
    return http_request_check_head(r, 1);
}

// Has a site handle the request: what a connection does once it has read it.
static inline void fake_handle(struct fake_exchange *f, const struct http_site *site, const char *line,
                               const char *fields, const char *body) {
    assert_null(fake_request(f, line, fields, body));
    http_site_admit(site, &f->exchange);
    http_site_handle(&f->exchange);
}

static inline bool fake_has_header(struct fake_exchange *f, const char *line) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    return strstr(buf_string(&f->head), wanted);
}
