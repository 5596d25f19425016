#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "service/internal_only.h"

static bool allows(const char *networks, const char *peer) {
    struct internal_only *i = internal_only_new(networks, NULL);
    assert_non_null(i);
    bool allowed = internal_only_allows(i, &(struct internal_sign){peer, NULL, NULL, false, NULL});
    internal_only_free(i);
    return allowed;
}

static void test_loopback_by_default(void **state) {
    (void)state;
    assert_true(allows(NULL, "127.0.0.1"));
    assert_true(allows(NULL, "127.255.0.3"));
    assert_true(allows(NULL, "::1"));
    assert_true(allows(NULL, "::ffff:127.0.0.1"));
    assert_false(allows(NULL, "128.0.0.1"));
    assert_false(allows(NULL, "126.255.255.255"));
    assert_false(allows(NULL, "::2"));
    assert_false(allows(NULL, "::"));
    assert_false(allows(NULL, ""));
    assert_false(allows(NULL, "unix"));
}

static void test_networks(void **state) {
    (void)state;
    static const struct {
        const char *networks, *inside, *outside;
    } cases[] = {
        {"10.0.0.0/8", "10.255.1.2", "11.0.0.0"},
        {"10.1.2.3/8", "10.9.9.9", "9.1.2.3"},
        {"172.18.0.0/12", "172.31.255.255", "172.32.0.0"},
        {"192.168.1.128/25", "192.168.1.128", "192.168.1.127"},
        {"192.168.1.7", "192.168.1.7", "192.168.1.6"},
        {"192.168.1.7/32", "192.168.1.7", "192.168.1.8"},
        {"192.168.1.6/31", "192.168.1.7", "192.168.1.8"},
        {"0.0.0.0/0", "8.8.8.8", "::8"},
        {"::/0", "8.8.8.8", ""},
        {"fd00::/8", "fdff::1", "fe00::1"},
        {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"},
        {"2001:db8::1", "2001:db8::1", "2001:db8::2"},
        {"::ffff:10.0.0.0/104", "10.3.4.5", "11.0.0.1"},
        {" 10.0.0.0/8 , ::1,", "::1", "127.0.0.1"},
        {"1.1.1.1,2.2.2.2,3.0.0.0/8,fd00::/8", "3.4.5.6", "4.4.4.4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(allows(cases[i].networks, cases[i].inside));
        assert_false(allows(cases[i].networks, cases[i].outside));
    }
    assert_false(allows("", "127.0.0.1"));
}

static void test_bad_networks(void **state) {
    (void)state;
    static const char *const bad[] = {
        "localhost",
        "samenets",
        "same",
        "samenet/8",
        "10.0.0.0/33",
        "::1/129",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8x",
        "10.0.0/8",
        "/8",
        "10/8",
        "1.1.1.1 2.2.2.2",
        "10.0.0.0/ 8",
        "::ffff:10.0.0.0/129",
        "256.0.0.1",
        "1.2.3.4/8/8",
        "2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_null(internal_only_new(bad[i], NULL));
}

// Of the networks a machine may have, loopback is the one that every machine has.
static void test_networks_of_this_machine(void **state) {
    (void)state;
    assert_true(allows("samenet", "127.0.0.1"));
    assert_true(allows("samenet", "127.200.3.4"));
    assert_true(allows("10.0.0.0/8, samenet", "127.0.0.1"));
    assert_true(allows("samenet,203.0.113.0/25", "203.0.113.9"));
    assert_false(allows("samenet", "203.0.113.9"));
    assert_false(allows("samenet", "2001:db8::9"));
}

static void test_at_most_64_networks(void **state) {
    (void)state;
    char text[65 * 8 + 1];
    for (size_t i = 0; i < 65; i++) memcpy(text + i * 8, "1.2.3.4,", 9);
    assert_null(internal_only_new(text, NULL));
    text[64 * 8] = 0;
    struct internal_only *i = internal_only_new(text, NULL);
    assert_non_null(i);
    internal_only_free(i);
}

static void test_token(void **state) {
    (void)state;
    struct internal_only *i = internal_only_new("", "secret-1");
    static const char *const wrong[] = {"Bearer secret-2",
                                        "Bearer secret-",
                                        "Bearer secret-12",
                                        "Bearer ",
                                        "Bearer",
                                        "",
                                        "Basic secret-1",
                                        "secret-1",
                                        "Bearer secret-1 ",
                                        "Bearersecret-1",
                                        "Bearer secret-1secret-1"};
    assert_true(
        internal_only_allows(i, &(struct internal_sign){"8.8.8.8", NULL, "Bearer secret-1", false, NULL}));
    assert_true(
        internal_only_allows(i, &(struct internal_sign){"8.8.8.8", NULL, "bearer  secret-1", false, NULL}));
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        assert_false(
            internal_only_allows(i, &(struct internal_sign){"8.8.8.8", NULL, wrong[k], false, NULL}));
    assert_false(internal_only_allows(i, &(struct internal_sign){"8.8.8.8", NULL, NULL, false, NULL}));
    internal_only_free(i);
}

// A website whose name has come to mean this machine is named by Host.
static void test_a_website_on_this_machine(void **state) {
    (void)state;
    static const char *const fine[] = {"127.0.0.1:3000", "[::1]:3000",         "localhost",
                                       "LOCALHOST:3000", "[::ffff:127.0.0.1]", "chorus:3000"};
    static const char *const websites[] = {"evil.example:3000", "evil.example", "127.0.0.1.evil.example",
                                           "evil.example.",     "127.0.0.1.",   "[::1].evil.example"};
    struct internal_only *i = internal_only_new("127.0.0.0/8,::1,10.0.0.0/8", "secret");
    for (size_t k = 0; k < sizeof fine / sizeof *fine; k++) {
        assert_true(internal_only_allows(i, &(struct internal_sign){"127.0.0.1", .host = fine[k]}));
        assert_true(internal_only_allows(i, &(struct internal_sign){"::1", .host = fine[k]}));
    }
    for (size_t k = 0; k < sizeof websites / sizeof *websites; k++) {
        struct internal_sign sign = {"127.0.0.1", .host = websites[k]};
        assert_false(internal_only_allows(i, &sign));
        sign.peer = "::1";
        assert_false(internal_only_allows(i, &sign));
        sign.authorization = "Bearer secret";
        assert_true(internal_only_allows(i, &sign));
    }
    assert_true(
        internal_only_allows(i, &(struct internal_sign){"10.1.2.3", .host = "chorus.default.svc:3000"}));
    assert_true(internal_only_allows(
        i, &(struct internal_sign){"10.1.2.3", .host = "10.1.1.1:3000", .is_page = true}));
    assert_false(internal_only_allows(
        i, &(struct internal_sign){"10.1.2.3", .host = "evil.example:3000", .is_page = true}));
    internal_only_free(i);
}

static void test_who_is_admitted_can_change(void **state) {
    (void)state;
    struct internal_only *i = internal_only_new("10.0.0.0/8", "first");
    const struct internal_sign peer = {"10.1.1.1", NULL, NULL, false, NULL},
                               first = {"8.8.8.8", NULL, "Bearer first", false, NULL},
                               second = {"8.8.8.8", NULL, "Bearer second", false, NULL};
    assert_false(internal_only_set(i, "10.0.0.0/33", "second")); // and nothing has changed
    assert_true(internal_only_allows(i, &peer) && internal_only_allows(i, &first));
    assert_true(internal_only_set(i, "192.168.0.0/16", "second"));
    assert_false(internal_only_allows(i, &peer) || internal_only_allows(i, &first));
    assert_true(internal_only_allows(i, &second));
    assert_true(internal_only_set(i, "10.0.0.0/8", NULL));
    assert_true(internal_only_allows(i, &peer));
    assert_false(internal_only_allows(i, &second));
    internal_only_free(i);
}

static void test_no_token_is_not_an_empty_token(void **state) {
    (void)state;
    static const char *const tokens[] = {NULL, ""};
    for (size_t k = 0; k < 2; k++) {
        struct internal_only *i = internal_only_new("", tokens[k]);
        assert_false(
            internal_only_allows(i, &(struct internal_sign){"8.8.8.8", NULL, "Bearer ", false, NULL}));
        assert_false(
            internal_only_allows(i, &(struct internal_sign){"8.8.8.8", NULL, "Bearer x", false, NULL}));
        internal_only_free(i);
    }
}

static void test_never_with_an_origin(void **state) {
    (void)state;
    struct internal_only *i = internal_only_new(NULL, "secret");
    assert_false(internal_only_allows(
        i, &(struct internal_sign){"127.0.0.1", "https://page.example", NULL, false, NULL}));
    assert_false(
        internal_only_allows(i, &(struct internal_sign){"127.0.0.1", "null", "Bearer secret", false, NULL}));
    assert_false(
        internal_only_allows(i, &(struct internal_sign){"127.0.0.1", "", "Bearer secret", false, NULL}));
    internal_only_free(i);
}

static void test_what_came_through_a_proxy_needs_the_token(void **state) {
    (void)state;
    struct internal_only *i = internal_only_new(NULL, "secret");
    assert_true(internal_only_allows(i, &(struct internal_sign){"127.0.0.1", NULL, NULL, false, NULL}));
    assert_false(internal_only_allows(i, &(struct internal_sign){"127.0.0.1", NULL, NULL, true, NULL}));
    assert_false(
        internal_only_allows(i, &(struct internal_sign){"127.0.0.1", NULL, "Bearer guess", true, NULL}));
    assert_true(
        internal_only_allows(i, &(struct internal_sign){"127.0.0.1", NULL, "Bearer secret", true, NULL}));
    internal_only_free(i);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loopback_by_default),
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_bad_networks),
        cmocka_unit_test(test_networks_of_this_machine),
        cmocka_unit_test(test_at_most_64_networks),
        cmocka_unit_test(test_token),
        cmocka_unit_test(test_a_website_on_this_machine),
        cmocka_unit_test(test_who_is_admitted_can_change),
        cmocka_unit_test(test_no_token_is_not_an_empty_token),
        cmocka_unit_test(test_never_with_an_origin),
        cmocka_unit_test(test_what_came_through_a_proxy_needs_the_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
