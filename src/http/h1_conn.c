#include "h1_conn.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "h1_input.h"
#include "h1_output.h"
#include "h1_state.h"
#include "limit.h"
#include "site.h"

static void h1_on_ready(struct stream *s) {
    struct h1_conn *c = container_of(s, struct h1_conn, stream);
    if (s->error == -EINPROGRESS) return;
    if (s->error || s->broken) {
        h1_close(&c->base);
        return;
    }
    bool waits = c->state == H1_SENDING_LAST || c->state == H1_REPLYING;
    if (s->writable && (h1_unsent(c) || c->ended || waits)) h1_flush(c);
    if (c->base.host) http_scheduler_ready(&c->base.host->scheduler, &c->base.task);
}

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
