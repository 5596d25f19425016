#include "unit.h"

#include <string.h>

#include "base/buf.h"
#include "reader/redirect.h"

static const char base[] = "http://r2:4000";

static const char *redirected(const char *target) {
    static char location[REDIRECT_LOCATION_SIZE];
    redirect_location(location, base, target, false);
    assert_memory_equal(location, base, sizeof base - 1);
    return location + sizeof base - 1;
}

static void the_first_redirect_adds_an_empty_pair(void **state) {
    (void)state;
    assert_string_equal(redirected("/connect?userid=u&videoid=v"), "/connect?userid=u&videoid=v&");
    assert_string_equal(redirected("/connect"), "/connect?&");
    assert_string_equal(redirected("/connect?"), "/connect?&");
}

static void the_second_one_adds_a_nonce(void **state) {
    (void)state;
    static const char expected[] = "/connect?userid=u&hop=";
    char *first = strdup(redirected("/connect?userid=u&"));
    assert_memory_equal(first, expected, sizeof expected - 1);
    assert_int_equal(strlen(first), sizeof expected - 1 + 16);
    assert_string_not_equal(redirected("/connect?userid=u&"), first); // each another one
    assert_memory_equal(redirected("/connect?userid=u&&&"), expected, sizeof expected - 1);
    free(first);
}

static void so_does_the_first_where_it_is_to_be_the_last(void **state) {
    (void)state;
    static const char *const targets[] = {"/connect", "/connect?userid=u", "/connect?hop=0123456789abcdef"};
    struct redirect_spent spent = {0};
    char location[REDIRECT_LOCATION_SIZE];
    for (size_t i = 0; i < 3; i++) {
        redirect_location(location, base, targets[i], true);
        assert_true(redirect_is_last_hop(&spent, location, true));
        assert_null(strstr(strstr(location, "hop=") + 1, "hop="));
    }
}

static void a_nonce_is_honoured_once(void **state) {
    (void)state;
    struct redirect_spent spent = {0};
    char *target = strdup(redirected("/connect?userid=u&"));
    assert_true(redirect_is_last_hop(&spent, target, false)); // HEAD only asks
    assert_true(redirect_is_last_hop(&spent, target, true));
    assert_false(redirect_is_last_hop(&spent, target, true));
    assert_string_equal(redirected(target), "/connect?userid=u&"); // like any other
    free(target);
}

static void nothing_else_is_a_hop(void **state) {
    (void)state;
    static const char *const targets[] = {
        "/connect",
        "/connect?userid=u&",
        "/connect?hop=1",
        "/connect?userid=u&hop=0123456789abcdeg",
        "/connect?userid=u&hop=0123456789ABCDEF",
        "/connect?userid=u&hop=0123456789abcdef0",
        "/connect?userid=u&hop=0123456789abcdef&x=1",
        "/connect?userid=u&xhop=0123456789abcdef",
        "/connect?userid=u&hop=0000000000000000",
        "hop=0123456789abcdef",
    };
    struct redirect_spent spent = {0};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        assert_false(redirect_is_last_hop(&spent, targets[i], true));
}

static void the_oldest_nonces_are_forgotten(void **state) {
    (void)state;
    struct redirect_spent spent = {0};
    char target[64];
    for (unsigned i = 1; i <= REDIRECT_SPENT + 1; i++) {
        snprintf(target, sizeof target, "/connect?hop=%016x", i);
        assert_true(redirect_is_last_hop(&spent, target, true));
    }
    assert_true(redirect_is_last_hop(&spent, "/connect?hop=0000000000000001", true));
    assert_false(redirect_is_last_hop(&spent, target, true));
}

static void the_longest_target_fits(void **state) {
    (void)state;
    static char target[HTTP_KEPT_MAX], location[REDIRECT_LOCATION_SIZE], url[ENGINE_URL_MAX + 1];
    memset(target, 'x', sizeof target - 1);
    memset(url, 'u', sizeof url - 1);
    memcpy(target, "/connect?", 9);
    target[sizeof target - 2] = '&';
    redirect_location(location, url, target, true);
    assert_int_equal(strlen(location), ENGINE_URL_MAX + HTTP_KEPT_MAX - 1 + 20);
}

static void assert_target(const char *target, const char *ticket, const char *expected) {
    struct buf out = {0};
    redirect_target(&out, target, ticket);
    assert_string_equal(buf_string(&out), expected);
    buf_release(&out);
}

static void what_admits_a_viewer_is_not_passed_on(void **state) {
    (void)state;
    assert_target("/connect?userid=u&videoid=v", NULL, "/connect?userid=u&videoid=v");
    assert_target("/connect?token=x&videoid=v&ticket=y&", "T", "/connect?ticket=T&videoid=v&");
    assert_target("/connect?videoid=v&token=x", NULL, "/connect?videoid=v");
    assert_target("/connect?%74oken=x&videoid=v&tokens=1", "T", "/connect?ticket=T&videoid=v&tokens=1");
    assert_target("/connect?token=a&hop=0123456789abcdef", "T", "/connect?ticket=T&hop=0123456789abcdef");
    assert_target("/connect?token", NULL, "/connect");
    assert_target("/connect", "T", "/connect?ticket=T");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_redirect_adds_an_empty_pair),
        cmocka_unit_test(the_second_one_adds_a_nonce),
        cmocka_unit_test(so_does_the_first_where_it_is_to_be_the_last),
        cmocka_unit_test(a_nonce_is_honoured_once),
        cmocka_unit_test(nothing_else_is_a_hop),
        cmocka_unit_test(the_oldest_nonces_are_forgotten),
        cmocka_unit_test(the_longest_target_fits),
        cmocka_unit_test(what_admits_a_viewer_is_not_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
