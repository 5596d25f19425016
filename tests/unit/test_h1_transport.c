// A server over a transport that is not plain TCP: it shakes hands before it carries anything, keeps bytes of
// its own when the socket has none left, takes only a part of what it is given, and hides all of it on the
// wire.
#include "http_world.h"

#include <sys/uio.h>

#include "net/sock.h"
#include "net/stream.h"

enum { KEY = 0x5a, HELLO = '!', ROOM = 4096, MOST_TAKEN = 1000 };

// Of the one connection that a test has.
static struct {
    char read[ROOM];
    size_t len, used;
    unsigned partly, opened, closed;
    bool keeps; // what it takes next
    struct buf kept;
    bool refuses; // the next write
    struct stream *stream;
} carried;

static void scramble(char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) bytes[i] ^= KEY;
}

static void carried_open(struct stream *s, bool is_server) {
    assert_true(is_server);
    carried.opened++;
    carried.stream = s;
    s->error = -EINPROGRESS;
}

static bool carried_on_socket(struct stream *s, uint32_t events) {
    char hello;
    if (events & (EPOLLERR | EPOLLHUP)) s->broken = s->readable = true;
    if (events & EPOLLRDHUP) s->fin = true;
    if (s->error == -EINPROGRESS) {
        if (s->broken || sock_read(s->watch.fd, &hello, 1) != 1) return s->broken;
        s->error = hello == HELLO ? 0 : -EPROTO;
    }
    s->readable = true;
    s->writable = !carried.kept.len;
    return true;
}

// Sends what was kept.
static void carried_send_kept(void) {
    assert_int_equal(sock_write(carried.stream->watch.fd, carried.kept.data, carried.kept.len),
                     carried.kept.len);
    buf_release(&carried.kept);
    carried.keeps = false;
    stream_ready_again(carried.stream);
}

static ssize_t carried_read(struct stream *s, void *bytes, size_t room) {
    if (carried.used == carried.len) {
        ssize_t n = sock_read(s->watch.fd, carried.read, ROOM);
        if (n <= 0) {
            s->readable = false;
            return n;
        }
        carried.len = (size_t)n;
        carried.used = 0;
        scramble(carried.read, carried.len);
    }
    size_t left = carried.len - carried.used, n = left < room ? left : room;
    if (n > 7) n = 7;
    memcpy(bytes, carried.read + carried.used, n);
    carried.used += n;
    return (ssize_t)n;
}

static ssize_t carried_writev(struct stream *s, const struct iovec *iov, size_t count) {
    char bytes[MOST_TAKEN];
    size_t len = 0, wanted = 0;
    for (size_t i = 0; i < count; i++) {
        size_t n = iov[i].iov_len < MOST_TAKEN - len ? iov[i].iov_len : MOST_TAKEN - len;
        memcpy(bytes + len, iov[i].iov_base, n);
        len += n;
        wanted += iov[i].iov_len;
    }
    scramble(bytes, len);
    if (carried.refuses) {
        carried.refuses = s->writable = false;
        stream_ready_again(s);
        return -EAGAIN;
    }
    if (carried.keeps) {
        buf_add(&carried.kept, bytes, len);
        s->writable = false;
        return (ssize_t)len;
    }
    ssize_t sent = sock_write(s->watch.fd, bytes, len);
    if (sent < 0) s->writable = false;
    carried.partly += sent > 0 && (size_t)sent < wanted;
    return sent;
}

static void carried_shutdown(struct stream *s) {
    sock_shutdown(s->watch.fd);
}

static bool carried_has_unread(const struct stream *s) {
    return carried.used < carried.len || sock_unread(s->watch.fd);
}

static void carried_close(struct stream *s) {
    (void)s;
    carried.closed++;
}

static struct sink carried_take_sink(struct stream *s, int fd, enum sink_framing framing) {
    static struct sink_ops ops;
    (void)s;
    return (struct sink){.fd = fd, .framing = framing, .worker = SINK_ANY_WORKER, .ops = &ops};
}

static const struct stream_ops carrier = {.open = carried_open,
                                          .on_socket = carried_on_socket,
                                          .read = carried_read,
                                          .writev = carried_writev,
                                          .shutdown = carried_shutdown,
                                          .has_unread = carried_has_unread,
                                          .close = carried_close,
                                          .take_sink = carried_take_sink};

static int set_up_carried(void **state) {
    (void)state;
    buf_release(&carried.kept);
    memset(&carried, 0, sizeof carried);
    open_world_over(&carrier, 10);
    return 0;
}

static void send_scrambled(struct peer *p, const char *text) {
    char *bytes = mem_strdup(text);
    scramble(bytes, strlen(text));
    peer_send_bytes(p, bytes, strlen(text));
    free(bytes);
}

static bool has_sent(void *bytes) {
    return world.peers[0].got.len >= *(size_t *)bytes;
}

// Waits for that many bytes, and descrambles them.
static const char *receive(struct peer *p, size_t bytes) {
    run_until(world.loop, has_sent, &bytes);
    scramble(p->got.data, p->got.len);
    return buf_string(&p->got);
}

#define GET "GET / HTTP/1.1\r\n" HOST "\r\n"

static void test_requests_are_answered(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    peer_send(p, "!");
    send_scrambled(p, GET "GET /big?bytes=100000 HTTP/1.1\r\n" HOST "\r\n" GET);
    const char *got = receive(p, 100400);
    assert_memory_equal(got, "HTTP/1.1 200 OK\r\n", 17);
    const char *big = strstr(got, "\r\n\r\nroot");
    assert_non_null(big);
    big = strstr(big + 8, "\r\n\r\n");
    assert_int_equal(strspn(big + 4, "b"), 100000);
    assert_memory_equal(big + 100004, "HTTP/1.1 200 OK\r\n", 17);
    assert_true(carried.partly > 50);
    assert_int_equal(world.handled, 3);
}

static void test_nothing_is_read_before_hands_are_shaken(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    run_turns(world.loop, 3);
    assert_int_equal(open_connections(), 1);
    send_scrambled(p, "x"); // not what is said first
    run_until(world.loop, peer_has_ended, p);
    assert_int_equal(open_connections(), 0);
    assert_int_equal(carried.opened, 1);
    assert_int_equal(carried.closed, 1);
}

static void test_a_handshake_must_end_in_time(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    run_turns(world.loop, 3);
    run_later(world.loop, HEADER_MS + SWEEP_MS);
    run_later(world.loop, SWEEP_MS);
    run_until(world.loop, peer_has_ended, p);
    assert_int_equal(open_connections(), 0);
    assert_int_equal(world.handled, 0);
}

static void test_a_stream_gets_the_transports_sink(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    peer_send(p, "!");
    send_scrambled(p, "GET /wait HTTP/1.1\r\n" HOST "\r\n");
    expect_waiting(1);
    struct sink sink;
    struct buf head = {0};
    assert_true(http_begin_stream(world.waiting[0], &sink, &head));
    world.waiting[0] = NULL;
    assert_non_null(sink.ops);
    assert_int_equal(sink.framing, SINK_CHUNKED);
    assert_int_equal(carried.closed, 0); // its state is the sink's now
    buf_release(&head);
    world.taken = sink.fd;
}

// Found here: the connection was closed as soon as the transport had taken the response.
static void test_what_the_transport_keeps_reaches_a_half_closed_client(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    peer_send(p, "!");
    send_scrambled(p, GET);
    assert_int_equal(shutdown(p->fd, SHUT_WR), 0);
    carried.keeps = true;
    while (!carried.kept.len) run_turns(world.loop, 1);
    run_turns(world.loop, 3);
    assert_int_equal(open_connections(), 1);
    carried_send_kept();
    assert_non_null(strstr(receive(p, 100), "\r\n\r\nroot"));
    run_until(world.loop, peer_has_ended, p);
    assert_int_equal(open_connections(), 0);
}

static void test_what_the_transport_keeps_is_sent_before_the_end(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    peer_send(p, "!");
    carried.keeps = true;
    send_scrambled(p, GET "GET /abort HTTP/1.1\r\n" HOST "\r\n");
    while (!carried.kept.len) run_turns(world.loop, 1);
    run_turns(world.loop, 3);
    assert_int_equal(open_connections(), 1);
    carried_send_kept();
    assert_non_null(strstr(receive(p, 100), "\r\n\r\nroot"));
    run_until(world.loop, peer_has_ended, p);
}

// Found here: the connection was closed, though the transport could not write for a moment only.
static void test_a_stream_begins_behind_a_response_that_could_not_be_written_at_first(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    peer_send(p, "!");
    carried.refuses = true;
    send_scrambled(p, GET "GET /take HTTP/1.1\r\n" HOST "\r\n");
    while (world.taken == -2) run_turns(world.loop, 1);
    assert_true(world.taken >= 0);
    assert_false(carried.refuses);
    assert_non_null(strstr(receive(p, 100), "\r\n\r\nroot"));
    assert_int_equal(world.handled, 2);
}

static void test_an_abort_comes_behind_a_response_that_could_not_be_written_at_first(void **state) {
    (void)state;
    struct peer *p = connect_peer(0);
    peer_send(p, "!");
    carried.refuses = true;
    send_scrambled(p, GET "GET /abort HTTP/1.1\r\n" HOST "\r\n");
    run_until(world.loop, peer_has_ended, p);
    assert_false(carried.refuses);
    assert_non_null(strstr(receive(p, 100), "\r\n\r\nroot"));
    assert_int_equal(http_server_counters(world.server)->aborted, 1);
}

#define CARRIED(test) cmocka_unit_test_setup_teardown(test, set_up_carried, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CARRIED(test_requests_are_answered),
        CARRIED(test_nothing_is_read_before_hands_are_shaken),
        CARRIED(test_a_handshake_must_end_in_time),
        CARRIED(test_a_stream_gets_the_transports_sink),
        CARRIED(test_what_the_transport_keeps_reaches_a_half_closed_client),
        CARRIED(test_what_the_transport_keeps_is_sent_before_the_end),
        CARRIED(test_a_stream_begins_behind_a_response_that_could_not_be_written_at_first),
        CARRIED(test_an_abort_comes_behind_a_response_that_could_not_be_written_at_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
