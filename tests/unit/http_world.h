// What the tests of the HTTP server share: a server with a route for everything worth seeing, and peers.
#pragma once

#include "http_peer.h"

#include "base/budget.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/exchange.h"
#include "http/server.h"
#include "net/sink.h"

enum { HEADER_MS = 10000, BODY_MS = 30000, IDLE_MS = 60000, SWEEP_MS = 250, PEERS = 64, WAITING = 64 };

#define HOST "Host: a\r\n"

static struct world {
    struct loop *loop;
    struct http_server *server;
    int port;
    struct peer peers[PEERS];
    unsigned handled;                       // requests, by all handlers
    struct http_exchange *waiting[WAITING]; // not answered yet, in the order of coming
    unsigned waiting_count;
    int taken; // a descriptor, -1 if the client had gone, -2 if nothing was taken yet
    struct peer *to_reset;
} world;

static inline void reply_text(struct http_exchange *x, const char *text) {
    http_reply(x, &(struct http_reply){
                      .status = 200, .content_type = "text/plain", .body = text, .body_len = strlen(text)});
}

static inline void handle_root(struct http_exchange *x, void *arg) {
    assert_ptr_equal(arg, &world);
    world.handled++;
    reply_text(x, "root");
}

static inline void handle_other_root(struct http_exchange *x, void *arg) {
    (void)arg;
    reply_text(x, "the second table");
}

static inline void handle_param(struct http_exchange *x, void *arg) {
    (void)arg;
    world.handled++;
    reply_text(x, http_request_param(x->request, 0));
}

// Answers with the query fields a and b.
static inline void handle_query(struct http_exchange *x, void *arg) {
    (void)arg;
    char text[512];
    const char *a = http_request_query(x->request, "a"), *b = http_request_query(x->request, "b");
    world.handled++;
    snprintf(text, sizeof text, "a=%s b=%s", a ? a : "(none)", b ? b : "(none)");
    reply_text(x, text);
}

static inline void handle_header(struct http_exchange *x, void *arg) {
    (void)arg;
    const char *value = http_request_header(x->request, "idempotency-key");
    world.handled++;
    reply_text(x, value ? value : "(none)");
}

static inline void handle_echo(struct http_exchange *x, void *arg) {
    (void)arg;
    size_t len;
    const char *body = http_request_body(x->request, &len);
    world.handled++;
    http_reply(x, &(struct http_reply){.status = 201, .content_type = "x/y", .body = body, .body_len = len});
}

static inline void handle_target(struct http_exchange *x, void *arg) {
    (void)arg;
    reply_text(x, http_request_target(x->request));
}

static inline void handle_host(struct http_exchange *x, void *arg) {
    (void)arg;
    reply_text(x, http_request_header(x->request, "host"));
}

static inline void handle_inside(struct http_exchange *x, void *arg) {
    (void)arg;
    reply_text(x, "inside");
}

static inline bool guard_authorized(struct http_request *r, void *arg, struct http_refusal *refusal) {
    assert_ptr_equal(arg, &world);
    return http_request_header(r, "authorization") || http_refuse(refusal, 403, "forbidden", "Not for you.");
}

static inline void handle_json(struct http_exchange *x, void *arg) {
    (void)arg;
    reply_text(x, http_request_is_json(x->request) ? "json" : "other");
}

static inline void handle_peer(struct http_exchange *x, void *arg) {
    (void)arg;
    char address[64];
    http_request_peer(x->request, address, sizeof address);
    reply_text(x, address);
}

static inline void handle_client(struct http_exchange *x, void *arg) {
    (void)arg;
    char address[HTTP_ADDRESS_SIZE];
    http_request_client(x->request, address, sizeof address);
    reply_text(x, address);
}

static inline void handle_full(struct http_exchange *x, void *arg) {
    (void)arg;
    http_reply(x, &(struct http_reply){.status = 307,
                                       .body = "{}",
                                       .body_len = 2,
                                       .location = "http://b/c",
                                       .retry_after_s = 7,
                                       .headers = "X-One: 1\r\nX-Two: 2\r\n"});
}

static inline void handle_over(struct http_exchange *x, void *arg) {
    (void)arg;
    http_reply(x, &(struct http_reply){.status = 204});
}

static inline void handle_big(struct http_exchange *x, void *arg) {
    (void)arg;
    const char *bytes = http_request_query(x->request, "bytes");
    size_t len = bytes ? strtoul(bytes, NULL, 10) : 0;
    char *body = mem_alloc(len);
    memset(body, 'b', len);
    world.handled++;
    http_reply(x, &(struct http_reply){.status = 200, .content_type = "x/y", .body = body, .body_len = len});
    free(body);
}

static char static_body[200000];

static inline void handle_static(struct http_exchange *x, void *arg) {
    (void)arg;
    memset(static_body, 'l', sizeof static_body - 1);
    http_reply(x, &(struct http_reply){.status = 200,
                                       .content_type = "x/y",
                                       .body = static_body,
                                       .body_len = sizeof static_body - 1,
                                       .is_static = true});
}

static inline void handle_wait(struct http_exchange *x, void *arg) {
    (void)arg;
    assert_true(world.waiting_count < WAITING);
    world.handled++;
    world.waiting[world.waiting_count++] = x;
}

// Begins a stream. Returns its descriptor, or -1 if the client has gone.
static inline int take_stream(struct http_exchange *x) {
    struct sink sink;
    struct buf head = {0};
    bool is_there = http_begin_stream(x, &sink, &head);
    if (is_there) assert_memory_equal(head.data, "HTTP/1.1 200 OK\r\n", 17);
    assert_true(is_there || !head.len);
    buf_release(&head);
    return is_there ? sink.fd : -1;
}

static inline void handle_take(struct http_exchange *x, void *arg) {
    (void)arg;
    world.handled++;
    world.taken = take_stream(x);
}

static inline void handle_abort(struct http_exchange *x, void *arg) {
    (void)arg;
    world.handled++;
    http_abort(x);
}

// The client goes away with a reset while its request is being handled.
static inline void handle_reset(struct http_exchange *x, void *arg) {
    (void)arg;
    peer_reset(world.to_reset);
    reply_text(x, "not received");
}

static const struct http_route routes[] = {
    {"GET", "/host", .handle = handle_host},
    {"GET", "/inside", .handle = handle_inside, .exact_path = true},
    {"POST", "/guarded", .handle = handle_echo, .body_max = 200000, .guard = guard_authorized},
    {"GET", "/", .handle = handle_root},
    {"GET", "/param/:name", .handle = handle_param},
    {"GET", "/query", .handle = handle_query},
    {"GET", "/header", .handle = handle_header},
    {"POST", "/header", .handle = handle_header},
    {"POST", "/echo", .handle = handle_echo},
    {"POST", "/small", .handle = handle_echo, .body_max = 10},
    {"GET", "/target", .handle = handle_target},
    {"POST", "/json", .handle = handle_json},
    {"GET", "/peer", .handle = handle_peer},
    {"GET", "/client", .handle = handle_client},
    {"POST", "/client", .handle = handle_client},
    {"GET", "/full", .handle = handle_full},
    {"GET", "/over", .handle = handle_over},
    {"GET", "/big", .handle = handle_big},
    {"GET", "/static", .handle = handle_static},
    {"GET", "/wait", .handle = handle_wait, .streams = true},
    {"POST", "/wait", .handle = handle_wait, .streams = true},
    {"GET", "/take", .handle = handle_take, .streams = true},
    {"POST", "/take", .handle = handle_take, .streams = true},
    {"GET", "/abort", .handle = handle_abort},
    {"GET", "/reset", .handle = handle_reset},
    {0},
};

static const struct http_route more_routes[] = {
    {"GET", "/", .handle = handle_other_root},
    {"GET", "/more", .handle = handle_other_root},
    {"POST", "/query", .handle = handle_other_root},
    {0},
};

static const struct http_route *const tables[] = {routes, more_routes, NULL};

static const struct http_mount world_mounts[] = {{.tables = tables, .arg = &world}, {0}};

static inline struct http_server_config world_config(const char *bind, unsigned max_connections) {
    return (struct http_server_config){.role = "test",
                                       .bind = bind,
                                       .header_timeout_ms = HEADER_MS,
                                       .body_timeout_ms = BODY_MS,
                                       .idle_timeout_ms = IDLE_MS,
                                       .max_connections = max_connections,
                                       .site = {.mounts = world_mounts}};
}

static inline unsigned open_connections(void) {
    return (unsigned)http_server_counters(world.server)->connections_open;
}

// Returns the socket that the server listens on.
static inline int listening_socket(void) {
    for (int fd = 3;; fd++) {
        int listens = 0;
        socklen_t size = sizeof listens;
        struct sockaddr_in to = {0};
        socklen_t to_size = sizeof to;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens) continue;
        if (getsockname(fd, (struct sockaddr *)&to, &to_size) == 0 && ntohs(to.sin_port) == world.port)
            return fd;
    }
}

static inline void open_world_over(const struct stream_ops *transport, unsigned max_connections) {
    int error = 0;
    struct http_server_config config = world_config("127.0.0.1", max_connections);
    config.transport = transport;
    log_set_level(LOG_ERROR);
    world = (struct world){.loop = loop_new(), .taken = -2};
    world.server = http_server_new(world.loop, &config, &error);
    assert_non_null(world.server);
    world.port = http_server_port(world.server);
}

static inline void open_world(unsigned max_connections) {
    open_world_over(NULL, max_connections);
}

static inline int set_up(void **state) {
    (void)state;
    open_world(1000);
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    for (int i = 0; i < PEERS; i++) peer_release(&world.peers[i]);
    if (world.server) http_server_free(world.server);
    for (unsigned i = 0; i < world.waiting_count; i++)
        if (world.waiting[i]) reply_text(world.waiting[i], "too late");
    if (world.taken >= 0) close(world.taken);
    loop_free(world.loop);
    return 0;
}

// Returns the i-th peer, connected.
static inline struct peer *connect_peer(int i) {
    struct peer *p = &world.peers[i];
    if (!p->loop) {
        peer_release(p);
        peer_open(p, world.loop, world.port);
    }
    return p;
}

// Returns the i-th peer, connected and having sent something.
static inline struct peer *send_from(int i, const char *text) {
    struct peer *p = connect_peer(i);
    peer_send(p, text);
    return p;
}

// Goes through a whole exchange on a connection of its own, for which the server needs turns in which it
// would also have done anything else it had to do.
static inline void exchange(void) {
    struct peer p;
    peer_open(&p, world.loop, world.port);
    peer_send(&p, "GET / HTTP/1.1\r\n" HOST "\r\n");
    peer_expect(&p, 200, "root");
    world.handled--;
    peer_release(&p);
    run_turns(world.loop, 1);
}

// Expects that nothing comes, and that the connection stays.
static inline void expect_silence(struct peer *p) {
    exchange();
    if (p->got.len || p->ended) fail_msg("ended: %d, got \"%s\"", p->ended, buf_string(&p->got));
}

static inline bool requests_wait(void *count) {
    return world.waiting_count >= *(unsigned *)count;
}

// Waits until `count` requests wait for their responses.
static inline void expect_waiting(unsigned count) {
    run_until(world.loop, requests_wait, &count);
}

static inline void answer_waiting(unsigned i, const char *text) {
    struct http_exchange *x = world.waiting[i];
    world.waiting[i] = NULL;
    reply_text(x, text);
}
