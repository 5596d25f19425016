// Bytes are read (h1_read) and parsed into a request (h1_parse); the complete request goes to the site
// (h1_dispatch); once it is answered (h1_reply), the next one is parsed.
//
// A connection outlives its socket if the client disconnects before its request is answered. What an answer
// makes possible, above all the next request, happens in a later step of h1_serve(), never inside h1_reply().
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
#include "limit.h"
#include "net/address_limits.h"
#include "net/loop.h"
#include "net/networks.h"
#include "net/sink.h"
#include "net/stream.h"
#include "proxied.h"
#include "proxy_header.h"
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
    H1_PROXY,    // the header of a proxy is awaited (proxy_header.h); its bytes are kept in request.head
    H1_IDLE,     // between requests, nothing read
    H1_HEAD,     // part of the request line or header fields read
    H1_BODY,     // head complete
    H1_HELD,     // request complete; waits until all earlier responses are sent, and for its client's lane
    H1_HANDLING, // the site's handler is running
    H1_WAITING,  // the handler has returned without an answer
    H1_REPLYING, // a part of the response has been given, and the rest will be
    H1_SENDING_LAST, // no further request is read; responses are unsent
    H1_LINGER,       // half-closed; what still arrives is discarded, so that the client can read the response
    H1_ORPHANED,     // the socket is closed, but the exchange has not ended
    H1_CLOSED        // freed at the end of the turn
};

struct h1_conn {
    struct http_conn base; // first
    struct http_exchange exchange;
    struct stream stream;
    enum h1_state state;
    bool ended;           // nothing more is read: the connection closes when everything is sent
    bool last;            // no further request is read after this one
    bool is_proxy;        // a trusted one: its requests are those of many clients
    bool pauses;          // stops in this turn: its client's lane has no quota left
    address_key peer_key; // of the connection's origin; 0: it is exempt
    address_key key;      // of the address that the request comes from
    struct h1_parser parser;
    struct http_request request;
    struct buf in;        // received
    size_t in_parsed;     // bytes of it
    union address source; // in a proxy's header
    size_t unskipped;     // bytes of that which are still to come
    struct buf out;       // to be sent
    const char *tail;     // to be sent after it: the rest of a static body
    size_t tail_len;
    int64_t cost; // of the work of this turn
    // Of a body in pieces:
    http_on_room *on_room;
    void *on_room_arg;
    bool handling, chunked, awaits_room, tells_room;
    struct loop_job room;
    struct loop_job reap;
};

static void h1_close(struct http_conn *);
static void h1_reset(struct http_conn *);
static void h1_refuse_and_close(struct h1_conn *);

static struct h1_conn *h1_of(struct http_conn *base) {
    return container_of(base, struct h1_conn, base);
}

static size_t h1_unsent(const struct h1_conn *c) {
    return c->out.len + c->tail_len;
}

// A stream that is not writable may hold bytes that it has taken.
static bool h1_is_sending(const struct h1_conn *c) {
    return h1_unsent(c) || (!c->stream.error && !c->stream.writable);
}

// A waiting connection does not keep the memory that one large request or response needed, nor any where
// memory is scarce.
static void h1_shrink(struct buf *b) {
    if (!b->len && (b->cap > KEPT_BYTES || http_memory_is_scarce())) buf_release(b);
}

// Accounts for the connection's buffers, and for whether it waits for its client: to read, to send the rest
// of a request, or because the client is ahead: it has sent more than the request being answered.
static void h1_settle(struct h1_conn *c) {
    size_t bytes = c->in.cap + c->out.cap + http_request_bytes(&c->request);
    bool is_ahead = (c->state == H1_WAITING || c->state == H1_IDLE) && c->in.len;
    bool is_gone = c->state == H1_ORPHANED || c->state == H1_CLOSED;
    bool waits = h1_unsent(c) || is_ahead || c->state == H1_HEAD || c->state == H1_BODY ||
                 c->state == H1_HELD || (c->state == H1_PROXY && c->request.head.len);
    http_memory_hold(&c->base.hold, bytes, c->key, waits && !is_gone, loop_now_ms(c->stream.loop));
}

// The same, for buffers that may have grown: then other waiting connections may have to be dropped.
static void h1_account(struct h1_conn *c) {
    size_t before = c->base.hold.bytes;
    h1_settle(c);
    if (c->base.hold.bytes <= before) return;
    int64_t now_ms = loop_now_ms(c->stream.loop);
    if (address_limits_is_over(c->key)) http_memory_make_room_of(c->key, &c->base.hold, now_ms);
    if (http_memory_is_used_up()) http_memory_make_room(&c->base.hold, now_ms);
}

static void h1_drop_input(struct h1_conn *c) {
    c->in.len = c->in_parsed = 0;
}

// Sending

static void h1_tell_room(struct h1_conn *c) {
    if (!c->awaits_room || c->tells_room) return;
    c->tells_room = true;
    loop_defer(c->stream.loop, &c->room);
}

static void h1_on_room(struct loop_job *job) {
    struct h1_conn *c = container_of(job, struct h1_conn, room);
    c->tells_room = false;
    if (!c->awaits_room) return;
    c->awaits_room = false;
    c->on_room(c->on_room_arg);
}

// May close the connection. The caller accounts for the buffers.
static void h1_flush(struct h1_conn *c) {
    while (h1_unsent(c)) {
        struct iovec pieces[] = {{c->out.data, c->out.len}, {(char *)c->tail, c->tail_len}};
        ssize_t n = stream_writev(&c->stream, pieces, c->tail_len ? 2 : 1);
        if (n < 0) {
            if (n != -EAGAIN) h1_close(&c->base);
            return;
        }
        c->base.hold.moved += (uint32_t)n;
        size_t of_out = (size_t)n < c->out.len ? (size_t)n : c->out.len;
        size_t of_tail = (size_t)n - of_out;
        buf_consume(&c->out, of_out);
        if (of_tail) c->tail += of_tail;
        c->tail_len -= of_tail;
    }
    c->tail = NULL;
    h1_shrink(&c->out);
    h1_tell_room(c);
    if (h1_is_sending(c) || c->state == H1_REPLYING) return;
    if (c->ended) h1_close(&c->base);
    if (c->state != H1_SENDING_LAST || !c->base.host) return;
    c->state = H1_LINGER;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + LINGER_MS;
    stream_shutdown(&c->stream);
}

// Requests

// Whether its requests name their clients: at a unix socket only proxies connect.
static bool h1_is_proxy(const struct http_host *host, const union address *a) {
    if (a->any.sa_family == AF_UNIX) return true;
    return host->trusted_proxies && networks_contain(host->trusted_proxies, a);
}

// The head says whose request a proxy forwards. From then on it is that client's turn that counts.
static void h1_take_client(struct h1_conn *c) {
    if (!c->is_proxy) return;
    http_request_set_client(&c->request, c->base.host->trusted_proxies);
    uint32_t lane = http_scheduler_lane(http_request_client_address(&c->request));
    c->base.task.eager = false;
    c->pauses = !http_scheduler_move(&c->base.host->scheduler, &c->base.task, lane);
}

// Who the request counts for: an exempt peer may be a proxy. Strangers whose addresses it does not tell count
// as one.
static void h1_find_key(struct h1_conn *c) {
    const struct networks *exempt = address_limits_exempt();
    if (c->peer_key || !exempt || c->base.host->is_exempt || !http_request_names_client(&c->request)) return;
    union address client;
    c->request.is_unnamed = !http_request_find_client(&c->request, exempt, &client);
    c->key = c->request.is_unnamed ? address_limits_key_behind(&client) : address_limits_key(&client);
    c->request.limits_key = c->key;
}

static void h1_start_request(struct h1_conn *c) {
    c->base.task.eager = c->is_proxy;
    c->key = c->peer_key;
    http_request_reset(&c->request);
    c->request.limits_key = c->key;
    h1_shrink(&c->request.head);
    h1_shrink(&c->request.body);
    h1_shrink(&c->in);
    c->exchange.match = (struct http_match){0};
    c->exchange.refusal = (struct http_refusal){0};
    c->exchange.keeps_body = false;
    h1_parser_start(&c->parser, &c->base.host->site, &c->exchange);
    c->state = H1_IDLE;
}

// Answers a stream beyond its address's limits: with the time after which to come back, as no error may
// answer it (site.h). It is cut, not ended, so that its client does come back.
static void h1_turn_away(struct h1_conn *c) {
    enum sink_framing framing = h1_parser_is_1_0(&c->parser) ? SINK_RAW : SINK_CHUNKED;
    http_response_stream_head(&c->out, framing);
    http_limit_add_retry(&c->out, framing);
    http_counters_response(&c->base.host->counters, 200);
    h1_start_request(c);
    h1_drop_input(c);
    c->last = true;
    c->state = H1_SENDING_LAST;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + LINGER_MS;
}

// The head is complete. Returns false if the request is over its address's limits and has been answered; one
// that is refused, and not closed, goes on to its end.
static bool h1_within_limits(struct h1_conn *c) {
    h1_find_key(c);
    bool is_new = !c->peer_key; // of a proxied client every stream is a connect
    int64_t now_ms = loop_now_ms(c->stream.loop);
    switch (http_limit_check(&c->exchange, c->key, c->base.is_crowding, is_new, now_ms)) {
    case HTTP_LIMIT_PASSED:
    case HTTP_LIMIT_REFUSED: return true;
    case HTTP_LIMIT_CLOSE: h1_refuse_and_close(c); return false;
    case HTTP_LIMIT_TURN_AWAY: break;
    }
    h1_turn_away(c);
    return false;
}

static void h1_dispatch(struct h1_conn *c) {
    c->cost += HTTP_REQUEST_COST;
    c->base.deadline_ms = 0;
    c->base.host->counters.requests++;
    // A request that waits for its handler's answer cannot be dropped later.
    if (http_exchange_is_handled(&c->exchange) && c->request.head.cap > KEPT_BYTES &&
        http_memory_is_used_up()) {
        if (c->exchange.match.route && c->exchange.match.route->streams) {
            h1_close(&c->base); // no error may answer it (site.h)
            return;
        }
        http_refuse(&c->exchange.refusal, 503, "overloaded",
                    "There is no memory for large requests; try again soon.");
    }
    c->state = H1_HANDLING;
    c->handling = true;
    http_site_handle(&c->exchange);
    c->handling = false;
    if (c->state != H1_HANDLING) return;
    c->state = H1_WAITING;
    http_request_release_read(&c->request, c->exchange.keeps_body ? SIZE_MAX : SMALL_BYTES);
}

// For a request after which parsing cannot go on: answers it by its refusal, and closes.
static void h1_refuse_and_close(struct h1_conn *c) {
    c->last = true;
    h1_drop_input(c);
    h1_dispatch(c);
}

// Parses up to the end of one request, and keeps the rest in c->in. `bytes` may be c->in's own.
static void h1_parse(struct h1_conn *c, const char *bytes, size_t len) {
    size_t used;
    bool own = c->in.len && bytes == c->in.data + c->in_parsed;
    int64_t now_ms = loop_now_ms(c->stream.loop);
    if (c->state == H1_IDLE) {
        c->state = H1_HEAD;
        c->base.deadline_ms = now_ms + c->base.host->header_timeout_ms;
    }
    enum h1_parsed parsed = h1_parser_feed(&c->parser, bytes, len, &used);
    if (c->state == H1_HEAD && c->parser.in_body) {
        h1_take_client(c);
        if (!h1_within_limits(c)) return;
    }
    if (c->state == H1_HEAD && c->parser.in_body) {
        c->state = H1_BODY;
        c->base.deadline_ms = now_ms + c->base.host->body_timeout_ms;
        if (c->parser.asks_continue) buf_add_string(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (parsed == H1_PARSED_PART) h1_drop_input(c);
    if (parsed == H1_PARSED_REFUSED) h1_refuse_and_close(c);
    if (parsed != H1_PARSED_REQUEST) return;
    if (own) {
        c->in_parsed += used;
        if (c->in_parsed == c->in.len) h1_drop_input(c);
    } else {
        h1_drop_input(c);
        buf_add(&c->in, bytes + used, len - used);
    }
    c->last = c->parser.last;
    const struct http_route *route = c->exchange.match.route;
    if (c->pauses || (route && route->streams && h1_is_sending(c))) {
        c->state = H1_HELD;
        c->base.deadline_ms = now_ms + c->base.host->idle_timeout_ms;
    } else {
        h1_dispatch(c);
    }
}

// The origin is known: from here on the connection is its.
static void h1_take_origin(struct h1_conn *c) {
    struct http_host *host = c->base.host;
    c->request.origin = c->source;
    const union address *origin = http_request_origin(&c->request);
    c->peer_key = address_limits_key(origin);
    c->is_proxy = h1_is_proxy(host, origin);
    h1_start_request(c);
    c->pauses =
        !c->is_proxy && !http_scheduler_move(&host->scheduler, &c->base.task, http_scheduler_lane(origin));
    host->on_origin(host, &c->base, origin);
}

// Whether the header is complete up to its addresses. What comes behind them is skipped as it arrives.
static bool h1_parse_proxy_header(struct h1_conn *c, const char *bytes, size_t len) {
    struct buf *kept = &c->request.head;
    struct proxy_header header;
    size_t before = kept->len, room = PROXY_HEADER_KEPT_MAX - before;
    buf_add(kept, bytes, len < room ? len : room);
    switch (proxy_header_parse(&header, kept->data, kept->len)) {
    case PROXY_HEADER_MORE: return false;
    case PROXY_HEADER_DONE: break;
    case PROXY_HEADER_BAD:
        http_proxied_refuse(&c->base.host->counters, HTTP_PROXIED_MALFORMED, &c->request.peer,
                            loop_now_ms(c->stream.loop));
        c->state = H1_IDLE;
        h1_close(&c->base);
        return false;
    }
    c->source = header.source;
    c->unskipped = header.len - before;
    return true;
}

// A header may come in pieces, and with the first request behind it.
static void h1_take_proxy_header(struct h1_conn *c, const char *bytes, size_t len) {
    if (!c->unskipped && !h1_parse_proxy_header(c, bytes, len)) return;
    size_t skipped = len < c->unskipped ? len : c->unskipped;
    c->unskipped -= skipped;
    if (c->unskipped) return;
    h1_take_origin(c);
    if (c->base.host) buf_add(&c->in, bytes + skipped, len - skipped);
}

static void h1_read(struct h1_conn *c) {
    static char bytes[READ_SIZE]; // control loop only
    ssize_t n = stream_read(&c->stream, bytes, sizeof bytes);
    c->cost += HTTP_READ_COST + (n > 0 ? n : 0);
    if (n == 0) { // the client may have closed its side only, and still read
        c->ended = true;
        if (!h1_is_sending(c)) h1_close(&c->base);
        return;
    }
    if (n < 0) {
        if (n != -EAGAIN) h1_close(&c->base);
        return;
    }
    c->base.hold.moved += (uint32_t)n;
    if (c->state == H1_PROXY)
        h1_take_proxy_header(c, bytes, (size_t)n);
    else if (c->state != H1_LINGER)
        h1_parse(c, bytes, (size_t)n);
}

static bool h1_wants_input(const struct h1_conn *c) {
    if (c->state == H1_LINGER) return true;
    bool reads = c->state == H1_IDLE || c->state == H1_HEAD || c->state == H1_BODY || c->state == H1_PROXY;
    return reads && c->out.len < OUT_PAUSE && !c->tail_len;
}

// Whether there is something to do without another event.
static bool h1_can_step(const struct h1_conn *c) {
    if (c->state == H1_HELD) return !h1_is_sending(c);
    return h1_wants_input(c) && (c->in.len || c->stream.readable);
}

// Does one step after the other, within the cost of a turn. The responses to pipelined requests leave in one
// send.
static int64_t h1_serve(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    base->task.more = c->pauses = false;
    c->cost = 0;
    while (c->cost < HTTP_TASK_COST && !c->pauses && h1_can_step(c)) {
        if (c->state == H1_HELD)
            h1_dispatch(c);
        else if (c->in.len)
            h1_parse(c, c->in.data + c->in_parsed, c->in.len - c->in_parsed);
        else
            h1_read(c);
    }
    if (!base->host) return c->cost;
    c->cost += (int64_t)h1_unsent(c);
    if (h1_unsent(c)) h1_flush(c);
    if (!base->host) return c->cost;
    base->task.more = h1_can_step(c);
    h1_account(c);
    return c->cost;
}

static void h1_on_ready(struct stream *s) {
    struct h1_conn *c = container_of(s, struct h1_conn, stream);
    if (s->error == -EINPROGRESS) return;
    if (s->error || s->broken) {
        h1_close(&c->base);
        return;
    }
    if (s->writable && (h1_unsent(c) || c->ended || c->state == H1_SENDING_LAST)) h1_flush(c);
    if (c->base.host) http_scheduler_ready(&c->base.host->scheduler, &c->base.task);
}

// The end of an exchange

static struct h1_conn *h1_of_exchange(struct http_exchange *x) {
    return container_of(x, struct h1_conn, exchange);
}

static void h1_reap_later(struct h1_conn *c) {
    c->state = H1_CLOSED;
    loop_defer(c->stream.loop, &c->reap);
}

static enum http_connection h1_persistence(const struct h1_conn *c) {
    if (c->last) return HTTP_CONNECTION_CLOSE;
    return h1_parser_is_1_0(&c->parser) ? HTTP_CONNECTION_KEEP_ALIVE : HTTP_CONNECTION_OMITTED;
}

static void h1_add_response(struct h1_conn *c, const struct http_reply *reply) {
    struct http_host *host = c->base.host;
    http_response_head(&c->out, reply, http_common_lines(&host->common, clock_wall_ms()), h1_persistence(c));
    http_counters_response(&host->counters, reply->status);
    if (http_request_is_head(&c->request) || !http_status_has_body(reply->status)) return;
    bool adds_newline = http_reply_lacks_newline(reply);
    if (reply->is_static && reply->body_len > COPIED_BYTES && !adds_newline) {
        c->tail = reply->body;
        c->tail_len = reply->body_len;
    } else {
        buf_add(&c->out, reply->body, reply->body_len);
        if (adds_newline) buf_add(&c->out, "\n", 1);
    }
}

// The response is complete.
static void h1_end_response(struct h1_conn *c) {
    h1_start_request(c);
    if (c->last) {
        h1_drop_input(c);
        c->state = H1_SENDING_LAST;
    }
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->idle_timeout_ms;
    if (c->handling) return; // h1_serve() goes on when the handler has returned
    if (c->in.len || c->stream.readable)
        http_scheduler_queue(&c->base.host->scheduler, &c->base.task);
    else
        h1_flush(c);
    if (c->base.host) h1_account(c);
}

static void h1_note_response(struct h1_conn *c) {
    if (!h1_unsent(c) && !c->last) // or it has yet to read
        http_hold_progress(&c->base.hold, loop_now_ms(c->stream.loop));
}

static void h1_reply(struct http_exchange *x, const struct http_reply *reply) {
    struct h1_conn *c = h1_of_exchange(x);
    if (c->state == H1_ORPHANED) {
        h1_reap_later(c);
        return;
    }
    h1_note_response(c);
    h1_add_response(c, reply);
    h1_end_response(c);
}

// A body in pieces. HTTP/1.0 has no chunks: there the connection's end is the body's.
static void h1_begin_body(struct http_exchange *x, const struct http_reply *reply, http_on_room *on_room,
                          void *arg) {
    struct h1_conn *c = h1_of_exchange(x);
    c->on_room = on_room;
    c->on_room_arg = arg;
    if (c->state == H1_ORPHANED) return;
    struct http_host *host = c->base.host;
    c->chunked = !h1_parser_is_1_0(&c->parser);
    c->last |= !c->chunked;
    h1_note_response(c);
    http_response_pieces_head(&c->out, reply, http_common_lines(&host->common, clock_wall_ms()),
                              h1_persistence(c), c->chunked ? SINK_CHUNKED : SINK_RAW);
    http_counters_response(&host->counters, reply->status);
    c->state = H1_REPLYING;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + host->idle_timeout_ms;
}

static enum http_room h1_add_body(struct http_exchange *x, const void *bytes, size_t len) {
    struct h1_conn *c = h1_of_exchange(x);
    if (c->state == H1_ORPHANED) return HTTP_GONE;
    if (!len || http_request_is_head(&c->request)) return HTTP_ROOM;
    if (c->chunked) buf_printf(&c->out, "%zx\r\n", len);
    buf_add(&c->out, bytes, len);
    if (c->chunked) buf_add(&c->out, "\r\n", 2);
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->idle_timeout_ms;
    h1_flush(c);
    if (c->base.host) h1_account(c);
    if (!c->base.host) return HTTP_GONE;
    c->awaits_room = h1_unsent(c) >= HTTP_PIECES_UNSENT;
    return c->awaits_room ? HTTP_NO_ROOM : HTTP_ROOM;
}

static void h1_end_body(struct http_exchange *x, bool complete) {
    struct h1_conn *c = h1_of_exchange(x);
    c->awaits_room = false;
    if (c->state != H1_ORPHANED && !complete) h1_reset(&c->base);
    if (c->state == H1_ORPHANED) {
        h1_reap_later(c);
        return;
    }
    if (c->chunked && !http_request_is_head(&c->request)) buf_add_string(&c->out, "0\r\n\r\n");
    h1_end_response(c);
}

// Leaves the host. The stream is closed or has become a sink.
static void h1_detach(struct h1_conn *c, enum h1_state state) {
    struct http_host *host = c->base.host;
    http_scheduler_leave(&host->scheduler, &c->base.task);
    c->base.host = NULL;
    c->state = state;
    h1_settle(c);
    if (state == H1_CLOSED) h1_reap_later(c);
    host->on_closed(host, &c->base);
}

static void h1_close_as(struct http_conn *base, void (*end)(struct stream *)) {
    struct h1_conn *c = h1_of(base);
    if (!base->host) return;
    bool open = c->state == H1_HANDLING || c->state == H1_WAITING || c->state == H1_REPLYING;
    h1_tell_room(c);
    if (c->state == H1_PROXY)
        http_proxied_refuse(&base->host->counters, HTTP_PROXIED_INCOMPLETE, &c->request.peer, 0);
    end(&c->stream);
    h1_detach(c, open ? H1_ORPHANED : H1_CLOSED);
}

static void h1_close(struct http_conn *base) {
    h1_close_as(base, stream_close);
}

static void h1_reset(struct http_conn *base) {
    h1_close_as(base, stream_reset);
}

static bool h1_begin_stream(struct http_exchange *x, struct sink *sink, struct buf *head) {
    struct h1_conn *c = h1_of_exchange(x);
    assert(x->match.route->streams); // so all earlier responses have been sent
    if (c->state == H1_ORPHANED) {
        h1_reap_later(c);
        return false;
    }
    c->base.host->counters.streams++;
    *sink = stream_take_sink(&c->stream, h1_parser_is_1_0(&c->parser) ? SINK_RAW : SINK_CHUNKED);
    sink->address = c->key;
    address_limits_open(c->key);
    h1_detach(c, H1_CLOSED);
    http_response_stream_head(head, sink->framing);
    return true;
}

// Earlier responses are still sent.
static void h1_abort(struct http_exchange *x) {
    struct h1_conn *c = h1_of_exchange(x);
    if (c->state == H1_ORPHANED) {
        h1_reap_later(c);
        return;
    }
    c->base.host->counters.aborted++;
    h1_start_request(c);
    h1_drop_input(c);
    c->state = H1_SENDING_LAST;
    c->ended = true;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + c->base.host->idle_timeout_ms;
    h1_flush(c);
    if (c->base.host) h1_account(c);
}

static const struct http_exchange_ops h1_exchange_ops = {.reply = h1_reply,
                                                         .begin_body = h1_begin_body,
                                                         .add_body = h1_add_body,
                                                         .end_body = h1_end_body,
                                                         .begin_stream = h1_begin_stream,
                                                         .abort = h1_abort};

// The operations of the server

static bool h1_is_idle(const struct http_conn *base) {
    const struct h1_conn *c = container_of(base, const struct h1_conn, base);
    if (c->state == H1_LINGER) return true;
    if ((c->state != H1_IDLE && c->state != H1_PROXY) || h1_is_sending(c) || c->in.len) return false;
    return !stream_has_unread(&c->stream);
}

// Refuses an incomplete request, and closes.
static void h1_refuse_incomplete(struct h1_conn *c, int status, const char *code, const char *sentence) {
    http_refuse(&c->exchange.refusal, status, code, sentence);
    if (status == 429) c->exchange.refusal.retry_after_s = 1;
    h1_refuse_and_close(c);
    h1_flush(c);
    if (c->base.host) h1_settle(c);
    if (c->base.host && h1_wants_input(c) && c->stream.readable)
        http_scheduler_queue(&c->base.host->scheduler, &c->base.task);
}

// Whether the request, which is incomplete, is or may be one for a stream, which no error may answer.
static bool h1_may_stream(const struct h1_conn *c) {
    const struct http_route *route = c->exchange.match.route;
    if (c->state == H1_BODY) return route && route->streams;
    return (c->state == H1_IDLE || c->state == H1_HEAD) &&
           http_site_may_stream(&c->base.host->site, &c->request);
}

static void h1_expire(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    if ((c->state != H1_HEAD && c->state != H1_BODY) || h1_may_stream(c)) {
        h1_close(base);
        return;
    }
    h1_refuse_incomplete(c, 408, "timeout", "The request did not arrive in time.");
}

static void h1_drop(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    bool reads = c->state == H1_IDLE || c->state == H1_HEAD || c->state == H1_BODY;
    bool is_parsing = c->handling, is_over = address_limits_is_over(c->key);
    base->host->counters.connections_dropped++;
    if (is_over) http_limit_count(HTTP_LIMITED_BYTES);
    if (reads && !h1_unsent(c) && !h1_may_stream(c)) {
        buf_release(&c->request.body);
        buf_release(&c->in);
        c->in_parsed = 0;
        if (is_over)
            h1_refuse_incomplete(c, 429, "too_many_bytes",
                                 "Your address has too many unfinished requests and unread responses.");
        else
            h1_refuse_incomplete(c, 503, "overloaded",
                                 "The request took too long while memory was scarce; try again.");
        return;
    }
    h1_close(base);
    if (!is_parsing) buf_release(&c->in);
}

static void h1_on_evict(struct http_hold *h) {
    struct h1_conn *c = container_of(h, struct h1_conn, base.hold);
    h1_drop(&c->base);
    if (!c->base.host) http_memory_hold(h, 0, 0, false, 0); // freed at the end of the turn, or when answered
}

static const struct http_conn_ops h1_conn_ops = {.serve = h1_serve,
                                                 .is_idle = h1_is_idle,
                                                 .expire = h1_expire,
                                                 .drop = h1_drop,
                                                 .close = h1_close,
                                                 .reset = h1_reset};

static void h1_on_reap(struct loop_job *job) {
    struct h1_conn *c = container_of(job, struct h1_conn, reap);
    http_memory_hold(&c->base.hold, 0, 0, false, 0);
    http_request_release(&c->request);
    buf_release(&c->in);
    buf_release(&c->out);
    free(c);
}

struct http_conn *h1_conn_new(struct http_host *host, int fd, const union address *peer, bool is_proxied) {
    struct h1_conn *c = mem_zalloc(sizeof *c);
    c->base.ops = &h1_conn_ops;
    c->base.host = host;
    c->base.task.lane = http_scheduler_lane(peer);
    c->base.hold.evict = h1_on_evict;
    c->exchange.ops = &h1_exchange_ops;
    c->exchange.request = &c->request;
    c->request.peer = *peer;
    c->request.is_proxied = is_proxied;
    c->peer_key = c->key = host->is_exempt ? 0 : address_limits_key(peer);
    c->is_proxy = is_proxied || h1_is_proxy(host, peer);
    c->reap.run = h1_on_reap;
    c->room.run = h1_on_room;
    stream_init(&c->stream, host->transport, host->loop, h1_on_ready);
    if (stream_accept(&c->stream, fd) < 0) {
        free(c);
        return NULL;
    }
    h1_start_request(c);
    if (is_proxied) c->state = H1_PROXY;
    c->base.hold.since_ms = loop_now_ms(host->loop);
    c->base.deadline_ms = c->base.hold.since_ms + host->header_timeout_ms;
    return &c->base;
}
