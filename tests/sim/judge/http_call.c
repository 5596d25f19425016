#include "http_call.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/container_of.h"
#include "http/url.h"

enum { READ_SIZE = 16384, KEEPALIVE_S = 45 }; // as in Chromium

static int call_on_field(llhttp_t *p, const char *at, size_t len) {
    struct http_call *c = p->data;
    buf_add(&c->field, at, len);
    return 0;
}

static int call_on_field_complete(llhttp_t *p) {
    struct http_call *c = p->data;
    c->in_location = !strcasecmp(buf_string(&c->field), "location");
    buf_clear(&c->field);
    return 0;
}

static int call_on_value(llhttp_t *p, const char *at, size_t len) {
    struct http_call *c = p->data;
    if (c->in_location) buf_add(&c->location, at, len);
    return 0;
}

static int call_on_headers(llhttp_t *p) {
    struct http_call *c = p->data;
    c->status = p->status_code;
    c->refused = !c->ops->on_head(c);
    return c->refused ? -1 : 0;
}

static int call_on_body(llhttp_t *p, const char *at, size_t len) {
    struct http_call *c = p->data;
    if (c->busy) c->ops->on_body(c, at, len);
    return c->busy ? 0 : -1;
}

static int call_on_complete(llhttp_t *p) {
    struct http_call *c = p->data;
    c->complete = true;
    c->keep = llhttp_should_keep_alive(p);
    return HPE_PAUSED;
}

static void call_on_ready(struct stream *);

void http_call_init(struct http_call *c, const struct http_call_ops *ops, struct loop *loop) {
    *c = (struct http_call){.ops = ops, .room = SIZE_MAX};
    stream_init(&c->stream, &stream_tcp, loop, call_on_ready);
}

void http_call_close(struct http_call *c, bool reset) {
    c->busy = false;
    *c->origin = 0;
    if (reset)
        stream_reset(&c->stream);
    else
        stream_close(&c->stream);
}

void http_call_release(struct http_call *c) {
    http_call_close(c, false);
    buf_release(&c->out);
    buf_release(&c->field);
    buf_release(&c->location);
}

static void call_end(struct http_call *c, enum http_call_end end) {
    if (!c->busy) return;
    if (end != HTTP_CALL_DONE || !c->keep) http_call_close(c, false);
    c->busy = false;
    c->ops->on_end(c, end);
}

// Connects unless the connection of the last call leads there. Returns 0 or a negative errno.
static int call_connect(struct http_call *c, const struct http_url *u, const char *origin) {
    union address address;
    if (!stream_is_closed(&c->stream) && !strcmp(c->origin, origin) && !c->stream.fin && !c->stream.broken)
        return 0;
    http_call_close(c, false);
    if (!address_parse(&address, u->host)) return -EINVAL;
    address_set_port(&address, u->port);
    int error = stream_connect(&c->stream, &address);
    if (error) return error;
    stream_set_keepalive(&c->stream, KEEPALIVE_S, KEEPALIVE_S);
    snprintf(c->origin, sizeof c->origin, "%s", origin);
    return 0;
}

static void call_start_parser(struct http_call *c) {
    static const llhttp_settings_t settings = {.on_header_field = call_on_field,
                                               .on_header_field_complete = call_on_field_complete,
                                               .on_header_value = call_on_value,
                                               .on_headers_complete = call_on_headers,
                                               .on_body = call_on_body,
                                               .on_message_complete = call_on_complete};
    llhttp_init(&c->parser, HTTP_RESPONSE, &settings);
    c->parser.data = c;
    buf_clear(&c->field);
    buf_clear(&c->location);
    c->complete = c->refused = c->keep = c->in_location = false;
    c->status = 0;
    c->why = NULL;
}

int http_call_start(struct http_call *c, const char *method, const char *url, const char *headers,
                    const char *body) {
    struct http_url u;
    char origin[sizeof c->origin];
    int error = http_url_parse(&u, url);
    if (error) return error;
    snprintf(origin, sizeof origin, "%.40s:%d", u.host, u.port);
    if ((error = call_connect(c, &u, origin))) return error;
    call_start_parser(c);
    buf_clear(&c->out);
    c->sent = 0;
    buf_printf(&c->out, "%s %.*s HTTP/1.1\r\nHost: %s\r\n%s", method, (int)u.path_len, u.path, origin,
               headers);
    if (body) buf_printf(&c->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buf_printf(&c->out, "\r\n%s", body ? body : "");
    c->busy = true;
    stream_ready_again(&c->stream);
    return 0;
}

static void call_send(struct http_call *c) {
    while (c->sent < c->out.len && c->stream.writable) {
        ssize_t n = stream_write(&c->stream, c->out.data + c->sent, c->out.len - c->sent);
        if (n == -EAGAIN) return;
        if (n < 0) return; // what the peer has sent may still be read
        c->sent += (size_t)n;
    }
}

static void call_parse(struct http_call *c, const char *bytes, size_t len) {
    llhttp_errno_t error = llhttp_execute(&c->parser, bytes, len);
    if (!c->busy || error == HPE_OK) return;
    if (c->complete || c->refused) {
        call_end(c, HTTP_CALL_DONE);
    } else {
        c->why = llhttp_errno_name(error);
        call_end(c, HTTP_CALL_MALFORMED);
    }
}

static void call_read(struct http_call *c) {
    char bytes[READ_SIZE];
    ssize_t n = stream_read(&c->stream, bytes, c->room < sizeof bytes ? c->room : sizeof bytes);
    if (n == -EAGAIN) return;
    if (n <= 0) {
        call_end(c, HTTP_CALL_CUT);
        return;
    }
    if (c->room != SIZE_MAX) c->room -= (size_t)n;
    call_parse(c, bytes, (size_t)n);
}

static void call_on_ready(struct stream *s) {
    struct http_call *c = container_of(s, struct http_call, stream);
    if (s->error == -EINPROGRESS) return;
    if (s->error && c->busy) {
        call_end(c, HTTP_CALL_FAILED);
        return;
    }
    if (!c->busy) {
        if (s->fin || s->broken || s->readable) http_call_close(c, false);
        return;
    }
    call_send(c);
    while (c->busy && c->room && c->stream.readable) call_read(c);
    if (c->busy && !c->room && s->broken) call_end(c, HTTP_CALL_CUT);
}

void http_call_allow(struct http_call *c, size_t bytes) {
    c->room = bytes;
    if (c->busy && !stream_is_closed(&c->stream)) stream_ready_again(&c->stream);
}
