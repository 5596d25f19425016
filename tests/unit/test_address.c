#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

static const char *round_trip(const char *text) {
    static char printed[INET6_ADDRSTRLEN];
    union address a;
    if (!address_parse(&a, text)) return NULL;
    assert_int_equal(address_port(&a), 0);
    address_print(&a, printed, sizeof printed);
    return printed;
}

static void reads_and_prints_both_families(void **state) {
    (void)state;
    assert_string_equal(round_trip("127.0.0.1"), "127.0.0.1");
    assert_string_equal(round_trip("2001:db8:0::1"), "2001:db8::1");
    assert_string_equal(round_trip("::ffff:10.1.2.3"), "10.1.2.3");
}

static void takes_no_names(void **state) {
    (void)state;
    static const char *const none[] = {"", "localhost", "1.2.3", "1.2.3.4:80", "[::1]", "256.0.0.1"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_null(round_trip(none[i]));
}

static void has_a_port_in_both_families(void **state) {
    (void)state;
    union address v4, v6;
    assert_true(address_parse(&v4, "127.0.0.1") && address_parse(&v6, "::1"));
    address_set_port(&v4, 65535);
    address_set_port(&v6, 80);
    assert_int_equal(address_port(&v4), 65535);
    assert_int_equal(address_port(&v6), 80);
    assert_int_equal(address_size(&v4), sizeof(struct sockaddr_in));
    assert_int_equal(address_size(&v6), sizeof(struct sockaddr_in6));
}

static void connects(void **state) {
    (void)state;
    union address a;
    socklen_t len = sizeof a;
    assert_true(address_parse(&a, "127.0.0.1"));
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, &a.any, address_size(&a)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, &a.any, &len), 0);
    int fd = address_connect(&a);
    assert_true(fd >= 0);
    int peer = accept(listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(address_connect_result(fd), 0);
    close(peer);
    close(fd);
    close(listener);
}

static void says_why_a_connection_that_was_begun_failed(void **state) {
    (void)state;
    union address a;
    socklen_t len = sizeof a;
    assert_true(address_parse(&a, "127.0.0.1"));
    int nobody = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); // has the port, and does not listen
    assert_int_equal(bind(nobody, &a.any, address_size(&a)), 0);
    assert_int_equal(getsockname(nobody, &a.any, &len), 0);
    int fd = address_connect(&a);
    assert_true(fd >= 0);
    struct pollfd decided = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&decided, 1, -1), 1);
    assert_int_equal(address_connect_result(fd), -ECONNREFUSED);
    close(fd);
    close(nobody);
}

// A broadcast address cannot even be tried.
static void says_why_it_cannot_connect(void **state) {
    (void)state;
    union address a;
    assert_true(address_parse(&a, "255.255.255.255"));
    address_set_port(&a, 80);
    assert_true(address_connect(&a) < 0);
}

static void expect_address(const union address *a, const char *text) {
    char printed[64];
    address_print(a, printed, sizeof printed);
    assert_string_equal(printed, text);
    assert_int_equal(address_port(a), 0);
}

static void test_a_name_has_addresses(void **state) {
    (void)state;
    union address all[8];
    assert_int_equal(address_resolve("127.0.0.2", all, 8), 1);
    expect_address(&all[0], "127.0.0.2");
    assert_int_equal(address_resolve("::", all, 8), 1);
    expect_address(&all[0], "::");
    assert_int_equal(address_resolve("", all, 8), 0);
    assert_int_equal(address_resolve("no such name", all, 8), 0);
    assert_int_equal(address_resolve("localhost", all, 1), 1);
    int count = address_resolve("localhost", all, 8), v4 = 0, v6 = 0;
    for (int i = 0; i < count; i++) {
        v4 += all[i].any.sa_family == AF_INET;
        v6 += all[i].any.sa_family == AF_INET6;
    }
    assert_true(v4 >= 1 && v6 >= 1); // whatever /etc/hosts says
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_prints_both_families),
        cmocka_unit_test(takes_no_names),
        cmocka_unit_test(has_a_port_in_both_families),
        cmocka_unit_test(connects),
        cmocka_unit_test(says_why_it_cannot_connect),
        cmocka_unit_test(says_why_a_connection_that_was_begun_failed),
        cmocka_unit_test(test_a_name_has_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
