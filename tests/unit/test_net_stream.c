#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include "base/container_of.h"
#include "net/sock.h"
#include "run_loop.h"
#include "socket_pairs.h"
#include "unit.h"

struct owner {
    struct stream stream;
    unsigned calls;
    bool reads, closes; // in on_ready()
    char got[1 << 16];
    size_t len;
    ssize_t last; // what the last read returned
};

static struct loop *loop;

static void read_all(struct owner *o) {
    while (o->stream.readable && o->len < sizeof o->got) {
        o->last = stream_read(&o->stream, o->got + o->len, sizeof o->got - o->len);
        if (o->last > 0) o->len += (size_t)o->last;
    }
}

static void on_ready(struct stream *s) {
    struct owner *o = container_of(s, struct owner, stream);
    o->calls++;
    if (o->reads) read_all(o);
    if (o->closes) stream_close(s);
}

static int set_up(void **state) {
    struct owner *o = calloc(1, sizeof *o);
    loop = loop_new();
    stream_init(&o->stream, &stream_tcp, loop, on_ready);
    *state = o;
    return 0;
}

static int tear_down(void **state) {
    struct owner *o = *state;
    stream_close(&o->stream);
    loop_free(loop);
    free(o);
    return 0;
}

// Returns the peer's descriptor of a stream that was accepted, with room for so many bytes between them (0:
// many).
static int accept_one(struct owner *o, int buffer_bytes) {
    struct socket_pair p = socket_pair_open(LOOPBACK, buffer_bytes);
    fcntl(p.client, F_SETFL, O_NONBLOCK);
    assert_int_equal(stream_accept(&o->stream, p.server), 0);
    return p.client;
}

static bool was_called(void *arg) {
    return ((struct owner *)arg)->calls > 0;
}

static bool is_writable(void *arg) {
    return ((struct owner *)arg)->stream.writable;
}

static bool has_fin(void *arg) {
    return ((struct owner *)arg)->stream.fin;
}

static bool has_ended(void *arg) {
    const struct owner *o = arg;
    return !o->last && o->calls;
}

static union address listening(int *listener) {
    union address at;
    assert_true(address_parse(&at, "127.0.0.1"));
    *listener = sock_listen(&at, false);
    assert_true(*listener >= 0);
    assert_int_equal(sock_local_address(*listener, &at), 0);
    return at;
}

static void is_closed_at_first(void **state) {
    struct owner *o = *state;
    assert_true(stream_is_closed(&o->stream));
    stream_close(&o->stream);
    stream_close(&o->stream);
}

static void an_accepted_one_is_open(void **state) {
    struct owner *o = *state;
    int peer = accept_one(o, 0);
    assert_int_equal(o->stream.error, 0);
    assert_true(o->stream.writable);
    assert_false(o->stream.readable || o->stream.fin || o->stream.broken);
    assert_int_equal(o->calls, 0);
    close(peer);
}

static void connects_in_a_later_turn(void **state) {
    struct owner *o = *state;
    int listener;
    union address at = listening(&listener), peer;
    assert_int_equal(stream_connect(&o->stream, &at), 0);
    assert_int_equal(o->stream.error, -EINPROGRESS);
    assert_int_equal(o->calls, 0);
    run_until(loop, was_called, o);
    assert_int_equal(o->stream.error, 0);
    assert_int_equal(sock_peer_address(o->stream.watch.fd, &peer), 0);
    assert_int_equal(address_port(&peer), address_port(&at));
    assert_int_equal(stream_write(&o->stream, "x", 1), 1);
    sock_close(listener);
}

static void reports_why_it_cannot_connect(void **state) {
    struct owner *o = *state;
    int listener;
    union address at = listening(&listener);
    sock_close(listener);
    assert_int_equal(stream_connect(&o->stream, &at), 0);
    run_until(loop, was_called, o);
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->stream.error, -ECONNREFUSED);
    stream_close(&o->stream);
    assert_true(address_parse(&at, "255.255.255.255"));
    address_set_port(&at, 80);
    assert_true(stream_connect(&o->stream, &at) < 0);
    assert_true(stream_is_closed(&o->stream));
}

static void connects_again_after_a_close(void **state) {
    struct owner *o = *state;
    close(accept_one(o, 0));
    run_until(loop, has_fin, o);
    stream_close(&o->stream);
    assert_true(stream_is_closed(&o->stream));
    o->calls = 0;
    connects_in_a_later_turn(state);
    assert_false(o->stream.readable || o->stream.fin || o->stream.broken); // nothing is left of the first
}

static void is_readable_until_everything_is_read(void **state) {
    struct owner *o = *state;
    char byte;
    int peer = accept_one(o, 0);
    assert_int_equal(stream_read(&o->stream, &byte, 1), -EAGAIN);
    assert_int_equal(write(peer, "abc", 3), 3);
    run_until(loop, was_called, o);
    assert_true(o->stream.readable);
    for (int i = 0; i < 3; i++) {
        assert_true(o->stream.readable);
        assert_int_equal(stream_read(&o->stream, &byte, 1), 1);
    }
    if (o->stream.readable) assert_int_equal(stream_read(&o->stream, &byte, 1), -EAGAIN);
    assert_false(o->stream.readable);
    close(peer);
}

static void unread_bytes_are_reported_only_on_demand(void **state) {
    struct owner *o = *state;
    char byte;
    int peer = accept_one(o, 0);
    assert_int_equal(write(peer, "abc", 3), 3);
    run_until(loop, was_called, o);
    assert_int_equal(stream_read(&o->stream, &byte, 1), 1);
    o->calls = 0;
    run_turns(loop, 3);
    assert_int_equal(o->calls, 0);
    assert_true(o->stream.readable);
    stream_ready_again(&o->stream);
    assert_int_equal(o->calls, 0);
    run_until(loop, was_called, o);
    read_all(o);
    assert_int_equal(o->len, 2);
    close(peer);
}

static void a_full_one_is_not_writable_until_there_is_room(void **state) {
    static char much[1 << 16];
    struct owner *o = *state;
    int peer = accept_one(o, 4096);
    ssize_t n, sent = 0;
    while ((n = stream_write(&o->stream, much, sizeof much)) > 0) sent += n;
    assert_int_equal(n, -EAGAIN);
    assert_true(sent > 0);
    assert_false(o->stream.writable || o->stream.broken);
    run_turns(loop, 2);
    assert_false(o->stream.writable);
    for (ssize_t got = 0; got < sent && !o->stream.writable;) {
        n = read(peer, much, sizeof much);
        if (n > 0) got += n;
        run_turns(loop, 1);
    }
    run_until(loop, is_writable, o);
    close(peer);
}

static void several_pieces_are_written_in_order(void **state) {
    struct owner *o = *state;
    char got[16];
    int peer = accept_one(o, 0);
    struct iovec iov[] = {{"one ", 4}, {"two ", 4}, {"three", 5}};
    assert_int_equal(stream_writev(&o->stream, iov, 3), 13);
    assert_int_equal(sock_wait(peer, 1, 10000), 1);
    assert_int_equal(read(peer, got, sizeof got), 13);
    assert_memory_equal(got, "one two three", 13);
    assert_true(o->stream.writable);
    close(peer);
}

static void the_peers_end_comes_after_its_bytes(void **state) {
    struct owner *o = *state;
    int peer = accept_one(o, 0);
    o->reads = true;
    o->last = 1;
    assert_int_equal(write(peer, "abc", 3), 3);
    shutdown(peer, SHUT_WR);
    run_until(loop, has_ended, o);
    assert_true(o->stream.fin);
    assert_false(o->stream.broken);
    assert_int_equal(o->len, 3);
    assert_int_equal(stream_write(&o->stream, "still", 5), 5);
    close(peer);
}

static void shutting_down_ends_only_our_direction(void **state) {
    struct owner *o = *state;
    char got[8];
    int peer = accept_one(o, 0);
    assert_int_equal(stream_write(&o->stream, "abc", 3), 3);
    stream_shutdown(&o->stream);
    assert_int_equal(sock_wait(peer, 1, 10000), 1);
    assert_int_equal(read(peer, got, sizeof got), 3);
    assert_int_equal(read(peer, got, sizeof got), 0);
    assert_int_equal(write(peer, "de", 2), 2);
    o->reads = true;
    run_until(loop, was_called, o);
    assert_int_equal(o->len, 2);
    close(peer);
}

static bool is_broken(void *arg) {
    return ((struct owner *)arg)->stream.broken;
}

static void a_reset_breaks_it(void **state) {
    struct owner *o = *state;
    char byte;
    int peer = accept_one(o, 0);
    sock_reset(peer);
    run_until(loop, is_broken, o);
    assert_true(o->stream.readable);
    assert_int_equal(stream_read(&o->stream, &byte, 1), -ECONNRESET);
    assert_int_equal(stream_write(&o->stream, "x", 1), -EPIPE);
}

static void may_be_closed_by_its_callback(void **state) {
    struct owner *o = *state;
    char byte;
    int peer = accept_one(o, 0);
    o->closes = true;
    assert_int_equal(write(peer, "abc", 3), 3);
    run_until(loop, was_called, o);
    assert_true(stream_is_closed(&o->stream));
    assert_false(o->stream.readable || o->stream.writable);
    assert_int_equal(sock_wait(peer, 1, 10000) & 1, 1);
    assert_int_equal(read(peer, &byte, 1) < 0 ? errno : 0, ECONNRESET); // closed with something unread
    close(peer);
}

static void no_callback_follows_a_close(void **state) {
    struct owner *o = *state;
    int peer = accept_one(o, 0);
    assert_int_equal(write(peer, "abc", 3), 3);
    stream_ready_again(&o->stream);
    stream_close(&o->stream);
    run_turns(loop, 3);
    assert_int_equal(o->calls, 0);
    close(peer);
}

static void knows_what_the_kernel_holds(void **state) {
    struct owner *o = *state;
    int peer = accept_one(o, 0);
    assert_false(stream_has_unread(&o->stream));
    assert_int_equal(write(peer, "abc", 3), 3);
    assert_int_equal(sock_wait(o->stream.watch.fd, 1, 10000), 1);
    assert_true(stream_has_unread(&o->stream));
    assert_false(o->stream.readable); // the loop has not run
    close(peer);
}

static void becomes_a_sink(void **state) {
    struct owner *o = *state;
    char got[8];
    int peer = accept_one(o, 0);
    struct sink sink = stream_take_sink(&o->stream, SINK_CHUNKED);
    assert_true(stream_is_closed(&o->stream));
    assert_null(sink.ops);
    assert_int_equal(sink.framing, SINK_CHUNKED);
    assert_int_equal(sock_write(sink.fd, "abc", 3), 3);
    assert_int_equal(sock_wait(peer, 1, 10000), 1);
    assert_int_equal(read(peer, got, sizeof got), 3);
    run_turns(loop, 2);
    assert_int_equal(o->calls, 0);
    sink_close(&sink, SINK_CUT);
    close(peer);
}

static void waits_outside_of_the_loop(void **state) {
    struct owner *o = *state;
    int peer = accept_one(o, 0);
    o->reads = true;
    assert_false(stream_wait(&o->stream, 0));
    assert_int_equal(o->calls, 0);
    assert_int_equal(write(peer, "abc", 3), 3);
    assert_true(stream_wait(&o->stream, 10000));
    assert_int_equal(o->calls, 1);
    assert_int_equal(o->len, 3);
    close(peer);
}

int main(void) {
#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STREAM_TEST(is_closed_at_first),
        STREAM_TEST(an_accepted_one_is_open),
        STREAM_TEST(connects_in_a_later_turn),
        STREAM_TEST(reports_why_it_cannot_connect),
        STREAM_TEST(connects_again_after_a_close),
        STREAM_TEST(is_readable_until_everything_is_read),
        STREAM_TEST(unread_bytes_are_reported_only_on_demand),
        STREAM_TEST(a_full_one_is_not_writable_until_there_is_room),
        STREAM_TEST(several_pieces_are_written_in_order),
        STREAM_TEST(the_peers_end_comes_after_its_bytes),
        STREAM_TEST(shutting_down_ends_only_our_direction),
        STREAM_TEST(a_reset_breaks_it),
        STREAM_TEST(may_be_closed_by_its_callback),
        STREAM_TEST(no_callback_follows_a_close),
        STREAM_TEST(knows_what_the_kernel_holds),
        STREAM_TEST(becomes_a_sink),
        STREAM_TEST(waits_outside_of_the_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
