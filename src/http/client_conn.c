// A transfer goes through conn_try_next (one address after the other), http_client_conn_begin, conn_send,
// conn_read, the parser's callbacks and conn_finish; then the connection is idle until the next
// http_client_conn_begin().
#include "client_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "base/container_of.h"
#include "base/mem.h"

enum {
    READ_SIZE = 16384,
    READS_A_TURN = 16,
    // An immediate failure is reported in a later turn, so that a caller that retries cannot block this one.
    FAIL_SOON_MS = 1
};

static void conn_on_stream(struct stream *);
static void conn_on_timer(struct loop_timer *);
static void conn_on_reap(struct loop_job *);
static void conn_start_parser(struct http_client_conn *);

static bool conn_is_busy(const struct http_client_conn *c) {
    return c->state == CLIENT_CONN_WAITING || c->state == CLIENT_CONN_HEAD || c->state == CLIENT_CONN_BODY;
}

// Returns false if no address is left.
static bool conn_try_next(struct http_client_conn *c) {
    stream_close(&c->stream);
    while (c->next_address < c->addresses.count) {
        union address *a = &c->addresses.at[c->next_address++];
        address_set_port(a, c->port);
        int error = stream_connect(&c->stream, a);
        if (!error) {
            loop_timer_start(c->loop, &c->timer, HTTP_CLIENT_CONNECT_MS);
            return true;
        }
        c->connect_error = error;
    }
    return false;
}

struct http_client_conn *http_client_conn_new(struct loop *loop, const struct stream_ops *transport,
                                              const struct resolver_addresses *addresses, int port,
                                              struct http_transfer *transfer, http_client_conn_cb *on_outcome,
                                              void *owner) {
    struct http_client_conn *c = mem_zalloc(sizeof *c);
    stream_init(&c->stream, transport, loop, conn_on_stream);
    c->timer.on_due = conn_on_timer;
    c->reap.run = conn_on_reap;
    c->loop = loop;
    c->owner = owner;
    c->on_outcome = on_outcome;
    c->addresses = *addresses;
    c->port = port;
    c->transfer = transfer;
    transfer->conn = c;
    c->connect_error = -EHOSTUNREACH;
    if (!conn_try_next(c)) loop_timer_start(loop, &c->timer, FAIL_SOON_MS);
    return c;
}

static void conn_end(struct http_client_conn *c, enum http_client_outcome outcome, int error) {
    struct http_transfer *transfer = c->transfer;
    http_client_conn_close(c);
    c->on_outcome(c, transfer, outcome, error);
}

static void conn_connect_next(struct http_client_conn *c) {
    if (!conn_try_next(c)) conn_end(c, HTTP_TRANSFER_UNREACHABLE, c->connect_error);
}

static void conn_lose(struct http_client_conn *c, int error) {
    bool unseen = c->used && c->state == CLIENT_CONN_WAITING && error == -ECONNRESET;
    conn_end(c, unseen ? HTTP_TRANSFER_UNSEEN : HTTP_TRANSFER_LOST, error);
}

static void conn_on_timer(struct loop_timer *t) {
    struct http_client_conn *c = container_of(t, struct http_client_conn, timer);
    if (c->state == CLIENT_CONN_IDLE) {
        conn_lose(c, 0);
        return;
    }
    if (!stream_is_closed(&c->stream)) c->connect_error = -ETIMEDOUT;
    conn_connect_next(c);
}

// What is left is sent when the stream is writable again. A broken stream decides nothing yet: the peer may
// have responded (413, say) before it closed.
static void conn_send(struct http_client_conn *c) {
    const struct buf *out = &c->transfer->request;
    while (c->sent < out->len && c->stream.writable && !c->stream.broken) {
        ssize_t n = stream_write(&c->stream, out->data + c->sent, out->len - c->sent);
        if (n > 0) c->sent += (size_t)n;
        if (n < 0 && n != -EAGAIN) stream_ready_again(&c->stream); // reads what there is
    }
}

void http_client_conn_begin(struct http_client_conn *c, struct http_transfer *transfer) {
    c->transfer = transfer;
    transfer->conn = c;
    c->state = CLIENT_CONN_WAITING;
    c->sent = c->head_bytes = 0;
    c->refusal = 0;
    loop_timer_stop(c->loop, &c->timer);
    conn_start_parser(c);
    conn_send(c);
}

// llhttp's callbacks. Returning non-zero stops the parser.

static struct http_client_conn *conn_of_parser(llhttp_t *p) {
    return p->data;
}

// Names and values come in pieces, but no longer than HTTP_CLIENT_HEAD_MAX together.

static int conn_on_field(llhttp_t *p, const char *at, size_t len) {
    buf_add(&conn_of_parser(p)->transfer->field, at, len);
    return 0;
}

static int conn_on_value(llhttp_t *p, const char *at, size_t len) {
    struct http_transfer *t = conn_of_parser(p)->transfer;
    if (!strcasecmp(buf_string(&t->field), "etag")) buf_add(&t->etag, at, len);
    return 0;
}

static int conn_on_value_complete(llhttp_t *p) {
    buf_clear(&conn_of_parser(p)->transfer->field);
    return 0;
}

static int conn_on_headers_complete(llhttp_t *p) {
    struct http_client_conn *c = conn_of_parser(p);
    c->transfer->status = llhttp_get_status_code(p);
    c->state = CLIENT_CONN_BODY;
    return c->transfer->head_only; // 1: there is no body, whatever the header says
}

static int conn_on_body(llhttp_t *p, const char *at, size_t len) {
    struct http_client_conn *c = conn_of_parser(p);
    struct buf *body = &c->transfer->body;
    if (body->len + len > c->transfer->body_max) {
        c->refusal = -EMSGSIZE;
        return HPE_USER;
    }
    buf_add(body, at, len);
    return 0;
}

static int conn_on_message_complete(llhttp_t *p) {
    struct http_client_conn *c = conn_of_parser(p);
    if (c->transfer->status / 100 == 1) { // an interim response (RFC 9110, 15.2); the final one follows
        c->state = CLIENT_CONN_HEAD;
        return 0;
    }
    c->state = CLIENT_CONN_COMPLETE;
    c->keep_alive = llhttp_should_keep_alive(p);
    return HPE_PAUSED;
}

static void conn_start_parser(struct http_client_conn *c) {
    static const llhttp_settings_t settings = {
        .on_header_field = conn_on_field,
        .on_header_value = conn_on_value,
        .on_header_value_complete = conn_on_value_complete,
        .on_headers_complete = conn_on_headers_complete,
        .on_body = conn_on_body,
        .on_message_complete = conn_on_message_complete,
    };
    llhttp_init(&c->parser, HTTP_RESPONSE, &settings);
    c->parser.data = c;
}

// Whether the peer has sent nothing, not even a FIN.
static bool conn_is_quiet(struct http_client_conn *c) {
    char byte;
    if (c->stream.fin || c->stream.broken) return false;
    return !c->stream.readable || stream_read(&c->stream, &byte, 1) == -EAGAIN;
}

// `clean`: nothing was received after the response.
static void conn_finish(struct http_client_conn *c, bool clean) {
    struct http_transfer *transfer = c->transfer;
    c->transfer = NULL;
    transfer->conn = NULL;
    if (clean && c->keep_alive && c->sent == transfer->request.len && conn_is_quiet(c)) {
        c->state = CLIENT_CONN_IDLE;
        c->used = true;
        loop_timer_start(c->loop, &c->timer, HTTP_CLIENT_IDLE_MS);
    } else {
        http_client_conn_close(c);
    }
    c->on_outcome(c, transfer, HTTP_TRANSFER_DONE, 0);
}

static void conn_parse(struct http_client_conn *c, const char *bytes, size_t len) {
    if (c->state == CLIENT_CONN_WAITING) c->state = CLIENT_CONN_HEAD;
    if (c->state == CLIENT_CONN_HEAD)
        c->head_bytes += len; // and a little of the body: never less than the head
    llhttp_errno_t error = llhttp_execute(&c->parser, bytes, len);
    if (c->state == CLIENT_CONN_COMPLETE)
        conn_finish(c, error == HPE_PAUSED && llhttp_get_error_pos(&c->parser) == bytes + len);
    else if (error != HPE_OK)
        conn_lose(c, c->refusal ? c->refusal : -EPROTO);
    else if (c->state == CLIENT_CONN_HEAD && c->head_bytes > HTTP_CLIENT_HEAD_MAX)
        conn_lose(c, -EMSGSIZE);
}

static void conn_read(struct http_client_conn *c) {
    char bytes[READ_SIZE];
    ssize_t n = stream_read(&c->stream, bytes, sizeof bytes);
    if (n > 0) {
        conn_parse(c, bytes, (size_t)n);
    } else if (n == 0) { // which is the end of a response without a length
        if (c->state != CLIENT_CONN_WAITING) llhttp_finish(&c->parser);
        if (c->state == CLIENT_CONN_COMPLETE)
            conn_finish(c, false);
        else
            conn_lose(c, -ECONNRESET);
    } else if (n != -EAGAIN) {
        conn_lose(c, n == -EPIPE ? -ECONNRESET : (int)n);
    }
}

static void conn_on_stream(struct stream *s) {
    struct http_client_conn *c = container_of(s, struct http_client_conn, stream);
    if (c->state == CLIENT_CONN_CONNECTING && !s->error) {
        http_client_conn_begin(c, c->transfer);
    } else if (c->state == CLIENT_CONN_CONNECTING && s->error != -EINPROGRESS) {
        c->connect_error = s->error;
        conn_connect_next(c);
    }
    if (conn_is_busy(c)) conn_send(c);
    for (int i = 0; i < READS_A_TURN && conn_is_busy(c) && s->readable; i++) conn_read(c);
    if (conn_is_busy(c) && s->readable) stream_ready_again(s);
    if (c->state == CLIENT_CONN_IDLE && !conn_is_quiet(c))
        conn_lose(c, 0); // the peer has closed, or sends without a request
}

static void conn_on_reap(struct loop_job *job) {
    free(container_of(job, struct http_client_conn, reap));
}

void http_client_conn_close(struct http_client_conn *c) {
    if (c->state == CLIENT_CONN_CLOSED) return;
    c->state = CLIENT_CONN_CLOSED;
    stream_close(&c->stream);
    loop_timer_stop(c->loop, &c->timer);
    if (c->transfer) c->transfer->conn = NULL;
    c->transfer = NULL;
    loop_defer(c->loop, &c->reap);
}
