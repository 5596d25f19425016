// One connection's way: bytes come in (h1_read), are made a request (h1_parse); a complete request goes to
// the site (h1_dispatch); its answer (h1_reply) lets the next one be read.
//
// A connection outlives its socket if its request is still unanswered when the client goes away. What an
// answer sets free, the next request above all, happens in a later step of h1_serve(), never inside
// h1_reply().
#include "h1_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "conn.h"
#include "h1_parser.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "net/sink.h"
#include "net/stream.h"
#include "request_parts.h"
#include "site.h"

enum {
    READ_SIZE = 16384,
    OUT_PAUSE = 262144, // unsent answer bytes at which no further pipelined request is started
    LINGER_MS = 2000,
    KEPT_BYTES = 4096,  // of each buffer, by a connection between requests
    SMALL_BYTES = 1024, // of a body, while the request is handled
    COPIED_BYTES = 4096 // of a static body that is rather copied than sent by itself
};

enum h1_state {
    H1_IDLE,         // between requests, nothing read
    H1_HEAD,         // some of the request line or header fields read
    H1_BODY,         // head complete
    H1_HELD,         // request complete; not handled before all earlier responses are sent
    H1_HANDLING,     // the site is being called with it
    H1_WAITING,      // for the answer
    H1_SENDING_LAST, // the last request is answered, and not all of the answer is sent
    H1_LINGER,       // half closed: what still comes is thrown away, so that the client can read the answer
    H1_ORPHANED,     // no socket any more, but the exchange has not ended
    H1_CLOSED        // freed at the end of the turn
};

struct h1_conn {
    struct http_conn base; // first
    struct http_exchange exchange;
    struct stream stream;
    enum h1_state state;
    bool ended; // nothing more is read: the connection closes when all is sent
    bool last;  // the request at hand is the last one that is read
    struct h1_parser parser;
    struct http_request request;
    struct buf in;    // received
    size_t in_parsed; // of it
    struct buf out;   // to be sent
    const char *tail; // to be sent after it: the rest of a static body
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

// A stream that is not writable may hold bytes that it has taken.
static bool h1_is_sending(const struct h1_conn *c) {
    return unsent(c) || (!c->stream.error && !c->stream.writable);
}

// Memory that one large request or answer needed is not kept by a connection that only waits; where memory is
// scarce, none is.
static void h1_shrink(struct buf *b) {
    if (!b->len && (b->cap > KEPT_BYTES || http_memory_is_scarce())) buf_release(b);
}

// Accounts for the connection's buffers, and whether it waits for its client: to read, to send the rest of a
// request, or because it has sent more than the request that is being answered, or than could be looked at in
// its turn.
static void h1_settle(struct h1_conn *c) {
    size_t bytes = c->in.cap + c->out.cap + http_request_bytes(&c->request);
    bool is_ahead = (c->state == H1_WAITING || c->state == H1_IDLE) && c->in.len;
    bool is_gone = c->state == H1_ORPHANED || c->state == H1_CLOSED;
    bool waits = unsent(c) || is_ahead || c->state == H1_HEAD || c->state == H1_BODY || c->state == H1_HELD;
    http_memory_hold(&c->base.hold, bytes, waits && !is_gone, loop_now_ms(c->stream.loop));
}

// ... which may be more than before: others that wait may have to go.
static void h1_account(struct h1_conn *c) {
    h1_settle(c);
    if (http_memory_is_used_up()) http_memory_make_room(&c->base.hold);
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

// May close the connection.
static void h1_flush(struct h1_conn *c) {
    while (unsent(c)) {
        struct iovec pieces[] = {{c->out.data, c->out.len}, {(char *)c->tail, c->tail_len}};
        ssize_t n = stream_writev(&c->stream, pieces, c->tail_len ? 2 : 1);
        if (n < 0) {
            if (n != -EAGAIN) h1_close(&c->base);
            return;
        }
        size_t of_out = (size_t)n < c->out.len ? (size_t)n : c->out.len;
        size_t of_tail = (size_t)n - of_out;
        buf_consume(&c->out, of_out);
        if (of_tail) c->tail += of_tail;
        c->tail_len -= of_tail;
    }
    c->tail = NULL;
    h1_shrink(&c->out);
    h1_settle(c);
    if (h1_is_sending(c)) return;
    if (c->ended)
        h1_close(&c->base);
    else if (c->state == H1_SENDING_LAST)
        h1_linger(c);
}

// A request's way

static void start_request(struct h1_conn *c) {
    http_request_reset(&c->request);
    h1_shrink(&c->request.head);
    h1_shrink(&c->request.body);
    h1_shrink(&c->in);
    c->exchange.match = (struct http_match){0};
    c->exchange.refusal = (struct http_refusal){0};
    h1_parser_start(&c->parser, &c->base.host->site, &c->exchange);
    c->state = H1_IDLE;
}

// A request that waits for its handler's answer cannot be dropped, so where memory is used up a large one is
// refused beforehand.
static void refuse_if_too_much(struct h1_conn *c) {
    if (http_exchange_is_handled(&c->exchange) && c->request.head.cap > KEPT_BYTES &&
        http_memory_is_used_up())
        http_refuse(&c->exchange.refusal, 503, "overloaded",
                    "There is no memory for large requests; try again soon.");
}

static void h1_dispatch(struct h1_conn *c) {
    c->cost += HTTP_REQUEST_COST;
    c->base.deadline_ms = 0;
    c->base.host->counters.requests++;
    refuse_if_too_much(c);
    c->state = H1_HANDLING;
    http_site_handle(&c->base.host->site, &c->exchange);
    if (c->state != H1_HANDLING) return;
    c->state = H1_WAITING;
    http_request_release_read(&c->request, SMALL_BYTES);
}

// Has something answered that the parser will not read on from, and closes.
static void refuse_and_close(struct h1_conn *c) {
    c->last = true;
    drop_input(c);
    h1_dispatch(c);
}

static void begin_body(struct h1_conn *c) {
    c->state = H1_BODY;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->body_timeout_ms;
    if (c->parser.asks_continue) buf_add_string(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
}

// Takes bytes up to the end of one request; keeps in c->in what belongs to the next. `bytes` may be c->in's
// own.
static void h1_parse(struct h1_conn *c, const char *bytes, size_t len) {
    size_t used;
    bool own = c->in.len && bytes == c->in.data + c->in_parsed;
    enum h1_parsed parsed = h1_parser_feed(&c->parser, bytes, len, &used);
    if (c->state == H1_HEAD && c->parser.in_body) begin_body(c);
    if (parsed == H1_PARSED_PART) drop_input(c);
    if (parsed == H1_PARSED_REFUSED) refuse_and_close(c);
    if (parsed != H1_PARSED_REQUEST) return;
    if (own) {
        c->in_parsed += used;
        if (c->in_parsed == c->in.len) drop_input(c);
    } else {
        drop_input(c);
        buf_add(&c->in, bytes + used, len - used);
    }
    c->last = c->parser.last;
    const struct http_route *route = c->exchange.match.route;
    if (route && route->streams && h1_is_sending(c)) {
        c->state = H1_HELD;
        c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->idle_timeout_ms;
    } else {
        h1_dispatch(c);
    }
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
        if (!h1_is_sending(c)) h1_close(&c->base);
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

// Whether there is something to do without another event.
static bool h1_can_step(const struct h1_conn *c) {
    if (c->state == H1_HELD) return !h1_is_sending(c);
    return wants_input(c) && (c->in.len || c->stream.readable);
}

static void h1_step(struct h1_conn *c) {
    if (c->state == H1_HELD) {
        h1_dispatch(c);
    } else if (c->in.len) {
        if (c->state == H1_IDLE) begin_head(c);
        h1_parse(c, c->in.data + c->in_parsed, c->in.len - c->in_parsed);
    } else {
        h1_read(c);
    }
}

// What pipelined requests are answered leaves in one send.
static int64_t h1_serve(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    base->task.more = false;
    c->cost = 0;
    while (c->cost < HTTP_TASK_COST && h1_can_step(c)) h1_step(c);
    if (!base->host) return c->cost;
    c->cost += (int64_t)unsent(c);
    if (unsent(c)) h1_flush(c);
    if (!base->host) return c->cost;
    base->task.more = h1_can_step(c);
    h1_account(c);
    return c->cost;
}

static void on_ready(struct stream *s) {
    struct h1_conn *c = container_of(s, struct h1_conn, stream);
    if (s->error == -EINPROGRESS) return;
    if (s->error || s->broken) {
        h1_close(&c->base);
        return;
    }
    if (s->writable && (unsent(c) || c->ended || c->state == H1_SENDING_LAST)) h1_flush(c);
    if (c->base.host) http_scheduler_ready(&c->base.host->scheduler, &c->base.task);
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
    enum http_connection persistence = c->last                        ? HTTP_CONNECTION_CLOSE
                                       : h1_parser_is_1_0(&c->parser) ? HTTP_CONNECTION_KEEP_ALIVE
                                                                      : HTTP_CONNECTION_UNSAID;
    http_response_head(&c->out, reply, http_common_lines(&host->common, clock_wall_ms()), persistence);
    http_counters_response(&host->counters, reply->status);
    if (http_request_is_head(&c->request) || !http_status_has_body(reply->status)) return;
    if (reply->is_static && reply->body_len > COPIED_BYTES) {
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
        c->state = H1_SENDING_LAST;
    }
    c->base.idle_ms = loop_now_ms(c->stream.loop);
    c->base.deadline_ms = c->base.idle_ms + c->base.host->idle_timeout_ms;
    if (!late) return; // h1_serve() goes on when the handler has returned
    if (c->in.len || c->stream.readable)
        http_scheduler_queue(&c->base.host->scheduler, &c->base.task);
    else
        h1_flush(c);
    if (c->base.host && unsent(c)) h1_account(c);
}

// Leaves the host; the stream has been closed or given away.
static void h1_detach(struct h1_conn *c, enum h1_state state) {
    struct http_host *host = c->base.host;
    http_scheduler_leave(&host->scheduler, &c->base.task);
    c->base.host = NULL;
    c->state = state;
    h1_settle(c);
    if (state == H1_CLOSED) reap_later(c);
    host->on_closed(host, &c->base);
}

static void h1_close(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    if (!base->host) return;
    bool open = c->state == H1_HANDLING || c->state == H1_WAITING;
    stream_close(&c->stream);
    h1_detach(c, open ? H1_ORPHANED : H1_CLOSED);
}

static bool h1_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    struct h1_conn *c = h1_of_exchange(x);
    assert(x->match.route->streams); // so all earlier responses have been sent
    if (c->state == H1_ORPHANED) {
        reap_later(c);
        return false;
    }
    c->base.host->counters.streams++;
    *sink = stream_take_sink(&c->stream, h1_parser_is_1_0(&c->parser) ? SINK_RAW : SINK_CHUNKED);
    h1_detach(c, H1_CLOSED);
    http_response_stream_head(head, sink->framing);
    return true;
}

// Earlier responses are still sent.
static void h1_abort(struct http_exchange *x) {
    struct h1_conn *c = h1_of_exchange(x);
    if (c->state == H1_ORPHANED) {
        reap_later(c);
        return;
    }
    c->base.host->counters.aborted++;
    start_request(c);
    drop_input(c);
    c->state = H1_SENDING_LAST;
    c->ended = true;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->idle_timeout_ms;
    h1_flush(c);
    if (c->base.host) h1_account(c);
}

static const struct http_exchange_ops exchange_ops = {
    .reply = h1_reply, .begin_stream = h1_begin_stream, .abort = h1_abort};

// What the server asks for

// A kept-alive connection without a request, and without any of an answer left to send, is the cheapest thing
// to lose.
static bool h1_is_idle(const struct http_conn *base) {
    const struct h1_conn *c = container_of(base, const struct h1_conn, base);
    if (c->state != H1_IDLE || h1_is_sending(c) || c->in.len) return false;
    return !stream_has_unread(&c->stream);
}

// Answers a request that is not complete, and closes.
static void give_up_request(struct h1_conn *c, int status, const char *code, const char *sentence) {
    http_refuse(&c->exchange.refusal, status, code, sentence);
    refuse_and_close(c);
    h1_flush(c);
    if (c->base.host && wants_input(c) && c->stream.readable)
        http_scheduler_queue(&c->base.host->scheduler, &c->base.task);
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
    bool is_parsing = c->state == H1_HANDLING;
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
    c->base.task.lane = http_scheduler_lane(peer);
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
