// Ends of sinks: what the other end of a socket sees, and that a transport's own close() is used.
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "net/sink.h"
#include "socket_pairs.h"
#include "unit.h"

static ssize_t read_at_other_end(enum sink_end end) {
    struct socket_pair p = socket_pair_open(LOOPBACK, 0);
    struct sink s = sink_from_socket(p.server, SINK_CHUNKED);
    assert_int_equal(s.worker, SINK_ANY_WORKER);
    assert_null(s.ops);
    sink_close(&s, end);
    fcntl(p.client, F_SETFL, 0); // loopback may take its time
    char byte;
    ssize_t n = recv(p.client, &byte, 1, 0);
    int error = errno;
    close(p.client);
    errno = error;
    return n;
}

static void a_socket_that_is_cut_or_complete_ends_with_a_fin(void **state) {
    (void)state;
    assert_int_equal(read_at_other_end(SINK_CUT), 0);
    assert_int_equal(read_at_other_end(SINK_COMPLETE), 0);
}

static void a_socket_reset_ends_with_an_error(void **state) {
    (void)state;
    assert_int_equal(read_at_other_end(SINK_RESET), -1);
    assert_int_equal(errno, ECONNRESET);
}

struct closed {
    int fd;
    enum sink_end end;
    unsigned times;
};

static void note_close(void *state, int fd, enum sink_end end) {
    struct closed *c = state;
    *c = (struct closed){fd, end, c->times + 1};
}

static void another_transport_uses_its_own_close(void **state) {
    (void)state;
    static const struct sink_ops ops = {.close = note_close};
    struct closed closed = {0};
    struct sink s = {.fd = -1, .ops = &ops, .state = &closed};
    sink_close(&s, SINK_RESET);
    assert_int_equal(closed.times, 1);
    assert_int_equal(closed.fd, -1);
    assert_int_equal(closed.end, SINK_RESET);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_that_is_cut_or_complete_ends_with_a_fin),
        cmocka_unit_test(a_socket_reset_ends_with_an_error),
        cmocka_unit_test(another_transport_uses_its_own_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
