#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <netdb.h>
#include <pthread.h>

#include "fake_server.h"
#include "http/client.h"
#include "http/url.h"

enum { LONG_MS = 60000 }; // more than any test takes

// The resolver's getaddrinfo() is this one: names ending in .test, as the tests need them.

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held;         // look-ups wait
    unsigned asked;    // look-ups begun
    unsigned answered; // and ended
    const char *addresses[4];
} names = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static struct addrinfo *make_address(const char *text, struct addrinfo *next) {
    struct addrinfo *a = mem_zalloc(sizeof *a + sizeof(struct sockaddr_in6));
    struct sockaddr_in *v4 = (struct sockaddr_in *)(a + 1);
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(a + 1);
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        a->ai_addrlen = sizeof *v4;
    } else {
        inet_pton(AF_INET6, text, &v6->sin6_addr);
        v6->sin6_family = AF_INET6;
        a->ai_addrlen = sizeof *v6;
    }
    a->ai_addr = (struct sockaddr *)(a + 1);
    a->ai_next = next;
    return a;
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    (void)service;
    (void)hints;
    pthread_mutex_lock(&names.lock);
    names.asked++;
    pthread_cond_broadcast(&names.changed);
    while (names.held) pthread_cond_wait(&names.changed, &names.lock);
    *found = NULL;
    for (int i = 3; i >= 0; i--)
        if (names.addresses[i]) *found = make_address(names.addresses[i], *found);
    names.answered++;
    pthread_cond_broadcast(&names.changed);
    pthread_mutex_unlock(&names.lock);
    return strstr(name, "missing") || !*found ? EAI_NONAME : 0;
}

void freeaddrinfo(struct addrinfo *a) {
    while (a) {
        struct addrinfo *next = a->ai_next;
        free(a);
        a = next;
    }
}

static void set_names(bool held, const char *first, const char *second) {
    pthread_mutex_lock(&names.lock);
    names.held = held;
    names.addresses[0] = first;
    names.addresses[1] = second;
    pthread_cond_broadcast(&names.changed);
    pthread_mutex_unlock(&names.lock);
}

static unsigned names_asked(void) {
    pthread_mutex_lock(&names.lock);
    unsigned asked = names.asked;
    pthread_mutex_unlock(&names.lock);
    return asked;
}

// The kernel takes a megabyte in one call on loopback; this send() does not, if a test wants that: the socket
// has little room, or never more than for the first piece.

static struct {
    enum { SEND_ALL, SEND_PIECES, SEND_STUCK } mode;
    unsigned calls;
} sending;

ssize_t send(int fd, const void *bytes, size_t len, int flags) {
    enum { PIECE = 100000, ROOM = 4096 };
    int room = ROOM;
    if (sending.mode == SEND_PIECES) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    bool stuck = sending.mode == SEND_STUCK && len > PIECE / 2;
    if (sending.mode == SEND_PIECES || stuck) sending.calls++;
    if (stuck && sending.calls > 1) {
        errno = EAGAIN;
        return -1;
    }
    return sendto(fd, bytes, stuck && len > PIECE ? PIECE : len, flags, NULL, 0);
}

// The world of a test: a loop, a client, a server, and the calls that have not ended.

struct world {
    struct loop *loop;
    struct http_client *client;
    struct fake_server server;
    unsigned open;
    bool inside; // http_client_request() is running
    struct loop_timer guard;
    const char *reply; // what the server answers
    size_t reply_len;
    size_t part, first;
    bool close_after;
};

struct call {
    struct world *world;
    bool ended;
    int error, status;
    char body[256], etag[64];
    size_t body_len;
};

static void on_guard(struct loop_timer *t) {
    (void)t;
    print_error("the test hangs\n"); // in the middle of everything: there is nothing to go on with
    exit(1);
}

static void on_request(struct fake_conn *c, const char *request) {
    (void)request;
    struct world *w = c->server->arg;
    c->part = w->part;
    c->first = w->first;
    c->close_after = w->close_after;
    if (w->reply) fake_send(c, w->reply, w->reply_len);
}

static void make_world(struct world *w) {
    w->loop = loop_new();
    w->client = http_client_new(w->loop);
    fake_server_start(&w->server, w->loop, false, on_request, w);
    w->guard = (struct loop_timer){.on_due = on_guard};
    loop_timer_start(w->loop, &w->guard, LONG_MS);
}

static void release_world(struct world *w) {
    http_client_free(w->client);
    fake_server_stop(&w->server);
    loop_timer_stop(w->loop, &w->guard);
    loop_free(w->loop);
}

static int set_up(void **state) {
    struct world *w = mem_zalloc(sizeof *w);
    make_world(w);
    set_names(false, NULL, NULL);
    memset(&sending, 0, sizeof sending);
    *state = w;
    return 0;
}

static int tear_down(void **state) {
    struct world *w = *state;
    release_world(w);
    free(w);
    return 0;
}

static void set_reply(struct world *w, const char *text) {
    w->reply = text;
    w->reply_len = strlen(text);
}

static void on_answer(void *arg, const struct http_client_response *a) {
    struct call *c = arg;
    assert_false(c->ended);
    assert_false(c->world->inside);
    c->ended = true;
    c->error = a->error;
    c->status = a->status;
    c->body_len = a->body_len;
    snprintf(c->etag, sizeof c->etag, "%s", a->etag);
    if (a->error)
        assert_null(a->body);
    else
        snprintf(c->body, sizeof c->body, "%.*s", (int)a->body_len, a->body);
    if (--c->world->open == 0) loop_stop(c->world->loop);
}

static void start_at(struct world *w, struct call *c, const char *url, const char *body, int timeout_ms) {
    *c = (struct call){.world = w};
    w->open++;
    w->inside = true;
    http_client_request(w->client,
                        &(struct http_client_request){.method = body ? "POST" : "GET",
                                                      .url = url,
                                                      .body = body,
                                                      .body_len = body ? strlen(body) : 0,
                                                      .timeout_ms = timeout_ms},
                        on_answer, c);
    w->inside = false;
}

static void start(struct world *w, struct call *c, const char *body) {
    char url[128];
    snprintf(url, sizeof url, "%s/path?x=1", w->server.url);
    start_at(w, c, url, body, LONG_MS);
}

static void run(struct world *w) {
    assert_int_equal(loop_run(w->loop), 0);
}

static struct call get(struct world *w) {
    struct call c;
    start(w, &c, NULL);
    run(w);
    return c;
}

static struct call get_at(struct world *w, const char *url) {
    struct call c;
    start_at(w, &c, url, NULL, LONG_MS);
    run(w);
    return c;
}

// Runs the loop until `done` returns true.
struct until {
    struct loop_timer timer;
    struct world *world;
    bool (*done)(struct world *);
};

static void on_until(struct loop_timer *t) {
    struct until *u = (struct until *)t;
    if (u->done(u->world))
        loop_stop(u->world->loop);
    else
        loop_timer_start(u->world->loop, t, 1);
}

static void run_until(struct world *w, bool (*done)(struct world *)) {
    struct until u = {.timer.on_due = on_until, .world = w, .done = done};
    loop_timer_start(w->loop, &u.timer, 0);
    run(w);
}

static const char hello[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\nhello";
static const char chunked[] = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "4\r\nhell\r\n1;x=y\r\no\r\n0\r\nTrailer: t\r\n\r\n";

static void test_get(void **state) {
    struct world *w = *state;
    set_reply(w, hello);
    struct call c = get(w);
    assert_int_equal(c.error, 0);
    assert_int_equal(c.status, 200);
    assert_string_equal(c.body, "hello");
    char head[128];
    snprintf(head, sizeof head, "GET /path?x=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", w->server.port);
    const char *request = buf_string(&w->server.last);
    assert_int_equal(strncmp(request, head, strlen(head)), 0);
    assert_null(strstr(request, "Content-"));
    assert_null(strstr(request, "Authorization"));
}

static void test_post(void **state) {
    struct world *w = *state;
    struct call c = {.world = w};
    char url[128];
    snprintf(url, sizeof url, "%s", w->server.url);
    set_reply(w, hello);
    w->open = 1;
    http_client_request(w->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = url,
                                                      .body = "{\"a\":1}",
                                                      .body_len = 7,
                                                      .authorization = "Bearer secret",
                                                      .timeout_ms = LONG_MS},
                        on_answer, &c);
    memset(url, 'x', sizeof url - 1); // it was copied
    run(w);
    assert_int_equal(c.status, 200);
    const char *request = buf_string(&w->server.last);
    assert_int_equal(strncmp(request, "POST / HTTP/1.1\r\n", 17), 0);
    assert_non_null(strstr(request, "\r\nContent-Type: application/json\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(request, "\r\nAuthorization: Bearer secret\r\n"));
    assert_non_null(strstr(request, "\r\n\r\n{\"a\":1}"));
}

static void split_everywhere(struct world *w, const char *reply, int status) {
    set_reply(w, reply);
    for (size_t cut = 1; cut < w->reply_len; cut++) {
        w->first = cut;
        struct call c = get(w);
        assert_int_equal(c.error, 0);
        assert_int_equal(c.status, status);
        assert_string_equal(c.body, "hello");
    }
}

static void test_the_tag_of_an_answer(void **state) {
    struct world *w = *state;
    set_reply(
        w,
        "HTTP/1.1 200 OK\r\nX:\r\nX-ETag: no\r\neTaG: W/\"7-1\"\r\nETag-X: no\r\nContent-Length: 5\r\n\r\nhello");
    for (size_t cut = 1; cut < w->reply_len; cut++) {
        w->first = cut;
        assert_string_equal(get(w).etag, "W/\"7-1\"");
    }
    set_reply(w, hello);
    assert_string_equal(get(w).etag, "");
    assert_string_equal(get_at(w, "http://127.0.0.1:1/").etag, "");
}

static void test_answers_cut_at_every_byte(void **state) {
    struct world *w = *state;
    split_everywhere(w, hello, 200);
    split_everywhere(w, chunked, 201);
    assert_int_equal(w->server.accepted, 1); // all of them on one connection
}

static void test_answers_byte_by_byte(void **state) {
    struct world *w = *state;
    w->part = 1;
    set_reply(w, hello);
    assert_string_equal(get(w).body, "hello");
    set_reply(w, chunked);
    assert_string_equal(get(w).body, "hello");
    set_reply(w, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    struct call c = get(w);
    assert_int_equal(c.status, 200);
    assert_string_equal(c.body, "hello");
    assert_int_equal(w->server.accepted, 1);
}

static void test_answers_without_a_body(void **state) {
    struct world *w = *state;
    static const char *const replies[] = {"HTTP/1.1 204 No Content\r\n\r\n",
                                          "HTTP/1.1 304 Not Modified\r\n\r\n",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        set_reply(w, replies[i]);
        struct call c = get(w);
        assert_int_equal(c.error, 0);
        assert_int_equal(c.body_len, 0);
    }
    assert_int_equal(w->server.accepted, 1);
}

static void test_head_has_no_body(void **state) {
    struct world *w = *state;
    struct call c = {.world = w};
    w->open = 1;
    set_reply(w, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    http_client_request(
        w->client,
        &(struct http_client_request){.method = "HEAD", .url = w->server.url, .timeout_ms = LONG_MS},
        on_answer, &c);
    run(w);
    assert_int_equal(c.status, 200);
    assert_int_equal(c.body_len, 0);
    set_reply(w, hello);
    assert_string_equal(get(w).body, "hello");
    assert_int_equal(w->server.accepted, 1);
}

static void test_connection_close(void **state) {
    struct world *w = *state;
    set_reply(w, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello");
    for (unsigned i = 1; i <= 3; i++) {
        assert_string_equal(get(w).body, "hello"); // the server does not even close
        assert_int_equal(w->server.accepted, i);
    }
}

static void test_body_until_close(void **state) {
    struct world *w = *state;
    set_reply(w, "HTTP/1.1 200 OK\r\n\r\nhello");
    w->close_after = true;
    for (w->first = 0; w->first < w->reply_len; w->first++) {
        struct call c = get(w);
        assert_int_equal(c.error, 0);
        assert_string_equal(c.body, "hello");
    }
    set_reply(w, "HTTP/1.0 200 OK\r\n\r\n");
    assert_int_equal(get(w).status, 200);
}

static void test_bytes_behind_the_answer_end_the_connection(void **state) {
    struct world *w = *state;
    set_reply(w, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 403 Forbidden\r\n\r\n");
    assert_string_equal(get(w).body, "hello");
    struct call c = get(w);
    assert_int_equal(c.status, 200);
    assert_int_equal(w->server.accepted, 2);
}

static void test_truncated_answers(void **state) {
    struct world *w = *state;
    w->close_after = true;
    w->reply = hello;
    for (w->reply_len = 1; w->reply_len < strlen(hello); w->reply_len++) {
        struct call c = get(w);
        assert_int_equal(c.error, -ECONNRESET);
        assert_int_equal(c.status, 0);
    }
    w->reply = chunked;
    for (w->reply_len = 1; w->reply_len < strlen(chunked); w->reply_len++)
        assert_int_equal(get(w).error, -ECONNRESET);
    w->reply_len = 0; // closed without a byte, by a connection never used before: no second try
    unsigned before = w->server.requests;
    assert_int_equal(get(w).error, -ECONNRESET);
    assert_int_equal(w->server.requests, before + 1);
}

static void test_garbage(void **state) {
    struct world *w = *state;
    static const char *const replies[] = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\x16\x03\x01\x02",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        set_reply(w, replies[i]);
        assert_int_equal(get(w).error, -EPROTO);
    }
    assert_int_equal(w->server.accepted, sizeof replies / sizeof *replies);
}

static void test_too_large(void **state) {
    struct world *w = *state;
    struct buf reply = {0};
    size_t body = 1048576;
    for (size_t extra = 0; extra < 2; extra++) {
        buf_clear(&reply);
        buf_printf(&reply, "HTTP/1.1 200 OK\r\n\r\n%*d", (int)(body + extra), 0);
        w->reply = reply.data;
        w->reply_len = reply.len;
        w->close_after = true;
        struct call c = get(w);
        assert_int_equal(c.error, extra ? -EMSGSIZE : 0);
        if (!extra) assert_int_equal(c.body_len, body);
    }
    buf_clear(&reply);
    buf_add_string(&reply, "HTTP/1.1 200 OK\r\n");
    while (reply.len < 200000)
        buf_add_string(&reply, "X-Filler: 0123456789012345678901234567890123456789\r\n");
    w->reply = reply.data;
    w->reply_len = reply.len;
    assert_int_equal(get(w).error, -EMSGSIZE);
    buf_release(&reply);
}

static char *megabyte(size_t extra) {
    char *body = mem_alloc(1048576 + extra + 1);
    memset(body, 'x', 1048576 + extra);
    body[1048576 + extra] = 0;
    return body;
}

static void test_large_requests(void **state) {
    struct world *w = *state;
    char *body = megabyte(1);
    struct call c;
    start(w, &c, body);
    run(w);
    assert_int_equal(c.error, -EMSGSIZE);
    body[1048576] = 0;
    set_reply(w, hello);
    start(w, &c, body);
    run(w);
    assert_int_equal(c.error, 0);
    assert_int_equal(w->server.accepted, 1);
    assert_non_null(strstr(buf_string(&w->server.last), body));
    sending.mode = SEND_PIECES;
    start(w, &c, body);
    run(w);
    assert_int_equal(c.error, 0);
    assert_true(sending.calls > 5);
    assert_non_null(strstr(buf_string(&w->server.last), body));
    free(body);
}

// An answer that comes before the request has been taken ends the call, and the connection.
static void test_early_answers(void **state) {
    struct world *w = *state;
    char *body = megabyte(0);
    set_reply(w, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n{}");
    w->server.early = true;
    sending.mode = SEND_STUCK;
    for (unsigned i = 1; i <= 10; i++) {
        struct call c;
        sending.calls = 0;
        w->close_after = i > 5; // with a reset, as not all was read
        start(w, &c, body);
        run(w);
        assert_int_equal(c.error, 0);
        assert_int_equal(c.status, 413);
        assert_string_equal(c.body, "{}");
        assert_int_equal(w->server.accepted, i);
    }
    free(body);
}

static void test_keep_alive_is_reused(void **state) {
    struct world *w = *state;
    set_reply(w, hello);
    for (int i = 0; i < 20; i++) assert_int_equal(get(w).error, 0);
    assert_int_equal(w->server.accepted, 1);
    assert_int_equal(w->server.requests, 20);
}

static void test_at_most_eight_connections_then_they_wait(void **state) {
    struct world *w = *state;
    struct call calls[100];
    set_reply(w, hello);
    w->part = 40;
    for (int i = 0; i < 100; i++) start(w, &calls[i], "{}");
    run(w);
    for (int i = 0; i < 100; i++) assert_int_equal(calls[i].status, 200);
    assert_int_equal(w->server.accepted, HTTP_CLIENT_CONNECTIONS);
    assert_int_equal(w->server.requests, 100);
}

static void test_too_many_waiting_are_busy(void **state) {
    struct world *w = *state;
    enum { EXTRA = 5, TOTAL = HTTP_CLIENT_CONNECTIONS + HTTP_CLIENT_QUEUE_MAX + EXTRA };
    struct call *calls = mem_zalloc(TOTAL * sizeof *calls);
    set_reply(w, hello);
    for (int i = 0; i < TOTAL; i++) start(w, &calls[i], NULL);
    run(w);
    for (int i = 0; i < TOTAL; i++) assert_int_equal(calls[i].error, i < TOTAL - EXTRA ? 0 : -EBUSY);
    free(calls);
}

// A server that answers the first request of each connection, and takes the second one only to close.
static void on_request_closing_second(struct fake_conn *c, const char *request) {
    (void)request;
    bool hard = c->server->arg;
    if (c->requests == 1)
        fake_sends(c, hello);
    else if (hard)
        fake_reset(c);
    else
        fake_close(c);
}

static void retry(struct world *w, void *hard) {
    w->server.on_request = on_request_closing_second;
    w->server.arg = hard;
    for (unsigned i = 1; i <= 5; i++) {
        struct call c;
        start(w, &c, "{}");
        run(w);
        assert_int_equal(c.error, 0);
        assert_int_equal(w->server.accepted, i); // the first one's close is only seen by using it
    }
}

static void test_retry_when_a_kept_connection_was_closed(void **state) {
    retry(*state, NULL);
}

static void test_retry_when_a_kept_connection_was_reset(void **state) {
    retry(*state, *state);
}

// Answers the first request of all; closes at every later one.
static void on_request_closing_later(struct fake_conn *c, const char *request) {
    (void)request;
    if (c->server->requests == 1)
        fake_sends(c, hello);
    else
        fake_close(c);
}

static void test_retry_only_once(void **state) {
    struct world *w = *state;
    w->server.on_request = on_request_closing_later;
    assert_int_equal(get(w).error, 0);
    assert_int_equal(get(w).error, -ECONNRESET);
    assert_int_equal(w->server.requests, 3);
    assert_int_equal(w->server.accepted, 2);
}

static void on_request_closing_from_third(struct fake_conn *c, const char *request) {
    (void)request;
    if (c->server->requests <= 2)
        fake_sends(c, hello);
    else
        fake_close(c);
}

// Another idle connection is likely to be as stale as the one that failed.
static void test_retry_never_takes_another_old_connection(void **state) {
    struct world *w = *state;
    struct call first, second;
    w->server.on_request = on_request_closing_from_third;
    start(w, &first, NULL);
    start(w, &second, NULL);
    run(w);
    assert_int_equal(w->server.accepted, 2);
    assert_int_equal(get(w).error, -ECONNRESET);
    assert_int_equal(w->server.accepted, 3);
    assert_int_equal(w->server.requests, 4);
}

// Answers half of it to the second request, then closes.
static void on_request_half(struct fake_conn *c, const char *request) {
    (void)request;
    c->close_after = c->requests == 2;
    fake_send(c, hello, c->requests == 2 ? 10 : strlen(hello));
}

static void test_no_retry_once_an_answer_has_begun(void **state) {
    struct world *w = *state;
    w->server.on_request = on_request_half;
    assert_int_equal(get(w).error, 0);
    assert_int_equal(get(w).error, -ECONNRESET);
    assert_int_equal(w->server.requests, 2);
}

static bool no_conn_left(struct world *w) {
    for (struct fake_conn *c = w->server.conns; c; c = c->next)
        if (c->watch.fd >= 0) return false;
    return true;
}

static void test_idle_connection_closed_by_the_peer_is_dropped(void **state) {
    struct world *w = *state;
    set_reply(w, hello);
    w->close_after = true;
    assert_int_equal(get(w).error, 0);
    run_until(w, no_conn_left);
    assert_int_equal(get(w).error, 0);
    assert_int_equal(w->server.requests, 2);
}

static void test_timeouts(void **state) {
    struct world *w = *state;
    struct call calls[HTTP_CLIENT_CONNECTIONS + 2];
    char url[128];
    snprintf(url, sizeof url, "%s/", w->server.url);
    w->reply = NULL; // silence; the last two never get a connection
    for (int i = 0; i < HTTP_CLIENT_CONNECTIONS + 2; i++) start_at(w, &calls[i], url, NULL, 30);
    run(w);
    for (int i = 0; i < HTTP_CLIENT_CONNECTIONS + 2; i++) assert_int_equal(calls[i].error, -ETIMEDOUT);
    w->reply = hello; // half an answer
    w->reply_len = 30;
    start_at(w, &calls[0], url, NULL, 30);
    run(w);
    assert_int_equal(calls[0].error, -ETIMEDOUT);
    set_reply(w, hello);
    assert_int_equal(get(w).error, 0); // nothing of it clings to the next call
}

static void test_refused(void **state) {
    struct world *w = *state;
    int port, fd = fake_listen(false, &port);
    close(fd);
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    assert_int_equal(get_at(w, url).error, -ECONNREFUSED);
    assert_int_equal(get_at(w, url).error, -ECONNREFUSED);
}

struct repeater {
    struct world *world;
    char url[64];
    int left;
};

static void on_refused(void *arg, const struct http_client_response *a) {
    struct repeater *r = arg;
    assert_int_equal(a->error, -ECONNREFUSED);
    if (--r->left == 0)
        loop_stop(r->world->loop);
    else
        http_client_request(
            r->world->client,
            &(struct http_client_request){.method = "GET", .url = r->url, .timeout_ms = LONG_MS}, on_refused,
            r);
}

static void test_callbacks_may_start_requests(void **state) {
    struct repeater r = {.world = *state, .left = 50};
    int port, fd = fake_listen(false, &port);
    close(fd);
    snprintf(r.url, sizeof r.url, "http://127.0.0.1:%d/", port);
    http_client_request(r.world->client,
                        &(struct http_client_request){.method = "GET", .url = r.url, .timeout_ms = LONG_MS},
                        on_refused, &r);
    run(r.world);
    assert_int_equal(r.left, 0);
}

static void test_bad_requests(void **state) {
    struct world *w = *state;
    static const char *const urls[] = {
        "",           "http://",           "/path",         "http:///path",  "http://a:0/",
        "http://a:/", "http://a:65536/",   "http://u@a/",   "http://[::1/",  "http://a b/",
        "http://a/ ", "http://a/\r\nX: y", "http://a/\x7f", "http://a:80x/", "http://[::1]x/",
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_int_equal(get_at(w, urls[i]).error, -EINVAL);
    assert_int_equal(get_at(w, "https://a/").error, -EPROTONOSUPPORT);
    struct call c = {.world = w};
    w->open = 1;
    http_client_request(w->client,
                        &(struct http_client_request){.method = "GET",
                                                      .url = w->server.url,
                                                      .authorization = "Bearer x\r\nX-Forged: 1",
                                                      .timeout_ms = LONG_MS},
                        on_answer, &c);
    run(w);
    assert_int_equal(c.error, -EINVAL);
    assert_int_equal(w->server.accepted, 0);
}

static void test_urls(void **state) {
    (void)state;
    struct http_url u;
    assert_int_equal(http_url_parse(&u, "HTTP://ExAmple.Com/a?b#c"), 0);
    assert_string_equal(u.host, "example.com");
    assert_int_equal(u.port, 80);
    assert_int_equal(u.path_len, 4);
    assert_int_equal(http_url_parse(&u, "http://[2001:DB8::1]:8080?q"), 0);
    assert_string_equal(u.host, "2001:db8::1");
    assert_true(u.ipv6);
    assert_int_equal(u.port, 8080);
    assert_int_equal(strncmp(u.path, "?q", u.path_len), 0);
}

static void test_ipv6(void **state) {
    struct world *w = *state;
    struct fake_server six;
    if (!fake_server_start(&six, w->loop, true, on_request, w)) skip();
    set_reply(w, hello);
    assert_int_equal(get_at(w, six.url).error, 0);
    char host[64];
    snprintf(host, sizeof host, "\r\nHost: [::1]:%d\r\n", six.port);
    assert_non_null(strstr(buf_string(&six.last), host));
    fake_server_stop(&six);
}

static void name_url(struct world *w, const char *name, char *url, size_t size) {
    snprintf(url, size, "http://%s:%d/", name, w->server.port);
}

static void test_names_are_looked_up_once(void **state) {
    struct world *w = *state;
    char url[64];
    struct call calls[20];
    name_url(w, "service.test", url, sizeof url);
    set_names(false, "127.0.0.1", NULL);
    set_reply(w, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    w->close_after = true;
    unsigned before = names_asked();
    for (int i = 0; i < 20; i++) start_at(w, &calls[i], url, NULL, LONG_MS);
    run(w);
    for (int i = 0; i < 20; i++) assert_int_equal(calls[i].error, 0);
    assert_int_equal(names_asked(), before + 1);
    assert_non_null(strstr(buf_string(&w->server.last), "\r\nHost: service.test:"));
}

static void test_missing_names(void **state) {
    struct world *w = *state;
    char url[64];
    struct call calls[20];
    name_url(w, "missing.test", url, sizeof url);
    unsigned before = names_asked();
    for (int i = 0; i < 20; i++) start_at(w, &calls[i], url, NULL, LONG_MS);
    run(w);
    for (int i = 0; i < 20; i++) assert_int_equal(calls[i].error, -EHOSTUNREACH);
    assert_int_equal(get_at(w, url).error, -EHOSTUNREACH); // remembered for a second
    assert_int_equal(names_asked(), before + 1);
}

static void test_next_address_when_one_refuses(void **state) {
    struct world *w = *state;
    char url[64];
    name_url(w, "two.test", url, sizeof url);
    set_names(false, "127.0.0.2", "127.0.0.1"); // there is no listener on the first
    set_reply(w, hello);
    assert_int_equal(get_at(w, url).error, 0);
}

static void test_a_name_is_resolved_again_when_unreachable(void **state) {
    struct world *w = *state;
    char url[64];
    name_url(w, "moved.test", url, sizeof url);
    set_names(false, "127.0.0.2", NULL);
    set_reply(w, hello);
    assert_int_equal(get_at(w, url).error, -ECONNREFUSED);
    set_names(false, "127.0.0.1", NULL);
    assert_int_equal(get_at(w, url).error, 0);
}

static bool four_calls_open(struct world *w) {
    return names_asked() >= 4 && w->open == 4;
}

static void test_slow_names_block_no_other_request(void **state) {
    struct world *w = *state;
    struct call slow[5], c;
    set_names(true, "127.0.0.1", NULL);
    pthread_mutex_lock(&names.lock);
    names.asked = names.answered = 0;
    pthread_mutex_unlock(&names.lock);
    set_reply(w, hello);
    for (int i = 0; i < 5; i++) {
        char name[32], url[64];
        snprintf(name, sizeof name, "slow%d.test", i);
        name_url(w, name, url, sizeof url);
        start_at(w, &slow[i], url, NULL, i ? LONG_MS : 20);
    }
    start(w, &c, NULL);
    run_until(w, four_calls_open);
    assert_true(c.ended);
    assert_int_equal(c.error, 0);
    assert_int_equal(names_asked(), 4); // the fifth name waits for its turn
    set_names(false, "127.0.0.1", NULL);
    run(w);
    for (int i = 0; i < 5; i++) assert_int_equal(slow[i].error, i ? 0 : -ETIMEDOUT);
}

static void test_free_with_a_look_up_under_way(void **state) {
    struct world *w = *state;
    struct call c;
    char url[64];
    name_url(w, "slow.test", url, sizeof url);
    set_names(true, "127.0.0.1", NULL);
    pthread_mutex_lock(&names.lock);
    names.asked = names.answered = 0;
    pthread_mutex_unlock(&names.lock);
    start_at(w, &c, url, NULL, LONG_MS);
    pthread_mutex_lock(&names.lock);
    while (!names.asked) pthread_cond_wait(&names.changed, &names.lock);
    pthread_mutex_unlock(&names.lock);
    release_world(w);
    assert_int_equal(c.error, -ECANCELED);
    set_names(false, "127.0.0.1", NULL); // now there is neither client nor loop to tell
    pthread_mutex_lock(&names.lock);
    while (!names.answered) pthread_cond_wait(&names.changed, &names.lock);
    pthread_mutex_unlock(&names.lock);
    make_world(w);
}

static void on_canceled(void *arg, const struct http_client_response *a) {
    struct repeater *r = arg;
    assert_int_equal(a->error, -ECANCELED);
    if (r->left-- > 0)
        http_client_request(
            r->world->client,
            &(struct http_client_request){.method = "GET", .url = r->url, .timeout_ms = LONG_MS}, on_canceled,
            r);
}

static bool two_requests(struct world *w) {
    return w->server.requests == 2;
}

// One call is idle-connected, two are under way, one waits for its name, one has just been refused.
static void test_free_ends_everything(void **state) {
    struct world *w = *state;
    struct call first, second, named, bad;
    char url[64];
    set_reply(w, hello);
    assert_int_equal(get(w).error, 0);
    w->server.requests = 0;
    w->reply = NULL;
    start(w, &first, NULL);
    start(w, &second, "{}");
    run_until(w, two_requests);
    set_names(true, "127.0.0.1", NULL);
    name_url(w, "slow.test", url, sizeof url);
    start_at(w, &named, url, NULL, LONG_MS);
    start_at(w, &bad, "nonsense", NULL, LONG_MS);
    struct repeater r = {.world = w, .left = 3};
    snprintf(r.url, sizeof r.url, "%s", w->server.url);
    http_client_request(w->client,
                        &(struct http_client_request){.method = "GET", .url = r.url, .timeout_ms = LONG_MS},
                        on_canceled, &r);
    http_client_free(w->client);
    w->client = NULL;
    assert_int_equal(first.error, -ECANCELED);
    assert_int_equal(second.error, -ECANCELED);
    assert_int_equal(named.error, -ECANCELED);
    assert_int_equal(bad.error, -ECANCELED);
    assert_int_equal(r.left, -1); // those begun while it closed, too
    set_names(false, NULL, NULL);
}

static void on_answer_freeing(void *arg, const struct http_client_response *a) {
    struct call *c = arg;
    on_answer(arg, a);
    http_client_free(c->world->client);
    c->world->client = NULL;
}

static void test_free_inside_a_callback(void **state) {
    struct world *w = *state;
    struct call c = {.world = w}, other;
    set_reply(w, hello);
    w->open = 1;
    http_client_request(
        w->client,
        &(struct http_client_request){.method = "GET", .url = w->server.url, .timeout_ms = LONG_MS},
        on_answer_freeing, &c);
    start_at(w, &other, "http://127.0.0.1:1/", NULL, LONG_MS);
    run(w);
    assert_int_equal(c.error, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_get),
        TEST(test_post),
        TEST(test_the_tag_of_an_answer),
        TEST(test_answers_cut_at_every_byte),
        TEST(test_answers_byte_by_byte),
        TEST(test_answers_without_a_body),
        TEST(test_head_has_no_body),
        TEST(test_connection_close),
        TEST(test_body_until_close),
        TEST(test_bytes_behind_the_answer_end_the_connection),
        TEST(test_truncated_answers),
        TEST(test_garbage),
        TEST(test_too_large),
        TEST(test_large_requests),
        TEST(test_early_answers),
        TEST(test_keep_alive_is_reused),
        TEST(test_at_most_eight_connections_then_they_wait),
        TEST(test_too_many_waiting_are_busy),
        TEST(test_retry_when_a_kept_connection_was_closed),
        TEST(test_retry_when_a_kept_connection_was_reset),
        TEST(test_retry_only_once),
        TEST(test_retry_never_takes_another_old_connection),
        TEST(test_no_retry_once_an_answer_has_begun),
        TEST(test_idle_connection_closed_by_the_peer_is_dropped),
        TEST(test_timeouts),
        TEST(test_refused),
        TEST(test_callbacks_may_start_requests),
        TEST(test_bad_requests),
        TEST(test_urls),
        TEST(test_ipv6),
        TEST(test_names_are_looked_up_once),
        TEST(test_missing_names),
        TEST(test_next_address_when_one_refuses),
        TEST(test_a_name_is_resolved_again_when_unreachable),
        TEST(test_slow_names_block_no_other_request),
        TEST(test_free_with_a_look_up_under_way),
        TEST(test_free_ends_everything),
        TEST(test_free_inside_a_callback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
