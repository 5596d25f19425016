// http_client_request() writes the whole request into a call and queues it at its origin; origin_dispatch()
// gives it an idle connection, or makes one once the name is resolved; client_conn.c transfers it and reports
// to client_on_outcome(); call_end() calls the caller back.
//
// Callbacks run only in call_end(), and that runs only from events, timers and http_client_free(): what
// origin_dispatch() finds to fail is failed by the call's timer, since it may run inside
// http_client_request().
//
// An origin is freed when it has neither calls nor connections. There are at most as many as calls that may
// wait, and at most HTTP_CLIENT_ORIGINS.
#include "http/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/uthash.h"
#include "client_conn.h"
#include "http/url.h"

enum {
    HTTP_CLIENT_ORIGINS = 1024,
    HTTP_CLIENT_BODY_MAX = 1048576, // of a request, and of a response unless its request says more
    FAIL_SOON_MS = 1                // the next turn at the earliest
};

struct http_call {
    struct http_client *client;
    struct http_origin *origin; // NULL: it failed before it had one
    struct http_transfer transfer;
    struct loop_timer timer;
    struct loop_job reap;
    int error;           // its outcome when the timer is due
    bool waiting, fresh; // in origin->waiting; wants a connection never used before
    http_client_cb *done;
    void *arg;
    struct http_call *prev, *next;           // in client->calls
    struct http_call *wait_prev, *wait_next; // in origin->waiting
};

struct http_origin {
    struct http_client *client;
    char host[HTTP_URL_HOST_MAX + 1];
    int port;
    struct http_call *waiting; // oldest first
    unsigned waiting_count;
    unsigned calls; // that have not ended: waiting, being transferred, or about to fail
    struct http_client_conn *conns;
    unsigned conn_count;
    struct loop_job reap;
    UT_hash_handle hh;
    char key[]; // host:port
};

struct http_client {
    struct loop *loop;
    const struct stream_ops *transport;
    bool https;
    unsigned connections; // of an origin, at most
    struct resolver *resolver;
    struct http_origin *origins;
    struct http_call *calls; // all that have not ended
    bool closing;
    struct loop_job reap;
};

static void client_on_resolved(void *arg);
static http_client_conn_cb client_on_outcome;
static void call_on_timer(struct loop_timer *);
static void call_on_reap(struct loop_job *);
static void origin_on_reap(struct loop_job *);
static void client_on_reap(struct loop_job *);

struct http_client *http_client_new(struct loop *loop) {
    return http_client_new_over(loop, NULL);
}

struct http_client *http_client_new_over(struct loop *loop, const struct stream_ops *tls) {
    struct http_client *h = mem_zalloc(sizeof *h);
    h->loop = loop;
    h->https = tls;
    h->connections = HTTP_CLIENT_CONNECTIONS;
    h->transport = tls ? tls : &stream_tcp;
    h->resolver = resolver_new(loop, client_on_resolved, h);
    h->reap.run = client_on_reap;
    return h;
}

void http_client_set_connections(struct http_client *h, unsigned most) {
    h->connections = most;
}

static int client_check_request(const struct http_client_request *q) {
    size_t letters = strspn(q->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (!letters || q->method[letters]) return -EINVAL;
    for (const char *c = q->authorization; c && *c; c++) // nothing that could end the header line
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return -EINVAL;
    return q->body && q->body_len > HTTP_CLIENT_BODY_MAX ? -EMSGSIZE : 0;
}

static void client_write_request(const struct http_client *h, struct buf *out,
                                 const struct http_client_request *q, const struct http_url *u) {
    buf_printf(out, "%s %s", q->method, *u->path == '/' ? "" : "/");
    buf_add(out, u->path, u->path_len);
    buf_printf(out, u->ipv6 ? " HTTP/1.1\r\nHost: [%s]" : " HTTP/1.1\r\nHost: %s", u->host);
    if (u->port != (h->https ? HTTP_URL_HTTPS_PORT : HTTP_URL_PORT)) buf_printf(out, ":%d", u->port);
    buf_add_string(out, "\r\nUser-Agent: chorus\r\nAccept: application/json\r\n");
    if (q->authorization && *q->authorization) buf_printf(out, "Authorization: %s\r\n", q->authorization);
    if (q->body)
        buf_printf(out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", q->body_len);
    else if (strcmp(q->method, "GET") != 0 && strcmp(q->method, "HEAD") != 0)
        buf_add_string(out, "Content-Length: 0\r\n");
    buf_add_string(out, "\r\n");
    if (q->body) buf_add(out, q->body, q->body_len);
}

static struct http_origin *client_find_origin(struct http_client *h, const struct http_url *u) {
    char key[HTTP_URL_HOST_MAX + 16];
    int len = snprintf(key, sizeof key, "%s:%d", u->host, u->port);
    struct http_origin *o;
    HASH_FIND_STR(h->origins, key, o);
    if (o || HASH_COUNT(h->origins) == HTTP_CLIENT_ORIGINS) return o;
    o = mem_zalloc(sizeof *o + (size_t)len + 1);
    o->client = h;
    o->port = u->port;
    o->reap.run = origin_on_reap;
    memcpy(o->host, u->host, sizeof o->host);
    memcpy(o->key, key, (size_t)len + 1);
    HASH_ADD_KEYPTR(hh, h->origins, o->key, (size_t)len, o);
    return o;
}

static struct http_call *call_new(struct http_client *h, const struct http_client_request *q,
                                  http_client_cb *done, void *arg) {
    struct http_call *call = mem_zalloc(sizeof *call);
    call->client = h;
    call->done = done;
    call->arg = arg;
    call->transfer.body_max = q->response_max ? q->response_max : HTTP_CLIENT_BODY_MAX;
    call->transfer.head_only = !strcmp(q->method, "HEAD");
    call->timer.on_due = call_on_timer;
    call->reap.run = call_on_reap;
    DL_APPEND(h->calls, call);
    return call;
}

// Ends the call with `error` in a later turn.
static void call_fail_soon(struct http_call *call, int error) {
    call->error = error;
    loop_timer_start(call->client->loop, &call->timer, FAIL_SOON_MS);
}

static void call_queue(struct http_origin *o, struct http_call *call, bool first) {
    call->waiting = true;
    o->waiting_count++;
    if (first)
        DL_PREPEND2(o->waiting, call, wait_prev, wait_next);
    else
        DL_APPEND2(o->waiting, call, wait_prev, wait_next);
}

static void call_unqueue(struct http_call *call) {
    DL_DELETE2(call->origin->waiting, call, wait_prev, wait_next);
    call->origin->waiting_count--;
    call->waiting = false;
}

static int call_prepare(struct http_call *call, const struct http_client_request *q,
                        struct http_origin **origin) {
    struct http_url url;
    int error = client_check_request(q);
    if (!error)
        error = call->client->https ? http_url_parse_https(&url, q->url) : http_url_parse(&url, q->url);
    if (error) return error;
    *origin = client_find_origin(call->client, &url);
    if (!*origin || (*origin)->waiting_count == HTTP_CLIENT_QUEUE_MAX) return -EBUSY;
    client_write_request(call->client, &call->transfer.request, q, &url);
    return 0;
}

static void origin_dispatch(struct http_origin *);

void http_client_request(struct http_client *h, const struct http_client_request *q, http_client_cb *done,
                         void *arg) {
    struct http_call *call = call_new(h, q, done, arg);
    if (h->closing) return; // http_client_free() ends this one too
    struct http_origin *o;
    int error = call_prepare(call, q, &o);
    if (error) {
        call_fail_soon(call, error);
        return;
    }
    call->error = -ETIMEDOUT;
    loop_timer_start(h->loop, &call->timer, q->timeout_ms > 0 ? q->timeout_ms : FAIL_SOON_MS);
    call->origin = o;
    o->calls++;
    call_queue(o, call, false);
    origin_dispatch(o);
}

static void origin_remove_conn(struct http_origin *o, struct http_client_conn *c) {
    DL_DELETE(o->conns, c);
    o->conn_count--;
}

static void origin_close_conn(struct http_origin *o, struct http_client_conn *c) {
    origin_remove_conn(o, c);
    http_client_conn_close(c);
}

// Makes a connection for the first waiting call. Returns false if the call has to wait.
static bool origin_connect_first(struct http_origin *o, struct http_client_conn *idle) {
    struct http_call *call = o->waiting;
    bool is_full = o->conn_count >= o->client->connections;
    if (is_full && !idle) return false;
    struct resolver_addresses addresses;
    int error = resolver_get(o->client->resolver, o->host, &addresses);
    if (error == -EINPROGRESS) return false;
    call_unqueue(call);
    if (error) {
        call_fail_soon(call, error);
        return true;
    }
    if (is_full) origin_close_conn(o, idle);
    struct http_client_conn *c = http_client_conn_new(o->client->loop, o->client->transport, &addresses,
                                                      o->port, &call->transfer, client_on_outcome, o);
    DL_PREPEND(o->conns, c);
    o->conn_count++;
    return true;
}

static void origin_dispatch(struct http_origin *o) {
    for (bool may_start = true; o->waiting && may_start;) {
        struct http_call *call = o->waiting;
        struct http_client_conn *idle;
        DL_FOREACH(o->conns, idle)
            if (idle->state == CLIENT_CONN_IDLE) break;
        if (!idle || call->fresh) {
            may_start = origin_connect_first(o, idle);
        } else {
            call_unqueue(call);
            http_client_conn_begin(idle, &call->transfer);
        }
    }
}

static void client_on_resolved(void *arg) {
    struct http_client *h = arg;
    struct http_origin *o, *next;
    HASH_ITER(hh, h->origins, o, next) origin_dispatch(o);
}

// Starts waiting calls, or frees an unused origin. The last step for an origin in any event.
static void origin_settle(struct http_origin *o) {
    if (o->client->closing) return; // http_client_free() has freed it, or is about to
    origin_dispatch(o);
    if (o->calls || o->conns) return;
    HASH_DEL(o->client->origins, o);
    loop_defer(o->client->loop, &o->reap);
}

static void origin_on_reap(struct loop_job *job) {
    free(container_of(job, struct http_origin, reap));
}

static void call_on_reap(struct loop_job *job) {
    struct http_call *call = container_of(job, struct http_call, reap);
    buf_release(&call->transfer.request);
    buf_release(&call->transfer.body);
    buf_release(&call->transfer.field);
    buf_release(&call->transfer.etag);
    free(call);
}

static void call_end(struct http_call *call, int error) {
    struct http_client *h = call->client;
    loop_timer_stop(h->loop, &call->timer);
    if (call->waiting) call_unqueue(call);
    if (call->transfer.conn) origin_close_conn(call->origin, call->transfer.conn);
    DL_DELETE(h->calls, call);
    if (call->origin) call->origin->calls--;
    call->done(call->arg,
               &(struct http_client_response){.error = error,
                                              .status = error ? 0 : call->transfer.status,
                                              .body = error ? NULL : buf_string(&call->transfer.body),
                                              .body_len = error ? 0 : call->transfer.body.len,
                                              .etag = error ? "" : buf_string(&call->transfer.etag)});
    loop_defer(h->loop, &call->reap);
}

static void call_on_timer(struct loop_timer *t) {
    struct http_call *call = container_of(t, struct http_call, timer);
    struct http_origin *o = call->origin;
    call_end(call, call->error);
    if (o) origin_settle(o);
}

// A request that the peer most likely never received is sent again, once.
static void client_on_outcome(struct http_client_conn *c, struct http_transfer *transfer,
                              enum http_client_outcome outcome, int error) {
    struct http_origin *o = c->owner;
    struct http_call *call = transfer ? container_of(transfer, struct http_call, transfer) : NULL;
    if (c->state == CLIENT_CONN_CLOSED) origin_remove_conn(o, c);
    // The address may have changed, as that of a restarted container does.
    if (outcome == HTTP_TRANSFER_UNREACHABLE) resolver_forget(o->client->resolver, o->host);
    if (call && outcome == HTTP_TRANSFER_UNSEEN && !call->fresh) {
        call->fresh = true;
        call_queue(o, call, true);
    } else if (call) {
        call_end(call, error);
    }
    origin_settle(o);
}

static void client_on_reap(struct loop_job *job) {
    free(container_of(job, struct http_client, reap));
}

char *http_client_bearer(const char *token) {
    struct buf value = {0};
    if (!token || !*token) return NULL;
    buf_printf(&value, "Bearer %s%c", token, 0);
    return buf_steal(&value, NULL);
}

void http_client_free(struct http_client *h) {
    if (!h || h->closing) return;
    h->closing = true;
    while (h->calls) call_end(h->calls, -ECANCELED);
    struct http_origin *o, *next;
    HASH_ITER(hh, h->origins, o, next) {
        struct http_client_conn *c, *next_conn;
        DL_FOREACH_SAFE(o->conns, c, next_conn) origin_close_conn(o, c);
        HASH_DEL(h->origins, o);
        loop_defer(h->loop, &o->reap);
    }
    resolver_free(h->resolver);
    loop_defer(h->loop, &h->reap);
}
