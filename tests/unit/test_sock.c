#include "net/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "unit.h"

enum { WAIT_MS = 10000 };

static union address loopback(int port) {
    union address a;
    assert_true(address_parse(&a, "127.0.0.1"));
    address_set_port(&a, port);
    return a;
}

static int listen_somewhere(union address *at) {
    *at = loopback(0);
    int listener = sock_listen(at, false);
    assert_true(listener >= 0);
    assert_int_equal(sock_local_address(listener, at), 0);
    return listener;
}

struct ends {
    int near, far;
};

static struct ends connect_ends(void) {
    struct ends e;
    union address at, peer, near;
    int listener = listen_somewhere(&at);
    e.near = sock_connect(&at, NULL);
    assert_true(e.near >= 0);
    assert_int_equal(sock_wait(listener, POLLIN, WAIT_MS), POLLIN);
    e.far = sock_accept(listener, &peer);
    assert_true(e.far >= 0);
    assert_int_equal(sock_local_address(e.near, &near), 0);
    assert_int_equal(address_port(&peer), address_port(&near));
    sock_close(listener);
    return e;
}

static void disconnect(struct ends e) {
    if (e.near >= 0) sock_close(e.near);
    if (e.far >= 0) sock_close(e.far);
}

static ssize_t read_soon(int fd, void *bytes, size_t room) {
    assert_true(sock_wait(fd, POLLIN, WAIT_MS) & POLLIN);
    return sock_read(fd, bytes, room);
}

static void connects_and_accepts(void **state) {
    (void)state;
    struct ends e = connect_ends();
    union address a;
    assert_int_equal(sock_error(e.near), 0);
    assert_int_equal(sock_peer_address(e.far, &a), 0);
    assert_int_equal(ntohl(a.v4.sin_addr.s_addr), INADDR_LOOPBACK);
    assert_true(fcntl(e.near, F_GETFD) & FD_CLOEXEC && fcntl(e.far, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(e.near, F_GETFL) & O_NONBLOCK && fcntl(e.far, F_GETFL) & O_NONBLOCK);
    disconnect(e);
}

static void connects_from_an_address(void **state) {
    (void)state;
    union address at, peer, from = loopback(0);
    from.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
    int listener = listen_somewhere(&at), fd = sock_connect(&at, &from);
    assert_true(fd >= 0);
    assert_int_equal(sock_wait(listener, POLLIN, WAIT_MS), POLLIN);
    int far = sock_accept(listener, &peer);
    assert_int_equal(ntohl(peer.v4.sin_addr.s_addr), INADDR_LOOPBACK + 1);
    disconnect((struct ends){fd, far});
    sock_close(listener);
}

static void reports_why_a_connection_failed(void **state) {
    (void)state;
    union address at;
    int listener = listen_somewhere(&at);
    sock_close(listener);
    int fd = sock_connect(&at, NULL);
    if (fd >= 0) {
        assert_true(sock_wait(fd, POLLOUT, WAIT_MS));
        assert_int_equal(sock_error(fd), -ECONNREFUSED);
        assert_int_equal(sock_error(fd), 0); // read once
        sock_close(fd);
    } else {
        assert_int_equal(fd, -ECONNREFUSED);
    }
    assert_true(address_parse(&at, "255.255.255.255")); // cannot even be tried
    address_set_port(&at, 80);
    assert_true(sock_connect(&at, NULL) < 0);
}

static void does_not_listen_twice_on_one_port(void **state) {
    (void)state;
    union address at, peer;
    int listener = listen_somewhere(&at);
    assert_int_equal(sock_listen(&at, false), -EADDRINUSE);
    assert_int_equal(sock_accept(listener, &peer), -EAGAIN);
    sock_close(listener);
}

static void carries_bytes_and_their_end(void **state) {
    (void)state;
    struct ends e = connect_ends();
    char got[16];
    assert_int_equal(sock_read(e.far, got, sizeof got), -EAGAIN);
    assert_int_equal(sock_write(e.near, "one ", 4), 4);
    struct iovec parts[] = {{"two ", 4}, {"three", 5}};
    assert_int_equal(sock_writev(e.near, parts, 2), 9);
    sock_shutdown(e.near);
    size_t len = 0;
    for (ssize_t n; (n = read_soon(e.far, got + len, sizeof got - len)) != 0; len += (size_t)n)
        assert_true(n > 0);
    assert_int_equal(len, 13);
    assert_memory_equal(got, "one two three", 13);
    assert_int_equal(sock_write(e.far, "back", 4), 4); // only one direction has ended
    assert_int_equal(read_soon(e.near, got, sizeof got), 4);
    disconnect(e);
}

static void reports_how_much_is_unread(void **state) {
    (void)state;
    struct ends e = connect_ends();
    assert_int_equal(sock_unread(e.far), 0);
    assert_int_equal(sock_write(e.near, "12345", 5), 5);
    assert_true(sock_wait(e.far, POLLIN, WAIT_MS));
    assert_int_equal(sock_unread(e.far), 5);
    disconnect(e);
}

static void a_socket_becomes_full(void **state) {
    (void)state;
    static char much[1 << 16];
    struct ends e = connect_ends();
    ssize_t n;
    sock_set_send_buffer(e.near, 1);
    while ((n = sock_write(e.near, much, sizeof much)) > 0) continue;
    assert_int_equal(n, -EAGAIN);
    assert_int_equal(sock_wait(e.near, POLLOUT, 0), 0);
    disconnect(e);
}

static volatile sig_atomic_t broken_pipes;

static void note_broken_pipe(int number) {
    (void)number;
    broken_pipes++;
}

static void a_closed_peer_raises_no_signal(void **state) {
    (void)state;
    signal(SIGPIPE, note_broken_pipe);
    struct ends e = connect_ends();
    struct iovec part = {"x", 1};
    sock_reset(e.far);
    e.far = -1;
    assert_true(sock_wait(e.near, POLLIN, WAIT_MS));
    assert_int_equal(sock_write(e.near, "x", 1), -ECONNRESET);
    assert_int_equal(sock_write(e.near, "x", 1), -EPIPE);
    assert_int_equal(sock_writev(e.near, &part, 1), -EPIPE);
    assert_int_equal(broken_pipes, 0);
    disconnect(e);
    signal(SIGPIPE, SIG_DFL);
}

static void a_descriptor_is_passed(void **state) {
    (void)state;
    int ends[2];
    char got[8];
    struct ends e = connect_ends();
    assert_int_equal(sock_pair(ends), 0);
    assert_int_equal(sock_send_descriptor(ends[0], e.far, false), 0);
    sock_close(e.far);
    e.far = sock_receive_descriptor(ends[1]);
    assert_true(e.far >= 0);
    assert_int_equal(sock_write(e.near, "hello", 5), 5);
    assert_int_equal(read_soon(e.far, got, sizeof got), 5);
    sock_close(ends[0]);
    assert_int_equal(sock_receive_descriptor(ends[1]), -EPIPE);
    sock_close(ends[1]);
    disconnect(e);
}

static void a_full_pair_does_not_block(void **state) {
    (void)state;
    int ends[2], error;
    assert_int_equal(sock_pair(ends), 0);
    do error = sock_send_descriptor(ends[0], ends[1], false);
    while (!error);
    assert_true(error == -EAGAIN || error == -ETOOMANYREFS);
    sock_close(ends[0]);
    sock_close(ends[1]);
}

// Also once the peer has reset the connection.
static void a_socket_keeps_its_number_and_knows_what_was_sent(void **state) {
    (void)state;
    struct ends e = connect_ends();
    struct sock_sent sent;
    uint64_t number = sock_number(e.far);
    assert_true(number && number != sock_number(e.near));
    assert_true(sock_sent(e.far, &sent) && !sent.bytes && !sent.waiting);
    assert_int_equal(sock_write(e.far, "hello", 5), 5);
    sock_reset(e.near);
    assert_true(sock_wait(e.far, POLLHUP, WAIT_MS) & POLLHUP);
    assert_true(sock_sent(e.far, &sent));
    assert_int_equal(sent.bytes, 5);
    assert_int_equal(sock_number(e.far), number);
    e.near = -1;
    disconnect(e);
    int pair[2];
    assert_int_equal(sock_pair(pair), 0);
    assert_false(sock_sent(pair[0], &sent));
    sock_close(pair[0]);
    sock_close(pair[1]);
    assert_int_equal(sock_number(-1), 0);
}

static bool is_there(const char *path, unsigned mode) {
    struct stat file;
    return lstat(path, &file) == 0 && S_ISSOCK(file.st_mode) && (file.st_mode & 0777) == mode;
}

static void a_unix_socket_is_removed_when_nothing_listens(void **state) {
    (void)state;
    char folder[] = "/tmp/chorus-test-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    int listener = sock_listen_unix(path, 0604);
    assert_true(listener >= 0 && is_there(path, 0604));
    assert_int_equal(sock_listen_unix(path, 0600), -EADDRINUSE);
    sock_remove_unix(path); // another process may have begun to listen there
    assert_true(is_there(path, 0604));
    sock_close(listener);
    listener = sock_listen_unix(path, 0600);
    assert_true(listener >= 0 && is_there(path, 0600));
    sock_close(listener);
    sock_remove_unix(path);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_accepts),
        cmocka_unit_test(connects_from_an_address),
        cmocka_unit_test(reports_why_a_connection_failed),
        cmocka_unit_test(does_not_listen_twice_on_one_port),
        cmocka_unit_test(carries_bytes_and_their_end),
        cmocka_unit_test(reports_how_much_is_unread),
        cmocka_unit_test(a_socket_becomes_full),
        cmocka_unit_test(a_closed_peer_raises_no_signal),
        cmocka_unit_test(a_descriptor_is_passed),
        cmocka_unit_test(a_full_pair_does_not_block),
        cmocka_unit_test(a_unix_socket_is_removed_when_nothing_listens),
        cmocka_unit_test(a_socket_keeps_its_number_and_knows_what_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
