#include "unit.h"

#include "base/buf.h"
#include "http/forwarded.h"
#include "net/address.h"
#include "net/networks.h"

static const char trusted_list[] = "10.0.0.0/8, fd00::/8, 127.0.0.1";

static bool is_told; // whether a stranger is left out

// The client that is found for a request from `peer`.
static const char *client_in(bool is_forwarded, const char *peer, const char *field) {
    static char text[64];
    union address client;
    struct networks *trusted = networks_new(trusted_list);
    assert_true(address_parse(&client, peer));
    is_told = forwarded_find_client(&client, field, is_forwarded, trusted);
    address_format(&client, text, sizeof text);
    networks_free(trusted);
    return text;
}

static const char *client_of(const char *peer, const char *field) {
    return client_in(false, peer, field);
}

static void test_forwarded_names_clients_too(void **state) {
    (void)state;
    static const struct {
        const char *field, *client;
    } cases[] = {
        {"for=192.0.2.7", "192.0.2.7"},
        {"proto=https; For=\"192.0.2.7:4711\" ;by=10.0.0.1", "192.0.2.7"},
        {"for=\"[2001:db8::7]:4711\"", "2001:db8::7"},
        {"for=6.6.6.6, for=192.0.2.7;proto=http, for=10.1.1.1", "192.0.2.7"},
        {"for=6.6.6.6, for=_hidden, for=10.1.1.1", "10.1.1.1"},
        {"for=6.6.6.6, proto=https", "127.0.0.1"},
        {"for=6.6.6.6, by=\"a,b\"", "127.0.0.1"},
        {"", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(client_in(true, "127.0.0.1", cases[i].field), cases[i].client);
        assert_int_equal(is_told, i < 4);
    }
}

static void test_the_client_is_the_last_address_that_is_no_proxys(void **state) {
    (void)state;
    static const struct {
        const char *field, *client;
    } cases[] = {
        {"192.0.2.7", "192.0.2.7"},
        {" 192.0.2.7\t", "192.0.2.7"},
        {"192.0.2.7:4711", "192.0.2.7"},
        {"2001:db8::7", "2001:db8::7"},
        {"[2001:db8::7]", "2001:db8::7"},
        {"[2001:db8::7]:4711", "2001:db8::7"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"192.0.2.7, 10.1.1.1,fd00::1", "192.0.2.7"}, // two more proxies of ours
        {"6.6.6.6, 192.0.2.7", "192.0.2.7"},          // what the client claims itself
        {"127.0.0.1, 192.0.2.7", "192.0.2.7"},
        {"6.6.6.6,unknown, 10.1.1.1", "10.1.1.1"}, // as far as our proxies say
        {"10.1.1.1", "10.1.1.1"},                  // a client among the proxies
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(client_of("127.0.0.1", cases[i].field), cases[i].client);
        assert_string_equal(client_of("fd00::2", cases[i].field), cases[i].client);
        assert_string_equal(client_of("192.0.2.99", cases[i].field), "192.0.2.99"); // not a proxy of ours
        assert_true(is_told);
    }
}

static void test_what_is_no_address_is_ignored(void **state) {
    (void)state;
    static const char *const fields[] = {
        "",        ",",         " , ",      "unknown",
        "_hidden", "256.1.1.1", "1.2.3.4x", "[::1",
        "[]",      "[",         ":",        "1.2.3.4:",
        "a,",      "1.2.3.4,",  "::1::",    "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        assert_string_equal(client_of("127.0.0.1", fields[i]), i == 11 ? "1.2.3.4" : "127.0.0.1");
        assert_int_equal(is_told, i == 11);
    }
}

static void test_a_chain_of_proxies_is_bounded(void **state) {
    (void)state;
    struct buf field = {0};
    buf_add_string(&field, "6.6.6.6");
    for (int i = 0; i < FORWARDED_HOPS_MAX; i++) buf_add_string(&field, ",10.0.0.1");
    assert_string_equal(client_of("127.0.0.1", buf_string(&field)), "10.0.0.1");
    buf_release(&field);
    assert_string_equal(client_of("127.0.0.1", "6.6.6.6,10.0.0.1,10.0.0.1"), "6.6.6.6");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_client_is_the_last_address_that_is_no_proxys),
        cmocka_unit_test(test_forwarded_names_clients_too),
        cmocka_unit_test(test_what_is_no_address_is_ignored),
        cmocka_unit_test(test_a_chain_of_proxies_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
