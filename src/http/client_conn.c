// The way of a call on its connection: try_next (one address after the other), on_connected, carry,
// send_some, read_some, the parser's callbacks, finish; then idle until the next http_client_conn_carry().
#include "client_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "net/sock.h"

enum {
    READ_SIZE = 16384,
    // What fails at once is told in a later turn, so that a caller that repeats cannot hold up this one.
    FAIL_SOON_MS = 1
};

static void on_event(struct loop_fd *, uint32_t events);
static void on_timer(struct loop_timer *);
static void on_reap(struct loop_job *);
static void start_parser(struct http_client_conn *);

// Returns a negative errno if this address cannot even be tried.
static int connect_to(struct http_client_conn *c, union address *address) {
    address_set_port(address, c->port);
    int fd = sock_connect(address, NULL);
    if (fd < 0) return fd;
    int error = loop_fd_add(c->loop, &c->watch, fd, EPOLLOUT);
    if (error) sock_close(fd);
    return error;
}

static void drop_socket(struct http_client_conn *c) {
    int fd = c->watch.fd;
    if (fd < 0) return;
    loop_fd_remove(c->loop, &c->watch);
    sock_close(fd);
}

// Returns false if no address is left.
static bool try_next(struct http_client_conn *c) {
    drop_socket(c);
    while (c->next_address < c->addresses.count) {
        int error = connect_to(c, &c->addresses.at[c->next_address++]);
        if (!error) {
            loop_timer_start(c->loop, &c->timer, HTTP_CLIENT_CONNECT_MS);
            return true;
        }
        c->connect_error = error;
    }
    return false;
}

struct http_client_conn *http_client_conn_new(struct loop *loop, struct http_origin *origin,
                                              struct http_call *call,
                                              const struct resolver_addresses *addresses, int port) {
    struct http_client_conn *c = mem_zalloc(sizeof *c);
    c->watch = (struct loop_fd){.fd = -1, .on_event = on_event};
    c->timer.on_due = on_timer;
    c->reap.run = on_reap;
    c->loop = loop;
    c->origin = origin;
    c->addresses = *addresses;
    c->port = port;
    c->call = call;
    call->conn = c;
    c->connect_error = -EHOSTUNREACH;
    if (!try_next(c)) loop_timer_start(loop, &c->timer, FAIL_SOON_MS);
    return c;
}

static void connect_next(struct http_client_conn *c) {
    if (try_next(c)) return;
    struct http_call *call = c->call;
    http_client_conn_close(c);
    http_client_on_unreachable(c, call, c->connect_error);
}

static void lose(struct http_client_conn *c, int error) {
    struct http_call *call = c->call;
    bool unheard = c->used && !c->answering && error == -ECONNRESET;
    http_client_conn_close(c);
    http_client_on_lost(c, call, error, unheard);
}

static void on_timer(struct loop_timer *t) {
    struct http_client_conn *c = container_of(t, struct http_client_conn, timer);
    if (c->state == CLIENT_CONN_IDLE) {
        lose(c, 0);
        return;
    }
    if (c->watch.fd >= 0) c->connect_error = -ETIMEDOUT;
    connect_next(c);
}

// What the peer does not take now goes when it can be written again. A broken pipe is no verdict yet: the
// peer may have answered (413, say) before it closed.
static void send_some(struct http_client_conn *c) {
    const struct buf *out = &c->call->out;
    while (c->sent < out->len && !c->send_failed) {
        ssize_t n = sock_write(c->watch.fd, out->data + c->sent, out->len - c->sent);
        if (n >= 0)
            c->sent += (size_t)n;
        else if (n == -EAGAIN)
            break;
        else
            c->send_failed = true;
    }
    bool more = c->sent < out->len && !c->send_failed;
    loop_fd_change(c->loop, &c->watch, EPOLLIN | EPOLLRDHUP | (more ? EPOLLOUT : 0u));
}

void http_client_conn_carry(struct http_client_conn *c, struct http_call *call) {
    c->call = call;
    call->conn = c;
    c->state = CLIENT_CONN_BUSY;
    c->sent = c->head_bytes = 0;
    c->send_failed = c->answering = c->complete = c->in_body = false;
    c->refusal = 0;
    loop_timer_stop(c->loop, &c->timer);
    start_parser(c);
    send_some(c);
}

static void on_connected(struct http_client_conn *c) {
    int error = sock_error(c->watch.fd);
    if (error) {
        c->connect_error = error;
        connect_next(c);
        return;
    }
    http_client_conn_carry(c, c->call);
}

// llhttp's callbacks. Returning non-zero stops the parser.

static struct http_client_conn *conn_of_parser(llhttp_t *p) {
    return p->data;
}

static int on_headers_complete(llhttp_t *p) {
    struct http_client_conn *c = conn_of_parser(p);
    c->call->status = llhttp_get_status_code(p);
    c->in_body = true;
    return c->call->head_only; // 1: there is no body, whatever the header says
}

static int on_body(llhttp_t *p, const char *at, size_t len) {
    struct http_client_conn *c = conn_of_parser(p);
    struct buf *body = &c->call->body;
    if (body->len + len > c->call->body_max) {
        c->refusal = -EMSGSIZE;
        return HPE_USER;
    }
    buf_add(body, at, len);
    return 0;
}

static int on_message_complete(llhttp_t *p) {
    struct http_client_conn *c = conn_of_parser(p);
    if (c->call->status / 100 == 1) { // an interim answer (RFC 9110, 15.2); the real one follows
        c->in_body = false;
        return 0;
    }
    c->complete = true;
    c->keep_alive = llhttp_should_keep_alive(p);
    return HPE_PAUSED;
}

static void start_parser(struct http_client_conn *c) {
    static llhttp_settings_t settings; // control loop only
    if (!settings.on_headers_complete) {
        llhttp_settings_init(&settings);
        settings.on_headers_complete = on_headers_complete;
        settings.on_body = on_body;
        settings.on_message_complete = on_message_complete;
    }
    llhttp_init(&c->parser, HTTP_RESPONSE, &settings);
    c->parser.data = c;
}

static void stand_idle(struct http_client_conn *c) {
    c->state = CLIENT_CONN_IDLE;
    c->used = true;
    loop_fd_change(c->loop, &c->watch, EPOLLIN | EPOLLRDHUP);
    loop_timer_start(c->loop, &c->timer, HTTP_CLIENT_IDLE_MS);
}

// `clean`: nothing was received behind the answer.
static void finish(struct http_client_conn *c, bool clean) {
    struct http_call *call = c->call;
    bool reusable = clean && c->keep_alive && c->sent == call->out.len;
    c->call = NULL;
    call->conn = NULL;
    if (reusable)
        stand_idle(c);
    else
        http_client_conn_close(c);
    http_client_on_answer(c, call);
}

static void parse(struct http_client_conn *c, const char *bytes, size_t len) {
    c->answering = true;
    if (!c->in_body) c->head_bytes += len; // counts a little of the body too, never less than the head
    llhttp_errno_t error = llhttp_execute(&c->parser, bytes, len);
    if (c->complete)
        finish(c, error == HPE_PAUSED && llhttp_get_error_pos(&c->parser) == bytes + len);
    else if (error != HPE_OK)
        lose(c, c->refusal ? c->refusal : -EPROTO);
    else if (!c->in_body && c->head_bytes > HTTP_CLIENT_HEAD_MAX)
        lose(c, -EMSGSIZE);
}

// An answer without a length ends with the connection.
static void read_end(struct http_client_conn *c) {
    if (c->answering) llhttp_finish(&c->parser);
    if (c->complete)
        finish(c, false);
    else
        lose(c, -ECONNRESET);
}

static void read_some(struct http_client_conn *c) {
    char bytes[READ_SIZE];
    ssize_t n = sock_read(c->watch.fd, bytes, sizeof bytes);
    if (n > 0)
        parse(c, bytes, (size_t)n);
    else if (n == 0)
        read_end(c);
    else if (n != -EAGAIN)
        lose(c, n == -EPIPE ? -ECONNRESET : (int)n);
}

static void on_event(struct loop_fd *f, uint32_t events) {
    struct http_client_conn *c = container_of(f, struct http_client_conn, watch);
    switch (c->state) {
    case CLIENT_CONN_CONNECTING: on_connected(c); break;
    case CLIENT_CONN_BUSY:
        if (events & EPOLLOUT) send_some(c);
        if (events & ~(uint32_t)EPOLLOUT) read_some(c);
        break;
    case CLIENT_CONN_IDLE: lose(c, 0); break; // closed by the peer, or it talks without having been asked
    case CLIENT_CONN_CLOSED: break;
    }
}

static void on_reap(struct loop_job *job) {
    free(container_of(job, struct http_client_conn, reap));
}

void http_client_conn_close(struct http_client_conn *c) {
    if (c->state == CLIENT_CONN_CLOSED) return;
    c->state = CLIENT_CONN_CLOSED;
    drop_socket(c);
    loop_timer_stop(c->loop, &c->timer);
    if (c->call) c->call->conn = NULL;
    c->call = NULL;
    http_client_forget_conn(c);
    loop_defer(c->loop, &c->reap);
}
