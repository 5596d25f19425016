#include "engine/redis/redis_url.h"
#include "unit.h"

static struct redis_url parsed(const char *text) {
    struct redis_url u;
    const char *wrong = redis_url_parse(&u, text);
    if (wrong) fail_msg("%s: must be %s", text, wrong);
    return u;
}

static void parses_a_url(void **state) {
    (void)state;
    struct redis_url u = parsed("redis://example.org");
    assert_string_equal(u.at[0].host, "example.org");
    assert_int_equal(u.at[0].port, 6379);
    assert_int_equal(u.db, 0);
    assert_string_equal(u.user, "");
    assert_string_equal(u.password, "");
}

static void knows_all_its_parts(void **state) {
    (void)state;
    struct redis_url u = parsed("redis://bob:p%40ss%2F:x@[::1]:7000/12");
    assert_string_equal(u.at[0].host, "::1");
    assert_int_equal(u.at[0].port, 7000);
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
    assert_string_equal(u.at[0].host, "::1");
    assert_string_equal(u.password, "secret");
    assert_int_equal(u.db, 3);
    assert_int_equal(parsed("rediss://host").at[0].port, 6379);
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
        const char *wrong = redis_url_parse(&u, bad[i]);
        if (!wrong) fail_msg("taken: %s", bad[i]);
        assert_null(strstr(wrong, "secret"));
    }
}

static void knows_several_hosts(void **state) {
    (void)state;
    struct redis_url u = parsed("sentinel://bob:secret@a,b:7000,[::1]/main%2Fone/3");
    assert_int_equal(u.scheme, REDIS_SENTINEL);
    assert_int_equal(u.count, 3);
    assert_string_equal(u.at[0].host, "a");
    assert_int_equal(u.at[0].port, 26379);
    assert_int_equal(u.at[1].port, 7000);
    assert_string_equal(u.at[2].host, "::1");
    assert_string_equal(u.primary, "main/one");
    assert_string_equal(u.password, "secret");
    assert_int_equal(u.db, 3);
    assert_false(u.tls);
    assert_true(parsed("sentinels://a/x").tls);
    u = parsed("cluster://a:1,b/");
    assert_int_equal(u.scheme, REDIS_CLUSTER);
    assert_int_equal(u.at[0].port, 1);
    assert_int_equal(u.at[1].port, 6379);
    assert_true(parsed("clusters://a").tls);
}

static void says_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *url, *part;
    } wrong[] = {
        {"sentinal://a/x", "sentinel://host"},
        {"sentinel://a,b", "the name"},
        {"sentinel://a,b/", "the name"},
        {"sentinel://a,,b/x", "behind each comma"},
        {"sentinel:///x", "a host name"},
        {"cluster://", "a host name"},
        {"cluster://a,b:70000", "1 to 65535"},
        {"cluster://a:0", "1 to 65535"},
        {"cluster://a/3", "one database"},
        {"redis://a,b", "one host"},
        {"redis://host/x", "a database"},
        {"redis://user@host", "a password"},
        {"cluster://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a", "16"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct redis_url u;
        const char *said = redis_url_parse(&u, wrong[i].url);
        if (!said || !strstr(said, wrong[i].part)) fail_msg("%s: %s", wrong[i].url, said);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_a_url),         cmocka_unit_test(knows_all_its_parts),
        cmocka_unit_test(refuses_what_is_none), cmocka_unit_test(knows_several_hosts),
        cmocka_unit_test(says_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
