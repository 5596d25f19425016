#include "unit.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <stdio.h>

#include "net/address.h"
#include "net/address_limits.h"
#include "net/networks.h"

static const struct address_bounds usual = {
    .streams = 20, .connections = 4, .connects = 10, .posts = 5, .bytes = 1000};

static address_key key_of(const char *text) {
    union address a;
    assert_true(address_parse(&a, text));
    return address_limits_key(&a);
}

static address_key key_of_number(uint32_t number) {
    union address a = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0b000000 + number)}};
    return address_limits_key(&a);
}

static int set_usual(void **state) {
    (void)state;
    address_limits_set(&usual, "192.0.2.0/24", true);
    return 0;
}

static int release(void **state) {
    (void)state;
    address_limits_release();
    return 0;
}

static void test_a_key_is_an_address_or_a_64(void **state) {
    (void)state;
    assert_int_equal(key_of("2001:db8::1"), key_of("2001:db8::ffff:1"));
    assert_int_not_equal(key_of("2001:db8::1"), key_of("2001:db8:0:1::1"));
    assert_int_equal(key_of("::ffff:198.51.100.1"), key_of("198.51.100.1"));
    assert_int_not_equal(key_of("198.51.100.1"), key_of("198.51.100.2"));
    assert_int_equal(key_of("64:ff9b::198.51.100.1"), key_of("198.51.100.1")); // NAT64
    assert_int_not_equal(key_of("64:ff9b::198.51.100.1"), key_of("64:ff9b::198.51.100.2"));
    assert_int_equal(key_of("64:ff9b:1::198.51.100.1"), key_of("64:ff9b:1::198.51.100.2"));
    assert_int_equal(key_of("192.0.2.9"), 0);
}

static void test_loopback_is_exempt_unless_told_otherwise(void **state) {
    (void)state;
    assert_int_not_equal(key_of("127.0.0.1"), 0);
    address_limits_set(&usual, NULL, false);
    assert_int_equal(key_of("127.0.0.1"), 0);
    assert_int_equal(key_of("::1"), 0);
    assert_int_not_equal(key_of("198.51.100.1"), 0);
}

static void test_a_long_list_of_proxies_is_exempt_to_its_end(void **state) {
    (void)state;
    char list[4000];
    snprintf(list, sizeof list, "192.0.2.1,%*s", (int)sizeof list - 20, "198.51.100.1");
    address_limits_set(&usual, list, false);
    assert_int_equal(key_of("198.51.100.1"), 0);
    assert_int_equal(key_of("127.0.0.1"), 0);
}

static void test_as_many_proxies_as_can_be_named_leave_room_for_this_machine(void **state) {
    (void)state;
    char list[NETWORKS_MAX * 16] = "";
    for (size_t i = 0, len = 0; i < NETWORKS_MAX; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "198.51.100.%zu,", i);
    address_limits_set(&usual, list, false);
    assert_int_equal(key_of("198.51.100.63"), 0);
    assert_int_equal(key_of("127.0.0.1"), 0);
    assert_int_equal(key_of("::1"), 0);
    assert_int_not_equal(key_of("198.51.100.64"), 0);
}

static void test_a_second_of_permits_at_once_and_then_evenly(void **state) {
    (void)state;
    address_key key = key_of("198.51.100.1");
    int64_t now_ms = (INT64_C(1) << 32) / 16 - 50; // the ticks overflow soon
    assert_true(address_limits_may_connect(key, now_ms - 5000));
    assert_true(address_limits_may_connect(key_of("198.51.100.2"), now_ms - 5000));
    for (int i = 0; i < 10; i++) assert_true(address_limits_may_connect(key, now_ms));
    assert_false(address_limits_may_connect(key, now_ms));
    assert_true(address_limits_may_post(key, now_ms));
    assert_false(address_limits_may_connect(key, now_ms + 99));
    assert_true(address_limits_may_connect(key, now_ms + 100));
    assert_false(address_limits_may_connect(key, now_ms + 100));
    assert_true(address_limits_may_connect(key_of("198.51.100.2"), now_ms));
}

static void test_streams_count_until_they_end(void **state) {
    (void)state;
    address_key key = key_of("198.51.100.1");
    for (int i = 0; i < 20; i++) {
        assert_true(address_limits_may_open(key));
        address_limits_open(key);
    }
    assert_false(address_limits_may_open(key));
    assert_true(address_limits_may_open(key_of("198.51.100.2")));
    address_limits_close(key);
    assert_true(address_limits_may_open(key));
}

static void test_connections_count_until_they_end(void **state) {
    (void)state;
    address_key key = key_of("198.51.100.1");
    for (int i = 0; i < 4; i++) {
        assert_true(address_limits_may_enter(key));
        address_limits_enter(key);
    }
    assert_false(address_limits_may_enter(key));
    assert_true(address_limits_may_enter(key_of("198.51.100.2")));
    assert_true(address_limits_may_open(key)); // a stream is another matter
    address_limits_leave(key);
    assert_true(address_limits_may_enter(key));
}

static void test_clients_that_a_proxy_does_not_tell_are_one_address(void **state) {
    (void)state;
    union address proxy, other;
    assert_true(address_parse(&proxy, "192.0.2.1") && address_parse(&other, "192.0.2.2"));
    address_key key = address_limits_key_behind(&proxy);
    assert_int_equal(address_limits_key(&proxy), 0); // which is exempt itself
    assert_int_not_equal(key, 0);
    assert_int_equal(key, address_limits_key_behind(&proxy));
    assert_int_not_equal(key, address_limits_key_behind(&other));
    address_limits_release();
    assert_int_equal(address_limits_key_behind(&proxy), 0);
}

static void test_addresses_with_streams_are_counted(void **state) {
    (void)state;
    enum { MANY = 30000 };
    address_key key = key_of("198.51.100.1");
    assert_true(address_limits_streaming() == 0);
    for (int i = 0; i < 3; i++) address_limits_open(key);
    assert_true(address_limits_streaming() == 1);
    for (uint32_t i = 0; i < MANY; i++) address_limits_open(key_of_number(i));
    assert_in_range(address_limits_streaming(), MANY - MANY / 50, MANY + MANY / 50);
    for (uint32_t i = 0; i < MANY; i++) address_limits_close(key_of_number(i));
    for (int i = 0; i < 3; i++) address_limits_close(key);
    assert_true(address_limits_streaming() == 0);
}

static void test_bytes_count_while_they_are_held(void **state) {
    (void)state;
    address_key key = key_of("198.51.100.1");
    address_limits_hold(key, 1001);
    assert_true(address_limits_is_over(key));
    address_limits_hold(key, -1);
    assert_false(address_limits_is_over(key));
}

// Fails as well if an address takes memory that is never freed.
static void test_a_hundred_thousand_addresses_take_64_bytes_each(void **state) {
    (void)state;
    enum { ADDRESSES = 100000 };
    struct mallinfo2 before = mallinfo2();
    address_limits_set(&usual, NULL, true);
    for (uint32_t i = 0; i < ADDRESSES; i++) {
        address_key key = key_of_number(i);
        address_limits_may_connect(key, 1000);
        address_limits_may_post(key, 1000);
        address_limits_open(key);
        address_limits_enter(key);
        address_limits_hold(key, 1000);
    }
    struct mallinfo2 after = mallinfo2();
    size_t bytes = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    print_message("%.1f bytes for each of %d addresses\n", (double)bytes / ADDRESSES, ADDRESSES);
    assert_in_range(bytes, 0, 64 * ADDRESSES);
}

// What 100,000 addresses have is counted in the same megabytes: an address that is new has its share, and
// one that has reached its limit is refused.
static void test_a_hundred_thousand_addresses_refuse_no_other(void **state) {
    (void)state;
    address_limits_set(&(struct address_bounds){.streams = 2000, .connects = 200}, NULL, true);
    for (uint32_t i = 0; i < 100000; i++)
        for (int k = 0; k < 5; k++) {
            assert_true(address_limits_may_connect(key_of_number(i), 1000));
            address_limits_open(key_of_number(i));
        }
    address_key attacker = key_of("203.0.113.1");
    int opened = 0;
    for (; opened < 3000 && address_limits_may_open(attacker); opened++) address_limits_open(attacker);
    assert_in_range(opened, 1900, 2000);
    for (uint32_t i = 100000; i < 200000; i++) {
        assert_true(address_limits_may_open(key_of_number(i)));
        assert_true(address_limits_may_connect(key_of_number(i), 1000));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_key_is_an_address_or_a_64, set_usual, release),
        cmocka_unit_test_setup_teardown(test_loopback_is_exempt_unless_told_otherwise, set_usual, release),
        cmocka_unit_test_setup_teardown(test_a_long_list_of_proxies_is_exempt_to_its_end, set_usual, release),
        cmocka_unit_test_setup_teardown(test_as_many_proxies_as_can_be_named_leave_room_for_this_machine,
                                        set_usual, release),
        cmocka_unit_test_setup_teardown(test_a_second_of_permits_at_once_and_then_evenly, set_usual, release),
        cmocka_unit_test_setup_teardown(test_streams_count_until_they_end, set_usual, release),
        cmocka_unit_test_setup_teardown(test_connections_count_until_they_end, set_usual, release),
        cmocka_unit_test_setup_teardown(test_clients_that_a_proxy_does_not_tell_are_one_address, set_usual,
                                        release),
        cmocka_unit_test_setup_teardown(test_addresses_with_streams_are_counted, set_usual, release),
        cmocka_unit_test_setup_teardown(test_bytes_count_while_they_are_held, set_usual, release),
        cmocka_unit_test_teardown(test_a_hundred_thousand_addresses_take_64_bytes_each, release),
        cmocka_unit_test_setup_teardown(test_a_hundred_thousand_addresses_refuse_no_other, set_usual,
                                        release),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
