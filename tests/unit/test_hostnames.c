#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/hostnames.h"

static void test_without_a_list_any_name_is_known(void **state) {
    (void)state;
    struct hostnames *all = hostnames_new(NULL);
    assert_true(hostnames_allow(all, "evil.example"));
    assert_true(hostnames_allow(all, NULL));
    assert_false(hostnames_contain(all, "evil.example"));
    hostnames_free(all);
}

static void test_names_that_no_website_can_have_are_always_known(void **state) {
    (void)state;
    static const char *const fine[] = {"127.0.0.1",     "10.1.2.3:3000",    "[::1]:3000",
                                       "[2001:db8::1]", "localhost:3000",   "LOCALHOST",
                                       "comment:3000",  "[::ffff:1.2.3.4]", "reader-1"};
    struct hostnames *all = hostnames_new("live.example.org");
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (!hostnames_allow(all, fine[i])) fail_msg("%s", fine[i]);
    assert_true(hostnames_allow(all, NULL)); // HTTP/1.0
    hostnames_free(all);
}

static void test_names_in_the_list_are_known_and_no_others(void **state) {
    (void)state;
    static const char *const fine[] = {"live.example.org", "Live.Example.ORG:443", "a.example.net",
                                       "a.b.EXAMPLE.net:1"};
    static const char *const others[] = {"live.example.org.",
                                         "example.org",
                                         "live.example.org.evil.example",
                                         "xlive.example.org",
                                         "example.net",
                                         "evilexample.net",
                                         "127.0.0.1.evil.example",
                                         "[::1].evil.example",
                                         "localhost.evil.example",
                                         "live.example.or",
                                         "a.example.net.",
                                         "[live.example.org]",
                                         "."};
    struct hostnames *all = hostnames_new("live.example.org,*.example.net");
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
        if (!hostnames_allow(all, fine[i])) fail_msg("%s", fine[i]);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (hostnames_allow(all, others[i])) fail_msg("%s", others[i]);
    hostnames_set(all, "example.org");
    assert_true(hostnames_allow(all, "example.org"));
    assert_false(hostnames_allow(all, "live.example.org"));
    hostnames_set(all, NULL);
    assert_true(hostnames_allow(all, "live.example.org"));
    hostnames_free(all);
}

static void test_lists_that_are_none(void **state) {
    (void)state;
    static const char *const bad[] = {
        "live.example.org:443", "http://live.example.org", "a b", "*", "*.", "a,,b", "*.*.org", "live.*.org"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hostnames_new(bad[i])) fail_msg("%s", bad[i]);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_list_any_name_is_known),
        cmocka_unit_test(test_names_that_no_website_can_have_are_always_known),
        cmocka_unit_test(test_names_in_the_list_are_known_and_no_others),
        cmocka_unit_test(test_lists_that_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
