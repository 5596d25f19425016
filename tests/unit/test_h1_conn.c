// The server's connections: when they are closed, what is handed over, and what is bounded.
// What the server answers is in test_http_server.c.
#include "http_world.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>

#define GET "GET / HTTP/1.1\r\n" HOST "\r\n"

enum {
    ANSWER_HEAD_MAX = 512, // more than a head of these tests
    UNSENT_MAX = 262144,   // unsent bytes beyond which the server starts no further request
    SMALL_BUFFER = 4096    // for sockets of which the kernel should take little
};

static struct peer *connect_with_small_buffers(int i) {
    int size = SMALL_BUFFER;
    setsockopt(listening_socket(), SOL_SOCKET, SO_SNDBUF, &size,
               sizeof size); // connections inherit it
    peer_open_with(&world.peers[i], world.loop, world.port, SMALL_BUFFER);
    peer_pause(&world.peers[i], true);
    return &world.peers[i];
}

static void half_close(struct peer *p) {
    assert_true(peer_has_sent(p));
    assert_int_equal(shutdown(p->fd, SHUT_WR), 0);
}

// Clients that go away

static void test_a_client_gone_before_the_answer(void **state) {
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct peer *p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n" GET);
        expect_waiting(i + 1);
        if (i % 2)
            peer_close_socket(p);
        else
            peer_reset(p);
        if (i < 4) exchange(); // seen by the server, or not yet
        const struct http_request *r = world.waiting[i]->request;
        char address[64];
        http_request_peer(r, address, sizeof address);
        assert_string_equal(address, "127.0.0.1");
        assert_string_equal(http_request_target(r), "/wait");
        answer_waiting(i, "not received");
        exchange();
        peer_release(p);
    }
    assert_int_equal(open_connections(), 0);
}

static void test_a_client_gone_before_its_stream_or_abort(void **state) {
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct peer *p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
        expect_waiting(i + 1);
        peer_reset(p);
        exchange();
        if (i)
            http_abort(world.waiting[i]);
        else
            assert_int_equal(take_stream(world.waiting[i]), -1);
        world.waiting[i] = NULL;
        exchange();
    }
}

static void test_a_client_gone_in_the_middle_of_its_request(void **state) {
    (void)state;
    static const char *const parts[] = {
        "", "GE", "GET / HTTP/1.1\r\nHo", "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"};
    for (unsigned i = 0; i < 3 * 5; i++) {
        struct peer *p = send_from(0, parts[i / 3]);
        if (i % 3) run_turns(world.loop, 2);
        if (i % 2)
            peer_close_socket(p);
        else
            peer_reset(p);
        exchange();
        assert_int_equal(open_connections(), 0);
    }
    assert_int_equal(world.handled, 0);
}

// Found here: the end of what the client sends, read before the answer had left, threw the answer away.
static void test_a_half_closed_client_gets_its_responses(void **state) {
    (void)state;
    struct peer *p = send_from(0, GET);
    half_close(p);
    peer_expect(p, 200, "root");
    peer_expect_end(p);
    peer_release(p);

    p = send_from(0, GET "GET /big?bytes=100000 HTTP/1.1\r\n" HOST "\r\n" GET);
    half_close(p);
    peer_expect(p, 200, "root");
    peer_expect(p, 200, NULL);
    peer_expect(p, 200, "root");
    peer_expect_end(p);
    peer_release(p);

    p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    half_close(p);
    expect_waiting(1);
    expect_silence(p);
    answer_waiting(0, "late");
    peer_expect(p, 200, "late");
    peer_expect_end(p);
    peer_release(p);

    p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n" GET);
    expect_waiting(2);
    half_close(p);
    expect_silence(p);
    answer_waiting(1, "late");
    peer_expect(p, 200, "late");
    peer_expect(p, 200, "root");
    peer_expect_end(p);
}

static void stop_waiting(struct loop_timer *t) {
    (void)t;
    loop_stop(world.loop);
}

static void count_turn(void *turns) {
    ++*(unsigned *)turns;
}

// How often the loop wakes up in a moment in which there is nothing for it to do.
static unsigned turns_in_a_moment(void) {
    unsigned turns = 0;
    struct loop_timer timer = {.on_due = stop_waiting};
    run_turns(world.loop, 2);
    moved_clock_run();
    run_turns(world.loop, 1);
    loop_timer_start(world.loop, &timer, 20);
    loop_set_before_wait(world.loop, count_turn, &turns);
    loop_run(world.loop);
    loop_set_before_wait(world.loop, NULL, NULL);
    moved_clock_stand();
    return turns;
}

static void test_a_half_closed_client_that_does_not_read_costs_no_turns(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    peer_send(p, "GET /big?bytes=200000 HTTP/1.1\r\n" HOST "\r\n");
    half_close(p);
    exchange();
    assert_in_range(turns_in_a_moment(), 1, 10);
    peer_pause(p, false);
    peer_expect(p, 200, NULL);
    assert_int_equal(p->body.len, 200000);
    peer_expect_end(p);
}

static void test_an_idle_server_sleeps(void **state) {
    (void)state;
    struct peer *p = send_from(0, GET);
    send_from(1, "GET /wait HTTP/1.1\r\n" HOST "\r\n" GET);
    send_from(2, "GET /wa");
    peer_expect(p, 200, "root");
    expect_waiting(1);
    assert_in_range(turns_in_a_moment(), 1, 10);
}

// Found here: the interim answer was sent from inside the parser, and a client gone just then took the server
// with it.
static void test_a_client_gone_before_its_100_continue(void **state) {
    (void)state;
    world.to_reset = send_from(0, "GET /reset HTTP/1.1\r\n" HOST "\r\nPOST /echo HTTP/1.1\r\n" HOST
                                  "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    run_turns(world.loop, 4);
    exchange();
    assert_int_equal(open_connections(), 0);
}

static void test_a_client_gone_while_its_requests_are_handled(void **state) {
    (void)state;
    static const char *const next[] = {GET, "GET /take HTTP/1.1\r\n" HOST "\r\n",
                                       "GET /abort HTTP/1.1\r\n" HOST "\r\n", "bad\r\n\r\n", "GET /wai"};
    for (int i = 0; i < 5; i++) {
        world.to_reset = send_from(0, "GET /reset HTTP/1.1\r\n" HOST "\r\n");
        peer_send(world.to_reset, next[i]);
        run_turns(world.loop, 4);
        exchange();
        assert_int_equal(open_connections(), 0);
        if (world.taken >= 0) close(world.taken);
        world.taken = -2;
    }
}

// Connections handed over

static void expect_taken(struct peer *p) {
    assert_true(world.taken >= 0);
    assert_true(fcntl(world.taken, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(world.taken, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(write(world.taken, "all mine", 8), 8);
    run_until(world.loop, peer_has_sent, p);
    while (p->got.len < 8) run_turns(world.loop, 1);
    assert_string_equal(buf_string(&p->got), "all mine");
    buf_clear(&p->got);
    peer_send(p, "and back");
    exchange();
    exchange();
    char bytes[16];
    assert_int_equal(read(world.taken, bytes, sizeof bytes), 8); // nothing else reads it
    close(world.taken);
    world.taken = -2;
    peer_expect_end(p);
    peer_release(p);
}

static void test_a_streams_connection_is_the_callers(void **state) {
    (void)state;
    struct peer *p = send_from(0, "GET /take HTTP/1.1\r\n" HOST "\r\n");
    run_turns(world.loop, 3);
    assert_int_equal(open_connections(), 0);
    expect_taken(p);

    p = send_from(0, "POST /take HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"); // after a body
    run_turns(world.loop, 3);
    expect_taken(p);

    p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n"); // in a later turn
    expect_waiting(1);
    world.taken = take_stream(world.waiting[0]);
    world.waiting[0] = NULL;
    run_turns(world.loop, 3);
    expect_taken(p);
}

static void test_a_stream_outlives_server_and_timeouts(void **state) {
    (void)state;
    struct peer *p = send_from(0, "GET /take HTTP/1.1\r\n" HOST "\r\n");
    run_turns(world.loop, 3);
    run_later(world.loop, 24 * 3600 * 1000);
    http_server_free(world.server);
    run_turns(world.loop, 2);
    assert_int_equal(write(world.taken, "still", 5), 5);
    while (p->got.len < 5) run_turns(world.loop, 1);
    assert_false(p->ended);
    world.server = NULL;
}

// Found here: what was answered in the same turn was lost with the connection's buffer.
static void test_answers_before_a_stream_are_sent(void **state) {
    (void)state;
    struct peer *p = send_from(0, GET GET "GET /take HTTP/1.1\r\n" HOST "\r\n");
    peer_expect(p, 200, "root");
    peer_expect(p, 200, "root");
    expect_taken(p);
}

static void test_answers_before_an_abort_are_sent(void **state) {
    (void)state;
    struct peer *p = send_from(0, GET "GET /abort HTTP/1.1\r\n" HOST "\r\n" GET);
    peer_expect(p, 200, "root");
    run_until(world.loop, peer_has_ended, p);
    assert_int_equal(p->got.len, 0);
}

static void ask_for_stream_unread(struct peer *p) {
    peer_send(p, "GET /big?bytes=200000 HTTP/1.1\r\n" HOST "\r\nGET /take HTTP/1.1\r\n" HOST "\r\n");
    exchange();
    assert_int_equal(world.taken, -2);
    assert_int_equal(open_connections(), 1);
}

static void test_a_stream_waits_until_earlier_responses_are_sent(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    ask_for_stream_unread(p);
    peer_pause(p, false);
    peer_expect(p, 200, NULL);
    assert_int_equal(p->body.len, 200000);
    while (world.taken == -2) run_turns(world.loop, 1);
    expect_taken(p);
}

static void test_a_stream_waits_no_longer_than_the_idle_timeout(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    ask_for_stream_unread(p);
    run_later(world.loop, IDLE_MS);
    run_later(world.loop, SWEEP_MS);
    assert_int_equal(open_connections(), 0);
    assert_int_equal(world.handled, 1); // the first
}

static void test_an_abort_waits_until_earlier_responses_are_sent(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    peer_send(p, "GET /big?bytes=200000 HTTP/1.1\r\n" HOST "\r\nGET /abort HTTP/1.1\r\n" HOST "\r\n" GET);
    exchange();
    assert_int_equal(world.handled, 2);
    peer_pause(p, false);
    peer_expect(p, 200, NULL);
    assert_int_equal(p->body.len, 200000);
    run_until(world.loop, peer_has_ended, p);
    assert_int_equal(p->got.len, 0);
    assert_int_equal(world.handled, 2);
}

static void test_an_abort_sends_nothing(void **state) {
    (void)state;
    struct peer *p = send_from(0, "GET /abort HTTP/1.1\r\n" HOST "\r\n");
    peer_expect_end(p);
    peer_release(p);
    p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(1);
    http_abort(world.waiting[0]);
    world.waiting[0] = NULL;
    peer_expect_end(p);
    exchange();
    assert_int_equal(open_connections(), 0);
}

// Answers from elsewhere

// A thread that has the answer, and posts it to the loop.
struct elsewhere {
    struct loop_job job;
    struct http_exchange *exchange;
    pthread_t thread;
    char answer[64];
};

static void on_answer_posted(struct loop_job *job) {
    struct elsewhere *e = (struct elsewhere *)(void *)job;
    reply_text(e->exchange, e->answer);
}

static void *work_out(void *arg) {
    struct elsewhere *e = arg;
    snprintf(e->answer, sizeof e->answer, "of %s", http_request_target(e->exchange->request));
    loop_post(world.loop, &e->job);
    return NULL;
}

static void test_the_answer_comes_from_another_thread(void **state) {
    (void)state;
    enum { THREADS = 8 };
    struct elsewhere e[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        char request[128], answer[64];
        snprintf(request, sizeof request, "GET /wait?%u HTTP/1.1\r\n" HOST "\r\n" GET, i);
        struct peer *p = send_from((int)i, request);
        expect_waiting(i + 1);
        e[i] = (struct elsewhere){.job.run = on_answer_posted, .exchange = world.waiting[i]};
        world.waiting[i] = NULL;
        if (i % 2) peer_reset(p); // some do not wait for it
        assert_int_equal(pthread_create(&e[i].thread, NULL, work_out, &e[i]), 0);
        snprintf(answer, sizeof answer, "of /wait?%u", i);
        if (i % 2 == 0) peer_expect(p, 200, answer);
        if (i % 2 == 0) peer_expect(p, 200, "root"); // and what was pipelined behind it
        pthread_join(e[i].thread, NULL);
    }
    exchange();
    assert_int_equal(open_connections(), THREADS / 2);
}

// Found here: the next request's handler ran inside the call that answered the one before.
static void test_an_answer_leads_to_no_handler_inside_it(void **state) {
    (void)state;
    struct peer *p = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n" GET GET);
    expect_waiting(1);
    unsigned handled = world.handled;
    answer_waiting(0, "late");
    assert_int_equal(world.handled, handled);
    peer_expect(p, 200, "late");
    peer_expect(p, 200, "root");
    peer_expect(p, 200, "root");
    assert_int_equal(world.handled, handled + 2);
}

// A body that lasts is sent from where it is, behind the answers before it and before those behind it.
static void test_a_static_body_keeps_its_place(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    peer_send(p, GET "GET /static HTTP/1.1\r\n" HOST "\r\n" GET "HEAD /static HTTP/1.1\r\n" HOST
                     "\r\nGET /static HTTP/1.0\r\n\r\n");
    run_turns(world.loop, 5);
    assert_true(budget_used() < sizeof static_body / 2);
    peer_pause(p, false);
    peer_expect(p, 200, "root");
    peer_expect(p, 200, static_body);
    peer_expect(p, 200, "root");
    p->asks_head = true;
    peer_expect(p, 200, NULL);
    assert_string_equal(peer_header(p, "Content-Length"), "199999");
    p->asks_head = false;
    peer_expect(p, 200, static_body);
    peer_expect_end(p);
}

static void test_counters(void **state) {
    (void)state;
    const struct http_counters *c = http_server_counters(world.server);
    struct peer *p =
        send_from(0, GET "GET /nothing HTTP/1.1\r\n" HOST "\r\nPOST /echo HTTP/1.1\r\n" HOST "\r\n");
    peer_expect(p, 200, "root");
    peer_expect(p, 404, NULL);
    peer_expect(p, 201, NULL);
    p = send_from(1, "GET /abort HTTP/1.1\r\n" HOST "\r\n");
    peer_expect_end(p);
    p = send_from(2, "bad\r\n\r\n");
    peer_expect(p, 400, NULL);
    send_from(3, "GET /take HTTP/1.1\r\n" HOST "\r\n");
    run_turns(world.loop, 3);
    assert_int_equal(c->connections_accepted, 4);
    assert_int_equal(c->connections_open, 2); // one of them lingers
    assert_int_equal(c->requests, 6);
    assert_int_equal(c->streams, 1);
    assert_int_equal(c->aborted, 1);
    assert_int_equal(c->responses[404], 1);
    assert_int_equal(http_counters_class(c, 2), 2);
    assert_int_equal(http_counters_class(c, 4), 2);
    assert_int_equal(http_counters_class(c, 5), 0);
}

// Refused while sending

enum { FLOOD = 10 * 1024 * 1024 };

static bool has_no_connection(void *arg) {
    (void)arg;
    return !open_connections();
}

static void test_a_refusal_can_be_read_while_still_sending(void **state) {
    (void)state;
    static const char *const heads[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10485760\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 10485760\r\n\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Expect: wonders\r\nContent-Length: 100\r\n\r\n",
    };
    static const int statuses[] = {413, 413, 431, 400, 417};
    char *flood = mem_alloc(FLOOD);
    for (int i = 0; i < 5; i++) {
        memset(flood, 'x', FLOOD);
        for (size_t at = 0; i == 1 && at + 4104 <= FLOOD; at += 4104) { // chunks
            memcpy(flood + at, "1000\r\n", 6);
            memcpy(flood + at + 4102, "\r\n", 2);
        }
        struct peer *p = send_from(0, heads[i]);
        peer_send_bytes(p, flood, FLOOD);
        run_until(world.loop, peer_has_sent, p); // reads the answer only when it has sent all
        assert_int_equal(p->error, 0);
        peer_expect(p, statuses[i], NULL);
        peer_expect_end(p);
        half_close(p);
        run_until(world.loop, has_no_connection, NULL);
        peer_release(p);
    }
    free(flood);
    assert_int_equal(world.handled, 0);
}

static void test_reading_ends_soon_after_a_refusal(void **state) {
    (void)state;
    struct peer *p = send_from(0, "bad\r\n\r\n");
    peer_expect(p, 400, NULL);
    peer_expect_end(p);
    for (int i = 0; i < 9; i++) {
        peer_send(p, "more and more");
        run_later(world.loop, 200);
        assert_int_equal(open_connections(), 1);
    }
    for (int i = 0; i < 4; i++) run_later(world.loop, 200);
    assert_int_equal(open_connections(), 0);
}

// Found here: while the last answer was still being sent, the next request was taken.
static void test_nothing_is_taken_after_a_closing_request(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    peer_send(p, "GET /big?bytes=200000 HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    exchange();
    world.handled = 0;
    peer_send(p, GET);
    exchange();
    assert_int_equal(world.handled, 0);
    peer_pause(p, false);
    peer_expect(p, 200, NULL);
    assert_int_equal(p->body.len, 200000);
    peer_expect_end(p);
}

// Clients that do not read

static void expect_bounded(void) {
    assert_true(budget_used() < 2 * (UNSENT_MAX + 1000 + ANSWER_HEAD_MAX) + 2 * 65536); // buffers double
    assert_int_equal(open_connections(), 1);
}

static void test_requests_of_a_client_that_does_not_read_wait(void **state) {
    (void)state;
    enum { REQUESTS = 20000 };
    struct peer *p = connect_with_small_buffers(0);
    for (int i = 0; i < REQUESTS; i++) {
        char request[400];
        int len = snprintf(request, sizeof request, "GET /param/%d-%0*d HTTP/1.1\r\n" HOST "\r\n", i, 200, 0);
        buf_add(&p->out, request, (size_t)len);
    }
    peer_send(p, "");
    unsigned before = 1;
    for (int quiet = 0; quiet < 20; quiet = world.handled == before ? quiet + 1 : 0) {
        before = world.handled;
        run_turns(world.loop, 1);
        expect_bounded();
    }
    assert_in_range(world.handled, 100, REQUESTS / 4);
    assert_true(p->out.len > 0); // what is not taken stays with the client
    peer_pause(p, false);
    for (int i = 0; i < REQUESTS; i++) {
        peer_receive(p);
        assert_int_equal(strtol(buf_string(&p->body), NULL, 10), i);
        if (i % 1000 == 0) expect_bounded();
    }
    assert_int_equal(world.handled, REQUESTS);
}

static void test_a_client_that_never_reads_is_closed(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    for (int i = 0; i < 10; i++) peer_send(p, "GET /big?bytes=100000 HTTP/1.1\r\n" HOST "\r\n");
    exchange();
    assert_int_equal(open_connections(), 1);
    run_later(world.loop, IDLE_MS - 1);
    assert_int_equal(open_connections(), 1);
    run_later(world.loop, SWEEP_MS);
    run_later(world.loop, SWEEP_MS);
    assert_int_equal(open_connections(), 0);
}

static void test_a_large_response_arrives_whole(void **state) {
    (void)state;
    struct peer *p = connect_with_small_buffers(0);
    peer_send(p, "GET /big?bytes=1000000 HTTP/1.1\r\n" HOST "\r\n" GET);
    exchange();
    peer_pause(p, false);
    peer_expect(p, 200, NULL);
    assert_int_equal(p->body.len, 1000000);
    assert_int_equal(strspn(buf_string(&p->body), "b"), 1000000);
    peer_expect(p, 200, "root");
    assert_true(budget_used() <= 65536); // the memory is given back
}

// Found here: a large answer given later, sent in one go, left the next request lying.
static void test_a_request_behind_a_large_late_answer_is_not_forgotten(void **state) {
    (void)state;
    static char body[300000];
    memset(body, 'x', sizeof body - 1);
    int size = 4 * 1024 * 1024;
    setsockopt(listening_socket(), SOL_SOCKET, SO_SNDBUF, &size,
               sizeof size); // takes it in one call
    for (unsigned i = 0; i < 3; i++) {
        struct peer *p = connect_peer(0);
        peer_send(p, "GET /wait HTTP/1.1\r\n" HOST "\r\n" GET);
        expect_waiting(i + 1);
        answer_waiting(i, body);
        peer_expect(p, 200, body);
        peer_expect(p, 200, "root");
    }
}

// Found here: what was left of a late answer counted only once something else happened to the connection.
static void test_a_late_answer_counts_at_once(void **state) {
    (void)state;
    static char body[300000];
    memset(body, 'x', sizeof body - 1);
    struct peer *p = connect_with_small_buffers(0);
    peer_send(p, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(1);
    answer_waiting(0, body);
    assert_true(budget_used() > sizeof body / 2);
    peer_pause(p, false);
    peer_expect(p, 200, body);
}

// Too many connections, and no descriptors

static void open_small_world(unsigned max_connections) {
    http_server_free(world.server);
    loop_free(world.loop);
    open_world(max_connections);
}

static void test_an_idle_connection_is_closed_the_newest_first(void **state) {
    (void)state;
    open_small_world(3);
    struct peer *busy = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(1);
    struct peer *idle = send_from(1, GET), *younger = send_from(2, GET);
    peer_expect(idle, 200, "root");
    peer_expect(younger, 200, "root");
    struct peer *fresh = send_from(3, GET);
    peer_expect(fresh, 200, "root");
    peer_expect_end(younger); // the newest of the idle ones, and only that
    expect_silence(busy);
    assert_false(idle->ended);
    answer_waiting(0, "done");
    peer_expect(busy, 200, "done");
}

// Found here: room was made before a client needed it, by closing the one just accepted.
static void test_no_connection_is_closed_without_need(void **state) {
    (void)state;
    open_small_world(2);
    struct peer *first = send_from(0, GET), *second = send_from(1, GET);
    peer_expect(first, 200, "root");
    peer_expect(second, 200, "root");
    run_turns(world.loop, 5);
    assert_false(first->ended || second->ended);
    struct peer *third = send_from(2, GET);
    peer_expect(third, 200, "root");
    peer_expect_end(second);
    run_turns(world.loop, 5);
    assert_false(first->ended || third->ended);
    assert_int_equal(open_connections(), 2);
}

// Found by tests/integration/attack: half-sent requests kept their places, and a client between two requests
// lost its own.
static void test_a_half_sent_head_goes_before_a_connection_that_has_been_used(void **state) {
    (void)state;
    open_small_world(2);
    struct peer *used = send_from(0, GET), *half = send_from(1, "GET / HT");
    peer_expect(used, 200, "root");
    run_later(world.loop, SWEEP_MS + 1); // in which the half one has had the time to go on
    peer_send(used, GET);
    peer_expect(used, 200, "root");
    struct peer *fresh = send_from(2, GET);
    peer_expect(fresh, 200, "root");
    peer_expect(half, 503, NULL);
    assert_false(used->ended);
}

static void test_a_new_connection_has_time_to_send_its_request(void **state) {
    (void)state;
    open_small_world(2);
    struct peer *used = send_from(0, GET), *young = connect_peer(1);
    peer_expect(used, 200, "root");
    struct peer *next = send_from(2, GET);
    run_turns(world.loop, 5);
    assert_false(used->ended || young->ended);
    peer_send(young, GET);
    peer_expect(young, 200, "root");
    run_later(world.loop, SWEEP_MS);
    peer_expect(next, 200, "root");
}

// A refused request has been answered: nothing more is due to its client.
static void test_a_connection_that_is_being_closed_goes_first(void **state) {
    (void)state;
    open_small_world(2);
    struct peer *refused = send_from(0, "bad\r\n\r\n"), *used = send_from(1, GET);
    peer_expect(refused, 400, NULL);
    peer_expect(used, 200, "root");
    run_later(world.loop, SWEEP_MS + 1);
    peer_send(used, GET);
    peer_expect(used, 200, "root");
    struct peer *fresh = send_from(2, GET);
    peer_expect(fresh, 200, "root");
    assert_false(used->ended);
}

// Found here: a connection whose request or answer was on its way counted as idle.
static void test_a_connection_at_work_is_not_idle(void **state) {
    (void)state;
    open_small_world(1);
    struct peer *both[] = {send_from(0, GET), send_from(1, GET)}; // accepted in one turn
    peer_expect(both[0], 200, "root");
    run_later(world.loop, SWEEP_MS);
    peer_expect(both[1], 200, "root");
    peer_reset(both[0]);
    peer_reset(both[1]);
    exchange();
    run_turns(world.loop, 3);

    struct peer *reading = connect_with_small_buffers(2);
    peer_send(reading, "GET /big?bytes=200000 HTTP/1.1\r\n" HOST "\r\n");
    run_turns(world.loop, 5);
    struct peer *next = send_from(3, GET);
    run_turns(world.loop, 5);
    peer_pause(reading, false);
    peer_expect(reading, 200, NULL);
    assert_int_equal(reading->body.len, 200000);
    run_later(world.loop, SWEEP_MS);
    peer_expect(next, 200, "root");
}

static void test_without_room_connections_wait(void **state) {
    (void)state;
    open_small_world(2);
    struct peer *busy = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    struct peer *other = send_from(1, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(2);
    struct peer *next = send_from(2, GET);
    run_turns(world.loop, 5);
    assert_int_equal(open_connections(), 2);
    assert_true(next->got.len == 0 && !next->ended);
    assert_in_range(turns_in_a_moment(), 1, 10); // nor does it spin
    answer_waiting(1, "done");
    peer_expect(other, 200, "done");
    peer_reset(other); // and no time passes
    peer_expect(next, 200, "root");
    answer_waiting(0, "done");
    peer_expect(busy, 200, "done");
}

// A client that found no room, because others had only just connected, does not wait for a whole sweep.
static void test_without_room_the_next_try_is_soon(void **state) {
    (void)state;
    open_small_world(1);
    run_later(world.loop, SWEEP_MS / 2); // so that no sweep is near when the grace ends
    struct peer *young = connect_peer(0);
    run_turns(world.loop, 2);
    struct peer *next = send_from(1, GET);
    run_turns(world.loop, 2);
    run_later(world.loop, SWEEP_MS - 10);
    assert_false(young->ended);
    run_later(world.loop, 25);
    run_turns(world.loop, 5);
    assert_true(young->ended);
    peer_expect(next, 200, "root");
}

// Found by tests/integration/attack: the one idle connection was that of an honest user.
static void test_in_a_crowd_at_work_an_old_connection_keeps_its_place(void **state) {
    (void)state;
    enum { CROWD = 40 };
    open_small_world(CROWD);
    struct peer *old = send_from(0, GET);
    peer_expect(old, 200, "root");
    for (unsigned i = 1; i < CROWD; i++) {
        send_from((int)i, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
        expect_waiting(i);
    }
    struct peer *next = send_from(CROWD, GET);
    run_turns(world.loop, 5);
    assert_false(old->ended);
    answer_waiting(0, "done");
    peer_expect(&world.peers[1], 200, "done");
    run_turns(world.loop, 5);
    assert_false(next->got.len || world.peers[1].ended || peer_header(&world.peers[1], "Connection"));
    answer_waiting(CROWD - 2, "done"); // to the newest, which makes room at once
    peer_expect(&world.peers[CROWD - 1], 200, "done");
    assert_string_equal(peer_header(&world.peers[CROWD - 1], "Connection"), "close");
    peer_expect(next, 200, "root");
    assert_false(old->ended);
}

// Found by bench/attacks: the crowd's connections, in the middle of one request after the other, kept their
// places, and new clients waited for as long as it lasted.
static void test_in_a_crowd_that_asks_all_the_time_a_new_client_gets_a_place(void **state) {
    (void)state;
    enum { CROWD = 40 };
    open_small_world(CROWD);
    struct peer *old = send_from(0, GET);
    peer_expect(old, 200, "root");
    run_later(world.loop, SWEEP_MS);
    for (int i = 1; i < CROWD; i++)
        for (int k = 0; k < 1000; k++) peer_send(connect_peer(i), "GET /over HTTP/1.1\r\n" HOST "\r\n");
    run_turns(world.loop, 10);
    struct peer *next = send_from(CROWD, GET);
    peer_expect(next, 200, "root");
    run_turns(world.loop, 2);
    assert_true(world.peers[CROWD - 1].ended); // the newest
    assert_false(world.peers[1].ended || old->ended);
    assert_in_range(http_server_counters(world.server)->requests, CROWD,
                    1000 * CROWD / 2); // the others go on
}

// Between two requests or in the middle of one: all of them keep up, and none has to be closed for that.
static void test_in_a_crowd_that_pauses_a_new_client_gets_a_place(void **state) {
    (void)state;
    enum { CROWD = 40 };
    open_small_world(CROWD + 1);
    for (int i = 0; i < CROWD; i++) peer_expect(send_from(i, GET), 200, "root");
    for (int i = 1; i < CROWD; i += 2) peer_send(&world.peers[i], "GET / HT");
    run_turns(world.loop, 2);
    run_later(world.loop, SWEEP_MS);
    struct peer *young = connect_peer(CROWD);
    run_turns(world.loop, 2);
    struct peer *next = send_from(CROWD + 1, GET), *half = &world.peers[CROWD - 1];
    peer_expect(next, 200, "root");
    peer_expect(half, 503, NULL);
    peer_expect_end(half);
    peer_reset(next);
    run_turns(world.loop, 2);
    peer_expect(send_from(CROWD + 2, GET), 200, "root"); // in the place of that
    peer_expect(send_from(CROWD + 3, GET), 200, "root");
    peer_expect_end(&world.peers[CROWD - 2]);
    assert_false(young->ended || world.peers[0].ended || world.peers[CROWD - 3].ended);
}

// Nobody waits for as many turns as there are clients before it.
static void test_a_full_server_makes_room_for_several_in_a_turn(void **state) {
    (void)state;
    enum { CROWD = 40 };
    open_small_world(CROWD);
    for (int i = 0; i < CROWD; i++) peer_expect(send_from(i, GET), 200, "root");
    run_later(world.loop, SWEEP_MS);
    for (int i = 0; i < 3; i++) connect_peer(CROWD + i);
    uint64_t accepted = http_server_counters(world.server)->connections_accepted;
    run_turns(world.loop, 1);
    assert_int_equal(http_server_counters(world.server)->connections_accepted, accepted + 3);
    assert_int_equal(open_connections(), CROWD);
}

// Leaves the process no descriptor. Returns what was before.
static struct rlimit take_descriptors_away(void) {
    struct rlimit usual, none;
    getrlimit(RLIMIT_NOFILE, &usual);
    int lowest = dup(STDERR_FILENO);
    close(lowest);
    none = usual;
    none.rlim_cur = (rlim_t)lowest;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    return usual;
}

static void test_without_descriptors_idle_connections_make_room(void **state) {
    (void)state;
    struct peer *idle = send_from(0, GET);
    peer_expect(idle, 200, "root");
    struct peer *second = send_from(1, GET);
    peer_expect(second, 200, "root");
    struct peer *fresh = send_from(2, GET);
    struct rlimit usual = take_descriptors_away();
    for (int i = 0; i < 5; i++) run_turns(world.loop, 1);
    setrlimit(RLIMIT_NOFILE, &usual);
    peer_expect(fresh, 200, "root");
    peer_expect_end(second);
    assert_false(idle->ended);
}

// Whether the peer, at another port than the crowd's, is answered, while the process has no descriptor left.
static void expect_room_for(struct peer *p) {
    peer_send(p, GET);
    struct rlimit usual = take_descriptors_away();
    for (int i = 0; i < 5; i++) run_turns(world.loop, 1);
    setrlimit(RLIMIT_NOFILE, &usual);
    peer_expect(p, 200, "root");
    peer_reset(p); // or it would be the one that goes next
    run_turns(world.loop, 2);
}

// Found by tests/integration/attack: the other ports of the process accepted nothing; and later the
// connections that had been used went, among so many that only occupied places.
static void test_a_crowd_makes_room_for_another_port_with_its_newest_connection(void **state) {
    (void)state;
    enum { CROWD = 40 };
    int error = 0, crowded = world.port;
    struct http_server_config config = world_config("127.0.0.1", 1000);
    struct http_server *quiet = http_server_new(world.loop, &config, &error);
    assert_non_null(quiet);
    world.port = http_server_port(quiet);
    struct peer *there = send_from(CROWD + 4, GET);
    peer_expect(there, 200, "root");
    world.port = crowded;
    for (int i = 0; i < CROWD; i++) peer_expect(send_from(i, GET), 200, "root");
    struct peer *newest = connect_peer(CROWD);
    run_turns(world.loop, 2);

    world.port = http_server_port(quiet);
    expect_room_for(connect_peer(CROWD + 1));
    peer_expect_end(newest); // though it has just connected
    expect_room_for(connect_peer(CROWD + 2));
    peer_expect_end(&world.peers[CROWD - 1]); // the newest of those that ask all the time
    for (int i = 0; i < CROWD - 1; i++) assert_false(world.peers[i].ended);

    run_later(world.loop, 1000);
    for (int i = 1; i < CROWD - 1; i++) {
        peer_send(&world.peers[i], GET);
        peer_expect(&world.peers[i], 200, "root");
    }
    expect_room_for(connect_peer(CROWD + 3));
    peer_expect_end(&world.peers[0]);                           // one that is still goes before
    assert_false(world.peers[CROWD - 2].ended || there->ended); // nor does the quiet port's own go
    http_server_free(quiet);
    world.port = crowded;
}

// As many as a crowd must not use up while all of them are being answered.
static struct rlimit leave_descriptors_for_few(void) {
    struct rlimit usual, low;
    getrlimit(RLIMIT_NOFILE, &usual);
    int lowest = dup(STDERR_FILENO);
    close(lowest);
    low = usual;
    for (low.rlim_cur = (rlim_t)lowest; low.rlim_cur - 2 * (low.rlim_cur / 16) < (rlim_t)lowest;)
        low.rlim_cur++;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    return usual;
}

// Found by bench/attacks: thousands of resumes took the last descriptors, and for each health check at the
// comment port a poster's idle connection was closed.
static void test_a_port_without_a_crowd_keeps_its_idle_connections(void **state) {
    (void)state;
    enum { CROWD = 12, HELD = 80 }; // so that the few are more than the test's own
    int error = 0, crowded = world.port, held[HELD];
    for (int i = 0; i < HELD; i++) held[i] = dup(STDERR_FILENO);
    struct http_server_config config = world_config("127.0.0.1", 1000);
    struct http_server *quiet = http_server_new(world.loop, &config, &error);
    assert_non_null(quiet);
    for (int i = 0; i < CROWD; i++) send_from(i, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(CROWD);
    world.port = http_server_port(quiet);
    struct peer *idle = send_from(CROWD, GET);
    peer_expect(idle, 200, "root");
    struct rlimit usual = leave_descriptors_for_few();
    run_later(world.loop, SWEEP_MS); // the servers look at the limit
    run_turns(world.loop, 2);

    world.port = crowded;
    connect_peer(CROWD + 2);
    for (int i = 0; i < 3; i++) run_turns(world.loop, 1);
    assert_int_equal(open_connections(), CROWD); // it waits
    world.port = http_server_port(quiet);
    peer_expect(send_from(CROWD + 1, GET), 200, "root");
    assert_false(idle->ended);
    world.port = crowded;

    for (int i = 0; i < HELD; i++) close(held[i]);
    setrlimit(RLIMIT_NOFILE, &usual);
    run_later(world.loop, SWEEP_MS);
    run_turns(world.loop, 2);
    assert_int_equal(open_connections(), CROWD + 1);
    http_server_free(quiet);
}

static void test_a_large_request_waits_for_small_ones_while_there_are_many(void **state) {
    (void)state;
    char large[6000], *end = large + snprintf(large, sizeof large, "GET /wait?large HTTP/1.1\r\n" HOST "X: ");
    memset(end, 'x', sizeof large - 5 - (size_t)(end - large));
    memcpy(large + sizeof large - 5, "\r\n\r\n", 5);
    for (int i = 0; i < 4; i++) peer_expect(send_from(i, GET), 200, "root");
    for (int i = 0; i < 2; i++) peer_send(&world.peers[i], large); // what is served as it becomes ready
    for (int i = 0; i < 2; i++) {
        peer_send(&world.peers[i], large);
        peer_send(&world.peers[i], large);
        peer_send(&world.peers[i], large);
    }
    peer_send(&world.peers[2], large);
    peer_send(&world.peers[3], "GET /wait?small HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(4);
    const char *last = NULL;
    for (unsigned i = 0; i < 4; i++) {
        const char *target = http_request_target(world.waiting[i]->request);
        if (strcmp(target, "/wait?small") == 0) last = i < 3 ? target : NULL;
    }
    assert_non_null(last);
}

static void test_without_descriptors_it_goes_on_and_logs_it(void **state) {
    (void)state;
    char said[1024] = "";
    int log = memfd_create("log", MFD_CLOEXEC), real_stderr = dup(STDERR_FILENO);
    struct peer *busy = send_from(0, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(1);
    struct peer *fresh = send_from(1, GET);
    log_set_level(LOG_WARN);
    dup2(log, STDERR_FILENO);
    struct rlimit usual = take_descriptors_away();
    for (int i = 0; i < 20; i++) run_later(world.loop, 50); // tries again, and logs it once
    answer_waiting(0, "served all the same");
    for (int i = 0; i < 3; i++) run_turns(world.loop, 1);
    unsigned spun = turns_in_a_moment();
    setrlimit(RLIMIT_NOFILE, &usual);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    assert_true(pread(log, said, sizeof said - 1, 0) > 0);
    close(log);
    assert_in_range(spun, 1, 10);
    assert_memory_equal(said, "level=warn role=test event=out_of_descriptors connections=1 ", 60);
    assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1); // one line
    peer_expect(busy, 200, "served all the same");
    run_later(world.loop, SWEEP_MS);
    run_turns(world.loop, 2);
    peer_expect(fresh, 200, "root"); // accepts again
}

// The end of the server

static void test_a_server_freed_with_all_kinds_of_connections(void **state) {
    (void)state;
    struct peer *idle = send_from(0, GET), *late[5];
    peer_expect(idle, 200, "root");
    connect_peer(1);
    send_from(2, "GET / HT");
    send_from(3, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhel");
    struct peer *refused = send_from(4, "bad\r\n\r\n");
    peer_expect(refused, 400, NULL);
    for (int i = 0; i < 5; i++) late[i] = send_from(5 + i, "GET /wait HTTP/1.1\r\n" HOST "\r\n" GET);
    struct peer *paused = connect_with_small_buffers(10);
    peer_send(paused, "GET /big?bytes=200000 HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(5);
    exchange();
    peer_reset(late[4]); // gone already
    run_turns(world.loop, 2);
    send_from(11, GET); // not accepted yet
    http_server_free(world.server);
    world.server = NULL;
    assert_int_equal(take_stream(world.waiting[0]), -1);
    http_abort(world.waiting[1]);
    run_turns(world.loop, 2);
    answer_waiting(2, "not received");
    http_reply_error(world.waiting[3], 503, "closing", "Going away.");
    http_reply(world.waiting[4], &(struct http_reply){.status = 204});
    for (int i = 0; i < 5; i++) world.waiting[i] = NULL;
    for (int i = 0; i < 12; i++) {
        struct peer *p = &world.peers[i];
        if (!p->loop) continue;
        peer_pause(p, false);
        run_until(world.loop, peer_has_ended, p);
        if (i >= 5 && i < 9) assert_int_equal(p->got.len, 0);
    }
}

static void test_a_server_freed_in_a_turn_of_requests(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) send_from(i, GET GET "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    run_turns(world.loop, 1); // accepted, and nothing read yet
    http_server_free(world.server);
    world.server = NULL;
    run_turns(world.loop, 3);
    assert_int_equal(world.handled, 0);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVED(test_a_client_gone_before_the_answer),
        SERVED(test_a_client_gone_before_its_stream_or_abort),
        SERVED(test_a_client_gone_in_the_middle_of_its_request),
        SERVED(test_a_half_closed_client_gets_its_responses),
        SERVED(test_a_half_closed_client_that_does_not_read_costs_no_turns),
        SERVED(test_an_idle_server_sleeps),
        SERVED(test_a_client_gone_before_its_100_continue),
        SERVED(test_a_client_gone_while_its_requests_are_handled),
        SERVED(test_a_streams_connection_is_the_callers),
        SERVED(test_a_stream_outlives_server_and_timeouts),
        SERVED(test_answers_before_a_stream_are_sent),
        SERVED(test_answers_before_an_abort_are_sent),
        SERVED(test_a_stream_waits_until_earlier_responses_are_sent),
        SERVED(test_a_stream_waits_no_longer_than_the_idle_timeout),
        SERVED(test_an_abort_waits_until_earlier_responses_are_sent),
        SERVED(test_an_abort_sends_nothing),
        SERVED(test_the_answer_comes_from_another_thread),
        SERVED(test_an_answer_leads_to_no_handler_inside_it),
        SERVED(test_a_static_body_keeps_its_place),
        SERVED(test_counters),
        SERVED(test_a_refusal_can_be_read_while_still_sending),
        SERVED(test_reading_ends_soon_after_a_refusal),
        SERVED(test_nothing_is_taken_after_a_closing_request),
        SERVED(test_requests_of_a_client_that_does_not_read_wait),
        SERVED(test_a_client_that_never_reads_is_closed),
        SERVED(test_a_large_response_arrives_whole),
        SERVED(test_a_request_behind_a_large_late_answer_is_not_forgotten),
        SERVED(test_a_late_answer_counts_at_once),
        SERVED(test_an_idle_connection_is_closed_the_newest_first),
        SERVED(test_no_connection_is_closed_without_need),
        SERVED(test_a_half_sent_head_goes_before_a_connection_that_has_been_used),
        SERVED(test_a_new_connection_has_time_to_send_its_request),
        SERVED(test_a_connection_that_is_being_closed_goes_first),
        SERVED(test_a_connection_at_work_is_not_idle),
        SERVED(test_without_room_connections_wait),
        SERVED(test_without_room_the_next_try_is_soon),
        SERVED(test_in_a_crowd_at_work_an_old_connection_keeps_its_place),
        SERVED(test_in_a_crowd_that_asks_all_the_time_a_new_client_gets_a_place),
        SERVED(test_in_a_crowd_that_pauses_a_new_client_gets_a_place),
        SERVED(test_a_full_server_makes_room_for_several_in_a_turn),
        SERVED(test_without_descriptors_idle_connections_make_room),
        SERVED(test_a_crowd_makes_room_for_another_port_with_its_newest_connection),
        SERVED(test_a_port_without_a_crowd_keeps_its_idle_connections),
        SERVED(test_a_large_request_waits_for_small_ones_while_there_are_many),
        SERVED(test_without_descriptors_it_goes_on_and_logs_it),
        SERVED(test_a_server_freed_with_all_kinds_of_connections),
        SERVED(test_a_server_freed_in_a_turn_of_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
