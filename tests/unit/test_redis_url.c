#include "engine/redis/redis_url.h"
#include "unit.h"

static struct redis_url parsed(const char *text) {
    struct redis_url u;
    char why[160] = "";
    if (!redis_url_parse(&u, text, why, sizeof why)) fail_msg("%s: %s", text, why);
    return u;
}

static void parses_a_url(void **state) {
    (void)state;
    struct redis_url u = parsed("redis://example.org");
    assert_string_equal(u.host, "example.org");
    assert_int_equal(u.port, 6379);
    assert_int_equal(u.db, 0);
    assert_string_equal(u.user, "");
    assert_string_equal(u.password, "");
}

static void knows_all_its_parts(void **state) {
    (void)state;
    struct redis_url u = parsed("redis://bob:p%40ss%2F:x@[::1]:7000/12");
    assert_string_equal(u.host, "::1");
    assert_int_equal(u.port, 7000);
    assert_int_equal(u.db, 12);
    assert_string_equal(u.user, "bob");
    assert_string_equal(u.password, "p@ss/:x");
    u = parsed("redis://:secret@localhost:1/");
    assert_string_equal(u.user, "");
    assert_string_equal(u.password, "secret");
    assert_int_equal(u.db, 0);
    assert_false(u.tls);
    u = parsed("rediss://:secret@[::1]:7000/3");
    assert_true(u.tls);
    assert_string_equal(u.host, "::1");
    assert_string_equal(u.password, "secret");
    assert_int_equal(u.db, 3);
    assert_int_equal(parsed("rediss://host").port, 6379);
}

static void refuses_what_is_none(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "localhost",
        "http://localhost",
        "redis://",
        "redis:///1",
        "redis://:secret@",
        "redis://host:",
        "redis://host:0",
        "redis://host:65536",
        "redis://host:6379x",
        "redis://host:-1",
        "redis://host/x",
        "redis://host/1/2",
        "redis://host/-1",
        "redis://host name",
        "redis://[::1",
        "redis://[::1]6379",
        "redis://us%er:secret@host",
        "redis://us%00er:secret@host",
        "redis://user:se%00cret@host",
        "redis://user@host",
        "redis://user:@host",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct redis_url u;
        char why[160] = "";
        if (redis_url_parse(&u, bad[i], why, sizeof why)) fail_msg("taken: %s", bad[i]);
        assert_int_equal(why[strlen(why) - 1], '.');
        assert_null(strstr(why, "secret"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_a_url),
        cmocka_unit_test(knows_all_its_parts),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
