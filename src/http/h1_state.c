#include "h1_state.h"

#include "proxied.h"

void h1_tell_room(struct h1_conn *c) {
    if (!c->awaits_room || c->tells_room) return;
    c->tells_room = true;
    loop_defer(c->stream.loop, &c->room);
}

void h1_on_room(struct loop_job *job) {
    struct h1_conn *c = container_of(job, struct h1_conn, room);
    c->tells_room = false;
    if (!c->awaits_room) return;
    c->awaits_room = false;
    c->on_room(c->on_room_arg);
}

// A waiting connection does not keep the memory that one large request or response needed, nor any where
// memory is scarce.
void h1_shrink(struct buf *b) {
    if (!b->len && (b->cap > H1_KEPT_BYTES || http_memory_is_scarce())) buf_release(b);
}

// Accounts for the connection's buffers, and for whether it waits for its client: to read, to send the rest
// of a request, or because the client is ahead: it has sent more than the request being answered.
void h1_settle(struct h1_conn *c) {
    size_t bytes = c->in.cap + c->out.cap + http_request_bytes(&c->request);
    bool is_ahead = (c->state == H1_WAITING || c->state == H1_IDLE) && c->in.len;
    bool is_gone = c->state == H1_ORPHANED || c->state == H1_CLOSED;
    bool waits = h1_unsent(c) || is_ahead || c->state == H1_HEAD || c->state == H1_BODY ||
                 c->state == H1_HELD || (c->state == H1_PROXY && c->request.head.len);
    http_memory_hold(&c->base.hold, bytes, c->key, waits && !is_gone, loop_now_ms(c->stream.loop));
}

// The same, for buffers that may have grown: then other waiting connections may have to be dropped.
void h1_account(struct h1_conn *c) {
    size_t before = c->base.hold.bytes;
    h1_settle(c);
    if (c->base.hold.bytes <= before) return;
    int64_t now_ms = loop_now_ms(c->stream.loop);
    if (address_limits_is_over(c->key)) http_memory_make_room_of(c->key, &c->base.hold, now_ms);
    if (http_memory_is_used_up()) http_memory_make_room(&c->base.hold, now_ms);
}

void h1_start_request(struct h1_conn *c) {
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

void h1_reap_later(struct h1_conn *c) {
    c->state = H1_CLOSED;
    loop_defer(c->stream.loop, &c->reap);
}

// Leaves the host. The stream is closed or has become a sink.
void h1_detach(struct h1_conn *c, enum h1_state state) {
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

void h1_close(struct http_conn *base) {
    h1_close_as(base, stream_close);
}

void h1_reset(struct http_conn *base) {
    h1_close_as(base, stream_reset);
}
