// From answers to bytes: the operations of an exchange, and sending.
#include "h1_output.h"

#include <assert.h>
#include <errno.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "h1_state.h"
#include "net/sink.h"

enum { COPIED_BYTES = 4096 }; // of a static body that is rather copied than sent by itself

// Whether other clients wait for its place.
static bool h1_makes_room(const struct h1_conn *c) {
    uint64_t from = c->base.host->closes_from;
    return from && c->base.number >= from;
}

// May close the connection. The caller accounts for the buffers.
void h1_flush(struct h1_conn *c) {
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
    if (h1_is_sending(c)) return;
    if (c->state == H1_REPLYING) {
        c->base.deadline_ms = 0; // the client has read all: it waits for its handler
        return;
    }
    if (c->ended || (c->state == H1_SENDING_LAST && h1_makes_room(c))) h1_close(&c->base);
    if (c->state != H1_SENDING_LAST || !c->base.host) return;
    c->state = H1_LINGER;
    c->base.deadline_ms = loop_now_ms(c->stream.loop) + H1_LINGER_MS;
    stream_shutdown(&c->stream);
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
    c->last |= h1_makes_room(c);
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

const struct http_exchange_ops h1_exchange_ops = {.reply = h1_reply,
                                                  .begin_body = h1_begin_body,
                                                  .add_body = h1_add_body,
                                                  .end_body = h1_end_body,
                                                  .begin_stream = h1_begin_stream,
                                                  .abort = h1_abort};
