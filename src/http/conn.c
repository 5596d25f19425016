// One connection's way: bytes come in (read_some), go through llhttp (parse), whose callbacks fill the
// request and check it; a complete request goes to its handler (dispatch); its answer (http_conn_answered)
// lets the next one be read.
#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/container_of.h"
#include "base/map.h"
#include "net/sock.h"

enum {
    READ_SIZE = 16384,
    CHUNK_MOST = 6,     // bytes that one of a body may take in a chunk of its own
    WIRE_SPARE = 65536, // for extensions and trailers, and for what has been read but not parsed
    OUT_PAUSE = 262144, // unsent answer bytes at which no further pipelined request is started
    LINGER_MS = 2000,
    KEPT_BYTES = 4096, // of each buffer, by a connection between requests
    SMALL_BYTES = 1024 // of a body, while the request is handled
};

#define WATCHED (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET)

static void flush(struct http_conn *);

static void on_event(struct loop_fd *f, uint32_t events) {
    struct http_conn *c = container_of(f, struct http_conn, watch);
    if (events & (EPOLLERR | EPOLLHUP)) {
        http_conn_close(c);
        return;
    }
    if (events & EPOLLRDHUP) c->peer_closed = true;
    if (events & (EPOLLIN | EPOLLRDHUP)) c->readable = true;
    if ((events & EPOLLOUT) && c->out.len) flush(c);
    if (c->state != CONN_CLOSED) http_turns_ready(&c->server->turns, &c->turn);
}

// llhttp's callbacks. Returning non-zero stops the parser; `refuse_status` says why.

static struct http_conn *conn_of_parser(llhttp_t *p) {
    return p->data;
}

static int refuse(struct http_conn *c, int status, const char *code, const char *sentence) {
    http_refuse(&c->request, status, code, sentence);
    c->refused = true;
    return HPE_USER;
}

// The head's size is bounded before llhttp sees it (scan_head). Trailers of a chunked body come through the
// same callbacks as header fields; they are thrown away.

static int keep(struct http_conn *c, const char *at, size_t len) {
    struct buf *head = &c->request.head;
    if (head->len + len > HTTP_KEPT_MAX)
        return refuse(c, 431, "header_too_large",
                      "The target and the header fields that the server reads are larger than 16384 bytes.");
    buf_add(head, at, len);
    return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t len) {
    return keep(conn_of_parser(p), at, len);
}

static int on_url_complete(llhttp_t *p) {
    buf_add(&conn_of_parser(p)->request.head, "", 1);
    return 0;
}

static int on_header_field(llhttp_t *p, const char *at, size_t len) {
    struct http_conn *c = conn_of_parser(p);
    if (c->span != SPAN_NAME) {
        if (c->state == CONN_HEAD && ++c->field_count > HTTP_FIELDS_MAX)
            return refuse(c, 431, "too_many_headers", "The request has more than 1000 header fields.");
        c->name_len = 0;
        c->span = SPAN_NAME;
    }
    size_t room = c->name_len < sizeof c->name ? sizeof c->name - c->name_len : 0;
    memcpy(c->name + c->name_len, at, len < room ? len : room);
    c->name_len = (uint8_t)(len <= room ? c->name_len + len : HTTP_FIELD_NAME_MAX + 1);
    return 0;
}

static void begin_value(struct http_conn *c) {
    bool trailer = c->state == CONN_BODY;
    c->span = SPAN_VALUE;
    c->field = (uint8_t)(trailer ? FIELD_UNKNOWN : http_field_find(c->name, c->name_len));
    c->value_at = (uint32_t)c->request.head.len;
}

static int on_header_value(llhttp_t *p, const char *at, size_t len) {
    struct http_conn *c = conn_of_parser(p);
    if (c->span != SPAN_VALUE) begin_value(c);
    return c->field < FIELD_PROXY ? keep(c, at, len) : 0;
}

static int on_header_value_complete(llhttp_t *p) {
    struct http_conn *c = conn_of_parser(p);
    if (c->span != SPAN_VALUE) begin_value(c); // an empty one
    c->span = SPAN_NONE;
    if (c->field == FIELD_UNKNOWN) return 0;
    buf_add(&c->request.head, "", 1);
    http_request_take_field(&c->request, (enum http_field)c->field, c->value_at);
    return 0;
}

// pump() sends it: inside the parser's callback nothing may close the connection.
static void send_continue(struct http_conn *c) {
    buf_adds(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

static bool expects_continue(struct http_conn *c, llhttp_t *p) {
    const char *expect = http_request_header(&c->request, "expect");
    if (!expect || p->http_minor == 0) return false;
    if (!strcasecmp(expect, "100-continue")) return true;
    http_refuse(&c->request, 417, "expectation_failed", "Only Expect: 100-continue is known here.");
    return false;
}

// A body that no handler reads is received, up to a bound, and discarded, so that the next request can
// follow.
static bool keeps_body(const struct http_request *r) {
    return !r->refuse_status && r->method == HTTP_POST;
}

static size_t body_max(const struct http_request *r) {
    return keeps_body(r) && r->route->body_max ? r->route->body_max : HTTP_BODY_DEFAULT;
}

static int refuse_body(struct http_conn *c) {
    const struct http_request *r = &c->request;
    if (r->refuse_status) return refuse(c, r->refuse_status, r->refuse_code, r->refuse_sentence);
    return refuse(c, 413, "body_too_large", "The body is larger than this address takes.");
}

// Returns whether a request already refused is answered now, and its connection closed: one whose client may
// or may not send the body, or would send much.
static bool refuse_now(const struct http_request *r, const llhttp_t *p, bool waits) {
    if (!r->refuse_status) return false;
    return waits || r->refuse_status == 417 ||
           ((p->flags & F_CONTENT_LENGTH) && p->content_length > HTTP_BODY_DEFAULT);
}

static int admit(struct http_conn *c, llhttp_t *p) {
    struct http_request *r = &c->request;
    const char *bad = http_request_check_head(r, p->http_minor);
    if (bad) return refuse(c, 400, "bad_request", bad);
    http_request_route(r, c->server->config.tables);
    if (r->method == HTTP_CONNECT) return refuse(c, 405, "method_not_allowed", "This is not a proxy.");
    if (!r->refuse_status && r->route->admit) r->route->admit(r, c->server->config.arg);
    bool waits = expects_continue(c, p);
    if (refuse_now(r, p, waits)) return refuse(c, r->refuse_status, r->refuse_code, r->refuse_sentence);
    if ((p->flags & F_CONTENT_LENGTH) && p->content_length > body_max(r)) return refuse_body(c);
    if (waits && ((p->flags & F_CHUNKED) || p->content_length)) send_continue(c);
    return 0;
}

static int on_headers_complete(llhttp_t *p) {
    struct http_conn *c = conn_of_parser(p);
    struct http_request *r = &c->request;
    r->method = p->method;
    r->keep_alive = llhttp_should_keep_alive(p) && !r->closes;
    // Upgrade is ignored, as RFC 9110, 7.8 allows; left set, llhttp would stop at the next request.
    p->upgrade = 0;
    int refused = admit(c, p);
    if (refused) return refused;
    c->state = CONN_BODY;
    c->wire_bytes = c->body_bytes = 0;
    c->deadline_ms = loop_now_ms(c->loop) + c->server->config.body_timeout_ms;
    return 0;
}

static int on_chunk_header(llhttp_t *p) {
    struct http_conn *c = conn_of_parser(p);
    struct http_request *r = &c->request;
    return p->content_length > body_max(r) - r->body.len ? refuse_body(c) : 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len) {
    struct http_conn *c = conn_of_parser(p);
    c->body_bytes += len;
    if (c->body_bytes > body_max(&c->request)) return refuse_body(c);
    if (keeps_body(&c->request)) buf_add(&c->request.body, at, len);
    return 0;
}

static int on_message_complete(llhttp_t *p) {
    (void)p;
    return HPE_PAUSED;
}

static const llhttp_settings_t *parser_settings(void) {
    static llhttp_settings_t settings;
    if (!settings.on_url) {
        llhttp_settings_init(&settings);
        settings.on_header_field = on_header_field;
        settings.on_header_value = on_header_value;
        settings.on_header_value_complete = on_header_value_complete;
        settings.on_headers_complete = on_headers_complete;
        settings.on_chunk_header = on_chunk_header;
        settings.on_body = on_body;
        settings.on_message_complete = on_message_complete;
        settings.on_url = on_url;
        settings.on_url_complete = on_url_complete;
    }
    return &settings;
}

// Memory that one large request or answer needed is not kept by a connection that only waits; where memory is
// scarce, none is.
static void shrink(struct buf *b) {
    if (!b->len && (b->cap > KEPT_BYTES || http_memory_is_scarce())) buf_release(b);
}

// A client has sent more than the request that is being answered, or than could be looked at in its turn.
static bool is_ahead(const struct http_conn *c) {
    return (c->state == CONN_HANDLING || c->state == CONN_IDLE) && c->in.len;
}

// Accounts for the connection's buffers, and whether it waits for its client.
static void settle(struct http_conn *c) {
    const struct http_request *r = &c->request;
    size_t bytes = c->in.cap + c->out.cap + r->head.cap + r->body.cap + r->query.cap;
    bool waits = c->state != CONN_CLOSED &&
                 (c->out.len || is_ahead(c) || c->state == CONN_HEAD || c->state == CONN_BODY);
    http_memory_hold(&c->hold, bytes, waits, loop_now_ms(c->loop));
}

static void start_request(struct http_conn *c) {
    http_request_reset(&c->request);
    shrink(&c->request.head);
    shrink(&c->request.body);
    shrink(&c->in);
    c->span = SPAN_NONE;
    c->refused = c->complete = false;
    c->field_count = 0;
    c->head_scan = (struct http_head){0};
    llhttp_init(&c->parser, HTTP_REQUEST, parser_settings());
    c->parser.data = c;
    c->state = CONN_IDLE;
}

static void drop_input(struct http_conn *c) {
    c->in.len = c->in_parsed = 0;
}

// A request that waits for its handler's answer cannot be dropped, so where memory is used up a large one is
// refused beforehand.
static void refuse_if_too_much(struct http_request *r) {
    if (r->head.cap > KEPT_BYTES && http_memory_is_used_up())
        http_refuse(r, 503, "overloaded", "There is no memory for large requests; try again soon.");
}

// Frees what the handler has read of a request that is not answered yet.
static void release_read(struct http_request *r) {
    if (r->body.cap > SMALL_BYTES) buf_release(&r->body);
    http_request_forget_query(r);
}

static void dispatch(struct http_conn *c) {
    struct http_request *r = &c->request;
    c->cost += HTTP_REQUEST_COST;
    c->state = CONN_HANDLING;
    c->deadline_ms = 0;
    if (!r->refuse_status) refuse_if_too_much(r);
    if (r->refuse_status)
        http_reply_refused(r);
    else
        r->route->handle(r, c->server->config.arg);
    if (c->state == CONN_HANDLING) release_read(r);
}

// Answers something the parser will not read on from, and closes.
static void refuse_and_close(struct http_conn *c) {
    c->close_after_reply = true;
    drop_input(c);
    dispatch(c);
}

static void parse_failed(struct http_conn *c) {
    if (!c->refused)
        http_refuse(&c->request, 400, "bad_request", "This is not a well-formed HTTP/1.1 request.");
    refuse_and_close(c);
}

// Looks at raw head bytes. Returns how many llhttp may have: all, or up to the end of the head; 0 if refused.
static size_t scan_head(struct http_conn *c, const char *bytes, size_t len) {
    size_t used = 0;
    switch (http_head_scan(&c->head_scan, bytes, len, &used)) {
    case HTTP_HEAD_MORE:
    case HTTP_HEAD_DONE: return used;
    case HTTP_HEAD_BAD: break;
    case HTTP_HEAD_VERSION:
        refuse(c, 400, "http_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        break;
    case HTTP_HEAD_LONG:
        refuse(c, 431, "header_too_large", "The request line and headers are larger than 65536 bytes.");
        break;
    }
    parse_failed(c);
    return 0;
}

// Chunk sizes, extensions and trailers are no body, but somebody has to read them too.
static bool wire_is_bounded(struct http_conn *c, size_t len) {
    c->wire_bytes += len;
    if (c->wire_bytes <= CHUNK_MOST * c->body_bytes + WIRE_SPARE) return true;
    refuse_body(c);
    parse_failed(c);
    return false;
}

// Feeds one stretch, of the head or of the body, to the parser. Returns how much was used; the request may be
// complete then, or refused.
static size_t feed(struct http_conn *c, const char *bytes, size_t len) {
    if (c->state == CONN_HEAD) {
        len = scan_head(c, bytes, len);
        if (!len) return 0;
    } else if (!wire_is_bounded(c, len)) {
        return 0;
    }
    llhttp_errno_t error = llhttp_execute(&c->parser, bytes, len);
    if (error == HPE_OK) return len;
    if (error != HPE_PAUSED) {
        parse_failed(c);
        return 0;
    }
    c->complete = true;
    return (size_t)(llhttp_get_error_pos(&c->parser) - bytes);
}

// Takes bytes up to the end of one request; keeps in c->in what belongs to the next. `bytes` may be c->in's
// own.
static void parse(struct http_conn *c, const char *bytes, size_t len) {
    size_t used = 0;
    bool own = bytes == c->in.data + c->in_parsed && c->in.len;
    while (used < len && !c->complete && (c->state == CONN_HEAD || c->state == CONN_BODY))
        used += feed(c, bytes + used, len - used);
    if (!c->complete) {
        if (c->state == CONN_HEAD || c->state == CONN_BODY) drop_input(c);
        return;
    }
    if (own) {
        c->in_parsed += used;
        if (c->in_parsed == c->in.len) drop_input(c);
    } else {
        drop_input(c);
        buf_add(&c->in, bytes + used, len - used);
    }
    dispatch(c);
}

static void begin_head(struct http_conn *c) {
    c->state = CONN_HEAD;
    c->deadline_ms = loop_now_ms(c->loop) + c->server->config.header_timeout_ms;
}

static void read_some(struct http_conn *c) {
    static char bytes[READ_SIZE]; // control loop only
    ssize_t n = sock_read(c->watch.fd, bytes, sizeof bytes);
    c->cost += HTTP_READ_COST + (n > 0 ? n : 0);
    if (n == 0) { // the client may have closed only its own side, and still wait for what is to be sent
        c->readable = false;
        c->end_seen = true;
        if (!c->out.len) http_conn_close(c);
        return;
    }
    if (n < 0) {
        c->readable = false;
        if (n != -EAGAIN) http_conn_close(c);
        return;
    }
    // A short read has emptied the socket; only the end of the stream may still be unread.
    if ((size_t)n < sizeof bytes && !c->peer_closed) c->readable = false;
    if (c->state == CONN_LINGER) return;
    if (c->state == CONN_IDLE) begin_head(c);
    parse(c, bytes, (size_t)n);
}

static bool wants_input(const struct http_conn *c) {
    if (c->close_after_reply) return c->state == CONN_LINGER; // the last answer is still on its way
    return c->state != CONN_HANDLING && c->state != CONN_CLOSED && c->out.len < OUT_PAUSE;
}

static bool step(struct http_conn *c) {
    if (!wants_input(c)) return false;
    if (c->in.len && c->state != CONN_LINGER) {
        if (c->state == CONN_IDLE) begin_head(c);
        parse(c, c->in.data + c->in_parsed, c->in.len - c->in_parsed);
    } else if (c->readable) {
        read_some(c);
    } else {
        return false;
    }
    return true;
}

// Does what can be done now, within a bound. Not re-entered by answers given inside a handler, so that the
// answers to pipelined requests leave in one send.
int64_t http_conn_serve(struct http_turn *t) {
    struct http_conn *c = container_of(t, struct http_conn, turn);
    t->more = false;
    if (c->pumping) return 0;
    c->pumping = true;
    c->cost = 0;
    while (c->cost < HTTP_TURN_COST && step(c)) continue;
    c->pumping = false;
    if (c->state == CONN_CLOSED) return c->cost;
    c->cost += (int64_t)c->out.len;
    if (c->out.len) flush(c);
    if (c->state == CONN_CLOSED) return c->cost;
    t->more = wants_input(c) && (c->in.len || c->readable);
    settle(c);
    return c->cost;
}

static void linger(struct http_conn *c) {
    c->state = CONN_LINGER;
    c->deadline_ms = loop_now_ms(c->loop) + LINGER_MS;
    sock_shutdown(c->watch.fd);
}

static void flush(struct http_conn *c) {
    while (c->out.len) {
        ssize_t n = sock_write(c->watch.fd, c->out.data, c->out.len);
        if (n < 0) {
            if (n != -EAGAIN) http_conn_close(c);
            return;
        }
        buf_consume(&c->out, (size_t)n);
    }
    shrink(&c->out);
    settle(c);
    if (c->end_seen)
        http_conn_close(c);
    else if (c->close_after_reply && c->state == CONN_IDLE)
        linger(c);
}

// The answer stands in c->out: gets ready for the next request.
void http_conn_answered(struct http_conn *c) {
    if (c->state == CONN_CLOSED) { // nobody to send it to
        loop_defer(c->loop, &c->reap);
        return;
    }
    if (!c->request.keep_alive) c->close_after_reply = true;
    start_request(c);
    if (c->close_after_reply) drop_input(c);
    c->idle_ms = loop_now_ms(c->loop);
    c->deadline_ms = c->idle_ms + c->server->config.idle_timeout_ms;
    if (c->pumping) return; // http_conn_serve() goes on
    if (c->in.len || c->readable)
        http_turns_ready(&c->server->turns, &c->turn);
    else
        flush(c);
}

void http_conn_expire(struct http_conn *c) {
    if (c->state != CONN_HEAD && c->state != CONN_BODY) {
        http_conn_close(c);
        return;
    }
    http_refuse(&c->request, 408, "timeout", "The request did not arrive in time.");
    refuse_and_close(c);
}

void http_conn_drop(struct http_conn *c) {
    struct http_server *s = c->server;
    s->dropped++;
    http_server_tell_dropped(s);
    if (c->out.len || c->pumping || c->state == CONN_HANDLING) {
        http_conn_close(c);
        if (!c->pumping) buf_release(&c->in);
        return;
    }
    buf_release(&c->request.body);
    buf_release(&c->in);
    http_refuse(&c->request, 503, "overloaded",
                "The request took too long while memory was scarce; try again.");
    refuse_and_close(c);
}

static void on_evict(struct http_hold *h) {
    struct http_conn *c = container_of(h, struct http_conn, hold);
    http_conn_drop(c);
    if (c->state == CONN_CLOSED)
        http_memory_hold(h, 0, false, 0); // freed at the end of the turn, or when answered
}

static void on_reap(struct loop_job *job) {
    struct http_conn *c = container_of(job, struct http_conn, reap);
    http_memory_hold(&c->hold, 0, false, 0);
    http_request_release(&c->request);
    buf_release(&c->in);
    buf_release(&c->out);
    free(c);
}

struct http_conn *http_conn_new(struct http_server *s, int fd, const union address *peer) {
    struct http_conn *c = mem_zalloc(sizeof *c);
    c->server = s;
    c->loop = s->loop;
    c->watch.on_event = on_event;
    c->reap.run = on_reap;
    c->turn.lane = http_turns_lane(peer);
    c->hold.evict = on_evict;
    if (loop_fd_add(s->loop, &c->watch, fd, WATCHED) < 0) {
        sock_close(fd);
        free(c);
        return NULL;
    }
    DL_APPEND(s->conns, c);
    s->count++;
    start_request(c);
    c->idle_ms = loop_now_ms(s->loop);
    c->deadline_ms = c->idle_ms + s->config.header_timeout_ms;
    return c;
}

// Leaves loop and server; the connection dies now, or when its request is answered.
static int detach(struct http_conn *c) {
    int fd = c->watch.fd;
    if (c->state == CONN_CLOSED) return -1;
    bool answered = c->state != CONN_HANDLING;
    loop_fd_remove(c->loop, &c->watch);
    http_turns_leave(&c->server->turns, &c->turn);
    http_server_forget(c->server, c);
    c->server = NULL;
    c->state = CONN_CLOSED;
    settle(c);
    if (answered) loop_defer(c->loop, &c->reap);
    return fd;
}

void http_conn_close(struct http_conn *c) {
    int fd = detach(c);
    if (fd >= 0) sock_close(fd);
}

struct http_conn *http_conn_of(struct http_request *r) {
    return container_of(r, struct http_conn, request);
}

void http_abort(struct http_request *r) {
    int fd = http_take_over(r);
    if (fd >= 0) sock_close(fd);
}

int http_take_over(struct http_request *r) {
    struct http_conn *c = http_conn_of(r);
    if (c->state != CONN_CLOSED) flush(c); // the answers to those before it
    if (c->out.len) http_conn_close(c);    // it does not even take these
    int fd = detach(c);
    loop_defer(c->loop, &c->reap);
    return fd;
}
