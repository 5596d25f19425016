#include "net/address.h"

#include <arpa/inet.h>

#include "unit.h"

static const char *round_trip(const char *text) {
    static char printed[INET6_ADDRSTRLEN];
    union address a;
    if (!address_parse(&a, text)) return NULL;
    assert_int_equal(address_port(&a), 0);
    address_format(&a, printed, sizeof printed);
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

static void expect_address(const union address *a, const char *text) {
    char printed[64];
    address_format(a, printed, sizeof printed);
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
        cmocka_unit_test(test_a_name_has_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
