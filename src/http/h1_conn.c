// One connection's way: bytes come in (h1_read), go through llhttp (h1_parse), whose callbacks fill the
// request and check it; a complete request goes to the site (h1_dispatch); its answer (h1_reply) lets the
// next one be read.
//
// A connection outlives its socket if its request is still unanswered when the client goes away. What an
// answer sets free, the next request above all, happens in a later step of h1_serve(), never inside
// h1_reply().
#include "h1_conn.h"

#include <errno.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "conn.h"
#include "head.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "net/sink.h"
#include "net/stream.h"
#include "request_parts.h"
#include "site.h"

enum {
    READ_SIZE = 16384,
    CHUNK_MOST = 6,     // bytes that one of a body may take in a chunk of its own
    WIRE_SPARE = 65536, // for extensions and trailers, and for what has been read but not parsed
    OUT_PAUSE = 262144, // unsent answer bytes at which no further pipelined request is started
    LINGER_MS = 2000,
    KEPT_BYTES = 4096,   // of each buffer, by a connection between requests
    SMALL_BYTES = 1024,  // of a body, while the request is handled
    COPIED_BYTES = 4096, // of a lasting body that is rather copied than sent by itself
    FIELD_NAME_MAX = 32
};

enum h1_state {
    H1_IDLE,     // between requests, nothing read
    H1_HEAD,     // some of the request line or header fields read
    H1_BODY,     // head complete
    H1_COMPLETE, // the whole request is there
    H1_REFUSED,  // a callback has stopped the parser
    H1_CALLING,  // the site is being called with it
    H1_WAITING,  // for the answer
    H1_LAST,     // the last request is answered, and not all of the answer is sent
    H1_LINGER,   // half closed: what still comes is thrown away, so that the client can read the answer
    H1_ORPHANED, // no socket any more, but the exchange has not ended
    H1_CLOSED    // freed at the end of the turn
};

struct h1_conn {
    struct http_conn base; // first
    struct http_exchange exchange;
    struct stream stream;
    enum h1_state state;
    bool ended; // all that the client has sent is read, and it will send no more
    bool last;  // the request at hand is the last one that is read
    // Of the head, field by field:
    struct http_head head_scan;
    enum { SPAN_NONE, SPAN_NAME, SPAN_VALUE } span;
    char name[FIELD_NAME_MAX]; // of the present header field, as far as it fits
    uint8_t name_len, field;   // FIELD_NAME_MAX + 1: longer; enum http_field
    uint16_t field_count;
    uint32_t value_at;             // in request.head
    size_t wire_bytes, body_bytes; // of the body: as it comes, and without what is around its chunks
    llhttp_t parser;
    struct http_request request;
    struct buf in;    // received
    size_t in_parsed; // of it
    struct buf out;   // to be sent
    const char *tail; // to be sent after it: the rest of a lasting body
    size_t tail_len;
    int64_t cost; // of what it has done in this turn
    struct loop_job reap;
};

static void h1_close(struct http_conn *);

static struct h1_conn *h1_of(struct http_conn *base) {
    return container_of(base, struct h1_conn, base);
}

static size_t unsent(const struct h1_conn *c) {
    return c->out.len + c->tail_len;
}

// Memory that one large request or answer needed is not kept by a connection that only waits; where memory is
// scarce, none is.
static void h1_shrink(struct buf *b) {
    if (!b->len && (b->cap > KEPT_BYTES || http_memory_is_scarce())) buf_release(b);
}

// Whether the client has sent more than the request that is being answered, or than could be looked at in its
// turn.
static bool is_ahead(const struct h1_conn *c) {
    return (c->state == H1_WAITING || c->state == H1_IDLE) && c->in.len;
}

// Accounts for the connection's buffers, and whether it waits for its client.
static void h1_settle(struct h1_conn *c) {
    size_t bytes = c->in.cap + c->out.cap + http_request_bytes(&c->request);
    bool gone = c->state == H1_ORPHANED || c->state == H1_CLOSED;
    bool waits = !gone && (unsent(c) || is_ahead(c) || c->state == H1_HEAD || c->state == H1_BODY);
    http_memory_hold(&c->base.hold, bytes, waits, loop_now_ms(c->stream.loop));
}

static void drop_input(struct h1_conn *c) {
    c->in.len = c->in_parsed = 0;
}

// Sending

static void h1_linger(struct h1_conn *c) {
    c->state = H1_LINGER;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + LINGER_MS;
    stream_shutdown(&c->stream);
}

static ssize_t send_some(struct h1_conn *c) {
    if (!c->tail_len) return stream_write(&c->stream, c->out.data, c->out.len);
    struct iovec pieces[] = {{c->out.data, c->out.len}, {(char *)c->tail, c->tail_len}};
    return stream_writev(&c->stream, pieces, 2);
}

static void take_sent(struct h1_conn *c, size_t n) {
    size_t of_out = n < c->out.len ? n : c->out.len;
    buf_consume(&c->out, of_out);
    if (!c->tail_len) return;
    c->tail += n - of_out;
    c->tail_len -= n - of_out;
}

// May close the connection.
static void h1_flush(struct h1_conn *c) {
    while (unsent(c)) {
        ssize_t n = send_some(c);
        if (n < 0) {
            if (n != -EAGAIN) h1_close(&c->base);
            return;
        }
        take_sent(c, (size_t)n);
    }
    h1_shrink(&c->out);
    h1_settle(c);
    if (c->ended)
        h1_close(&c->base);
    else if (c->state == H1_LAST)
        h1_linger(c);
}

// llhttp's callbacks. Returning non-zero stops the parser.

static struct h1_conn *h1_of_parser(llhttp_t *p) {
    return p->data;
}

static int h1_stop(struct h1_conn *c) {
    c->state = H1_REFUSED;
    return HPE_USER;
}

static int h1_refuse(struct h1_conn *c, int status, const char *code, const char *sentence) {
    http_refuse(&c->exchange.refusal, status, code, sentence);
    return h1_stop(c);
}

// The head's size is bounded before llhttp sees it (scan_head). Trailers of a chunked body come through the
// same callbacks as header fields; they are thrown away.

static int h1_keep(struct h1_conn *c, const char *at, size_t len) {
    struct buf *head = &c->request.head;
    if (head->len + len > HTTP_KEPT_MAX)
        return h1_refuse(
            c, 431, "header_too_large",
            "The target and the header fields that the server reads are larger than 16384 bytes.");
    buf_add(head, at, len);
    return 0;
}

static int on_url(llhttp_t *p, const char *at, size_t len) {
    return h1_keep(h1_of_parser(p), at, len);
}

static int on_url_complete(llhttp_t *p) {
    buf_add(&h1_of_parser(p)->request.head, "", 1);
    return 0;
}

static int on_header_field(llhttp_t *p, const char *at, size_t len) {
    struct h1_conn *c = h1_of_parser(p);
    if (c->span != SPAN_NAME) {
        if (c->state == H1_HEAD && ++c->field_count > HTTP_FIELDS_MAX)
            return h1_refuse(c, 431, "too_many_headers", "The request has more than 1000 header fields.");
        c->name_len = 0;
        c->span = SPAN_NAME;
    }
    size_t room = c->name_len < sizeof c->name ? sizeof c->name - c->name_len : 0;
    memcpy(c->name + c->name_len, at, len < room ? len : room);
    c->name_len = (uint8_t)(len <= room ? c->name_len + len : FIELD_NAME_MAX + 1);
    return 0;
}

static void begin_value(struct h1_conn *c) {
    bool trailer = c->state == H1_BODY;
    c->span = SPAN_VALUE;
    c->field = (uint8_t)(trailer ? FIELD_UNKNOWN : http_field_find(c->name, c->name_len));
    c->value_at = (uint32_t)c->request.head.len;
}

static int on_header_value(llhttp_t *p, const char *at, size_t len) {
    struct h1_conn *c = h1_of_parser(p);
    if (c->span != SPAN_VALUE) begin_value(c);
    return c->field < FIELD_PROXY ? h1_keep(c, at, len) : 0;
}

static int on_header_value_complete(llhttp_t *p) {
    struct h1_conn *c = h1_of_parser(p);
    if (c->span != SPAN_VALUE) begin_value(c); // an empty one
    c->span = SPAN_NONE;
    if (c->field == FIELD_UNKNOWN) return 0;
    buf_add(&c->request.head, "", 1);
    http_request_take_field(&c->request, (enum http_field)c->field, c->value_at);
    return 0;
}

static bool expects_continue(struct h1_conn *c, llhttp_t *p) {
    const char *expect = http_request_header(&c->request, "expect");
    if (!expect || p->http_minor == 0) return false;
    if (!strcasecmp(expect, "100-continue")) return true;
    return http_refuse(&c->exchange.refusal, 417, "expectation_failed",
                       "Only Expect: 100-continue is known here.");
}

// A body that no handler reads is received, up to a bound, and discarded, so that the next request can
// follow.
static bool keeps_body(const struct h1_conn *c) {
    return c->request.method == HTTP_METHOD_POST && http_exchange_is_handled(&c->exchange);
}

static size_t body_max(const struct h1_conn *c) {
    size_t max = keeps_body(c) ? c->exchange.match.route->body_max : 0;
    return max ? max : HTTP_BODY_DEFAULT;
}

static int refuse_body(struct h1_conn *c) {
    if (!http_exchange_is_handled(&c->exchange)) return h1_stop(c);
    return h1_refuse(c, 413, "body_too_large", "The body is larger than this address takes.");
}

// Whether a request that no handler will get is answered now, and its connection closed: one whose client may
// or may not send the body, or would send much.
static bool is_answered_now(const struct h1_conn *c, const llhttp_t *p, bool waits) {
    if (http_exchange_is_handled(&c->exchange)) return false;
    return waits || c->exchange.refusal.status == 417 ||
           ((p->flags & F_CONTENT_LENGTH) && p->content_length > HTTP_BODY_DEFAULT);
}

static int h1_admit(struct h1_conn *c, llhttp_t *p) {
    const char *bad = http_request_check_head(&c->request, p->http_minor);
    if (bad) return h1_refuse(c, 400, "bad_request", bad);
    http_site_admit(&c->base.host->site, &c->exchange);
    if (p->method == HTTP_CONNECT) return h1_refuse(c, 405, "method_not_allowed", "This is not a proxy.");
    bool waits = expects_continue(c, p);
    if (is_answered_now(c, p, waits)) return h1_stop(c);
    if ((p->flags & F_CONTENT_LENGTH) && p->content_length > body_max(c)) return refuse_body(c);
    if (waits &&
        ((p->flags & F_CHUNKED) || p->content_length)) // sent later: nothing may close the connection here
        buf_adds(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int on_headers_complete(llhttp_t *p) {
    struct h1_conn *c = h1_of_parser(p);
    c->request.method = http_method_of(llhttp_method_name((llhttp_method_t)p->method));
    c->last = !llhttp_should_keep_alive(p) || c->request.closes;
    // Upgrade is ignored, as RFC 9110, 7.8 allows; left set, llhttp would stop at the next request.
    p->upgrade = 0;
    int refused = h1_admit(c, p);
    if (refused) return refused;
    c->state = H1_BODY;
    c->wire_bytes = c->body_bytes = 0;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->body_timeout_ms;
    return 0;
}

static int on_chunk_header(llhttp_t *p) {
    struct h1_conn *c = h1_of_parser(p);
    return p->content_length > body_max(c) - c->request.body.len ? refuse_body(c) : 0;
}

static int on_body(llhttp_t *p, const char *at, size_t len) {
    struct h1_conn *c = h1_of_parser(p);
    c->body_bytes += len;
    if (c->body_bytes > body_max(c)) return refuse_body(c);
    if (keeps_body(c)) buf_add(&c->request.body, at, len);
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

// A request's way

static void start_request(struct h1_conn *c) {
    http_request_reset(&c->request);
    h1_shrink(&c->request.head);
    h1_shrink(&c->request.body);
    h1_shrink(&c->in);
    c->exchange.match = (struct http_match){0};
    c->exchange.refusal = (struct http_refusal){0};
    c->span = SPAN_NONE;
    c->field_count = 0;
    c->head_scan = (struct http_head){0};
    llhttp_init(&c->parser, HTTP_REQUEST, parser_settings());
    c->parser.data = c;
    c->state = H1_IDLE;
}

// A request that waits for its handler's answer cannot be dropped, so where memory is used up a large one is
// refused beforehand.
static void refuse_if_too_much(struct h1_conn *c) {
    if (http_exchange_is_handled(&c->exchange) && c->request.head.cap > KEPT_BYTES &&
        http_memory_is_used_up())
        h1_refuse(c, 503, "overloaded", "There is no memory for large requests; try again soon.");
}

static void h1_dispatch(struct h1_conn *c) {
    c->cost += HTTP_REQUEST_COST;
    c->base.deadline_ms = 0;
    c->base.host->counters.requests++;
    refuse_if_too_much(c);
    c->state = H1_CALLING;
    http_site_answer(&c->base.host->site, &c->exchange);
    if (c->state != H1_CALLING) return;
    c->state = H1_WAITING;
    http_request_forget_read(&c->request, SMALL_BYTES);
}

// Has something answered that the parser will not read on from, and closes.
static void refuse_and_close(struct h1_conn *c) {
    c->last = true;
    drop_input(c);
    h1_dispatch(c);
}

// Looks at raw head bytes. Returns how many llhttp may have: all, or up to the end of the head; 0 if refused.
static size_t scan_head(struct h1_conn *c, const char *bytes, size_t len) {
    size_t used = 0;
    switch (http_head_scan(&c->head_scan, bytes, len, &used)) {
    case HTTP_HEAD_MORE:
    case HTTP_HEAD_DONE: return used;
    case HTTP_HEAD_BAD:
        h1_refuse(c, 400, "bad_request", "This is not a well-formed HTTP/1.1 request.");
        break;
    case HTTP_HEAD_VERSION:
        h1_refuse(c, 400, "http_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
        break;
    case HTTP_HEAD_LONG:
        h1_refuse(c, 431, "header_too_large", "The request line and headers are larger than 65536 bytes.");
        break;
    }
    refuse_and_close(c);
    return 0;
}

// Chunk sizes, extensions and trailers are no body, but somebody has to read them too.
static bool wire_is_bounded(struct h1_conn *c, size_t len) {
    c->wire_bytes += len;
    if (c->wire_bytes <= CHUNK_MOST * c->body_bytes + WIRE_SPARE) return true;
    refuse_body(c);
    refuse_and_close(c);
    return false;
}

// Feeds one stretch, of the head or of the body, to the parser. Returns how much was used; the request may be
// complete then, or refused.
static size_t h1_feed(struct h1_conn *c, const char *bytes, size_t len) {
    if (c->state == H1_HEAD) {
        len = scan_head(c, bytes, len);
        if (!len) return 0;
    } else if (!wire_is_bounded(c, len)) {
        return 0;
    }
    llhttp_errno_t error = llhttp_execute(&c->parser, bytes, len);
    if (error == HPE_OK) return len;
    if (error != HPE_PAUSED) {
        if (c->state != H1_REFUSED)
            h1_refuse(c, 400, "bad_request", "This is not a well-formed HTTP/1.1 request.");
        refuse_and_close(c);
        return 0;
    }
    c->state = H1_COMPLETE;
    return (size_t)(llhttp_get_error_pos(&c->parser) - bytes);
}

// Takes bytes up to the end of one request; keeps in c->in what belongs to the next. `bytes` may be c->in's
// own.
static void h1_parse(struct h1_conn *c, const char *bytes, size_t len) {
    size_t used = 0;
    bool own = bytes == c->in.data + c->in_parsed && c->in.len;
    while (used < len && (c->state == H1_HEAD || c->state == H1_BODY))
        used += h1_feed(c, bytes + used, len - used);
    if (c->state != H1_COMPLETE) {
        if (c->state == H1_HEAD || c->state == H1_BODY) drop_input(c);
        return;
    }
    if (own) {
        c->in_parsed += used;
        if (c->in_parsed == c->in.len) drop_input(c);
    } else {
        drop_input(c);
        buf_add(&c->in, bytes + used, len - used);
    }
    h1_dispatch(c);
}

static void begin_head(struct h1_conn *c) {
    c->state = H1_HEAD;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->header_timeout_ms;
}

static void h1_read(struct h1_conn *c) {
    static char bytes[READ_SIZE]; // control loop only
    ssize_t n = stream_read(&c->stream, bytes, sizeof bytes);
    c->cost += HTTP_READ_COST + (n > 0 ? n : 0);
    if (n == 0) { // the client may have closed only its own side, and still wait for what is to be sent
        c->ended = true;
        if (!unsent(c)) h1_close(&c->base);
        return;
    }
    if (n < 0) {
        if (n != -EAGAIN) h1_close(&c->base);
        return;
    }
    if (c->state == H1_LINGER) return;
    if (c->state == H1_IDLE) begin_head(c);
    h1_parse(c, bytes, (size_t)n);
}

static bool wants_input(const struct h1_conn *c) {
    if (c->state == H1_LINGER) return true;
    bool reads = c->state == H1_IDLE || c->state == H1_HEAD || c->state == H1_BODY;
    return reads && c->out.len < OUT_PAUSE && !c->tail_len;
}

static bool h1_step(struct h1_conn *c) {
    if (!wants_input(c)) return false;
    if (c->in.len && c->state != H1_LINGER) {
        if (c->state == H1_IDLE) begin_head(c);
        h1_parse(c, c->in.data + c->in_parsed, c->in.len - c->in_parsed);
    } else if (c->stream.readable) {
        h1_read(c);
    } else {
        return false;
    }
    return true;
}

// What pipelined requests are answered leaves in one send.
static int64_t h1_serve(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    base->turn.more = false;
    c->cost = 0;
    while (c->cost < HTTP_TURN_COST && h1_step(c)) continue;
    if (!base->host) return c->cost;
    c->cost += (int64_t)unsent(c);
    if (unsent(c)) h1_flush(c);
    if (!base->host) return c->cost;
    base->turn.more = wants_input(c) && (c->in.len || c->stream.readable);
    h1_settle(c);
    return c->cost;
}

static void on_ready(struct stream *s) {
    struct h1_conn *c = container_of(s, struct h1_conn, stream);
    if (s->error == -EINPROGRESS) return;
    if (s->error || s->broken) {
        h1_close(&c->base);
        return;
    }
    if (s->writable && unsent(c)) h1_flush(c);
    if (c->base.host) http_turns_ready(&c->base.host->turns, &c->base.turn);
}

// The end of an exchange

static struct h1_conn *h1_of_exchange(struct http_exchange *x) {
    return container_of(x, struct h1_conn, exchange);
}

static void reap_later(struct h1_conn *c) {
    c->state = H1_CLOSED;
    loop_defer(c->stream.loop, &c->reap);
}

static void add_answer(struct h1_conn *c, const struct http_reply *reply) {
    struct http_host *host = c->base.host;
    enum http_persistence persistence = c->last                     ? HTTP_CLOSES
                                        : c->parser.http_minor == 0 ? HTTP_PERSISTS_SAID
                                                                    : HTTP_PERSISTS;
    http_response_head(&c->out, reply, http_common_lines(&host->common, clock_wall_ms()), persistence);
    http_counters_response(&host->counters, reply->status);
    if (http_request_is_head(&c->request) || !http_status_has_body(reply->status)) return;
    if (reply->lasting && reply->body_len > COPIED_BYTES) {
        c->tail = reply->body;
        c->tail_len = reply->body_len;
    } else {
        buf_add(&c->out, reply->body, reply->body_len);
    }
}

static void h1_reply(struct http_exchange *x, const struct http_reply *reply) {
    struct h1_conn *c = h1_of_exchange(x);
    if (c->state == H1_ORPHANED) { // there is no socket to send it to
        reap_later(c);
        return;
    }
    bool late = c->state == H1_WAITING;
    add_answer(c, reply);
    start_request(c);
    if (c->last) {
        drop_input(c);
        c->state = H1_LAST;
    }
    c->base.idle_ms = loop_now_ms(c->stream.loop);
    c->base.deadline_ms = c->base.idle_ms + c->base.host->idle_timeout_ms;
    if (!late) return; // h1_serve() goes on when the handler has returned
    if (c->in.len || c->stream.readable) {
        http_turns_queue(&c->base.host->turns, &c->base.turn);
        h1_settle(c);
    } else {
        h1_flush(c);
    }
}

// Leaves the host; the stream has been closed or given away.
static void h1_detach(struct h1_conn *c, enum h1_state state) {
    struct http_host *host = c->base.host;
    http_turns_leave(&host->turns, &c->base.turn);
    c->base.host = NULL;
    c->state = state;
    h1_settle(c);
    if (state == H1_CLOSED) reap_later(c);
    host->on_closed(host, &c->base);
}

static void h1_close(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    if (!base->host) return;
    bool open = c->state == H1_CALLING || c->state == H1_WAITING;
    stream_close(&c->stream);
    h1_detach(c, open ? H1_ORPHANED : H1_CLOSED);
}

// Sends the answers to earlier requests; if the client does not even take these, closes the connection.
static void send_earlier(struct h1_conn *c) {
    if (c->state != H1_ORPHANED) h1_flush(c);
    if (c->state != H1_ORPHANED && unsent(c)) h1_close(&c->base);
}

static bool h1_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    struct h1_conn *c = h1_of_exchange(x);
    send_earlier(c);
    if (c->state == H1_ORPHANED) {
        reap_later(c);
        return false;
    }
    c->base.host->counters.streams++;
    *sink = stream_take_sink(&c->stream, SINK_RAW);
    h1_detach(c, H1_CLOSED);
    http_response_stream_head(head, sink->framing);
    return true;
}

static void h1_abort(struct http_exchange *x) {
    struct h1_conn *c = h1_of_exchange(x);
    if (c->base.host) c->base.host->counters.aborted++;
    send_earlier(c);
    if (c->state == H1_ORPHANED) {
        reap_later(c);
        return;
    }
    stream_close(&c->stream);
    h1_detach(c, H1_CLOSED);
}

static const struct http_exchange_ops exchange_ops = {
    .reply = h1_reply, .begin_stream = h1_begin_stream, .abort = h1_abort};

// What the server asks for

// A kept-alive connection without a request, and without any of an answer left to send, is the cheapest thing
// to lose.
static bool h1_is_idle(const struct http_conn *base) {
    const struct h1_conn *c = container_of(base, const struct h1_conn, base);
    if (c->state != H1_IDLE || unsent(c) || c->in.len) return false;
    return !stream_has_unread(&c->stream);
}

// Answers a request that is not complete, and closes.
static void give_up_request(struct h1_conn *c, int status, const char *code, const char *sentence) {
    h1_refuse(c, status, code, sentence);
    refuse_and_close(c);
    h1_flush(c);
    if (c->base.host && wants_input(c) && c->stream.readable)
        http_turns_queue(&c->base.host->turns, &c->base.turn);
}

static void h1_expire(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    if (c->state != H1_HEAD && c->state != H1_BODY) {
        h1_close(base);
        return;
    }
    give_up_request(c, 408, "timeout", "The request did not arrive in time.");
}

static void h1_drop(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    bool reads = c->state == H1_IDLE || c->state == H1_HEAD || c->state == H1_BODY;
    bool is_parsing = c->state == H1_CALLING;
    base->host->counters.connections_dropped++;
    if (reads && !unsent(c)) {
        buf_release(&c->request.body);
        buf_release(&c->in);
        c->in_parsed = 0;
        give_up_request(c, 503, "overloaded",
                        "The request took too long while memory was scarce; try again.");
        return;
    }
    h1_close(base);
    if (!is_parsing) buf_release(&c->in);
}

static void on_evict(struct http_hold *h) {
    struct h1_conn *c = container_of(h, struct h1_conn, base.hold);
    h1_drop(&c->base);
    if (!c->base.host) http_memory_hold(h, 0, false, 0); // freed at the end of the turn, or when answered
}

static const struct http_conn_ops conn_ops = {
    .serve = h1_serve, .is_idle = h1_is_idle, .expire = h1_expire, .drop = h1_drop, .close = h1_close};

static void on_reap(struct loop_job *job) {
    struct h1_conn *c = container_of(job, struct h1_conn, reap);
    http_memory_hold(&c->base.hold, 0, false, 0);
    http_request_release(&c->request);
    buf_release(&c->in);
    buf_release(&c->out);
    free(c);
}

struct http_conn *h1_conn_new(struct http_host *host, int fd, const union address *peer) {
    struct h1_conn *c = mem_zalloc(sizeof *c);
    c->base.ops = &conn_ops;
    c->base.host = host;
    c->base.turn.lane = http_turns_lane(peer);
    c->base.hold.evict = on_evict;
    c->exchange.ops = &exchange_ops;
    c->exchange.request = &c->request;
    c->request.peer = *peer;
    c->reap.run = on_reap;
    stream_init(&c->stream, host->transport, host->loop, on_ready);
    if (stream_accept(&c->stream, fd) < 0) {
        free(c);
        return NULL;
    }
    start_request(c);
    c->base.idle_ms = loop_now_ms(host->loop);
    c->base.deadline_ms = c->base.idle_ms + host->header_timeout_ms;
    return &c->base;
}
