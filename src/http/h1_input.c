// From bytes to requests: reads, parses, checks limits by the head, and passes complete requests on.
#include "h1_input.h"

#include <errno.h>

#include "base/buf.h"
#include "h1_output.h"
#include "h1_state.h"
#include "limit.h"
#include "net/networks.h"
#include "proxied.h"
#include "proxy_header.h"
#include "site.h"

enum {
    READ_SIZE = 16384,
    READ_LEAST = 512,   // however little of the quantum is left
    OUT_PAUSE = 262144, // unsent answer bytes at which no further pipelined request is started
    SMALL_BYTES = 1024  // of a body, while the request is handled
};

// Whether its requests name their clients: at a unix socket only proxies connect.
bool h1_is_proxy(const struct http_host *host, const union address *a) {
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
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + H1_LINGER_MS;
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
    if (http_exchange_is_handled(&c->exchange) && c->request.head.cap > H1_KEPT_BYTES &&
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
void h1_refuse_and_close(struct h1_conn *c) {
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
    int64_t left = c->base.task.quantum - c->cost - HTTP_READ_COST;
    size_t most = left < READ_LEAST ? READ_LEAST : left > READ_SIZE ? READ_SIZE : (size_t)left;
    ssize_t n = stream_read(&c->stream, bytes, most);
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

bool h1_wants_input(const struct h1_conn *c) {
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
int64_t h1_serve(struct http_conn *base) {
    struct h1_conn *c = h1_of(base);
    base->task.more = c->pauses = false;
    c->cost = 0;
    while (c->cost < base->task.quantum && !c->pauses && h1_can_step(c)) {
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
