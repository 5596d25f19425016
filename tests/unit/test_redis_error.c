#include "engine/redis/redis_error.h"

#include <string.h>

#include "engine/redis/redis_url.h"
#include "unit.h"

// As redis-server 7.0 says it.
static void each_answer_has_a_row(void **state) {
    (void)state;
    static const struct {
        const char *error;
        enum redis_action action;
    } said[] = {
        {"MOVED 866 127.0.0.1:7001", REDIS_MOVED},
        {"ASK 866 127.0.0.1:7001", REDIS_ASKS},
        {"TRYAGAIN Multiple keys request during rehashing of slot", REDIS_AGAIN},
        {"ERR Script attempted to access a non local key in a cluster node script: 0a, on @user_script:2.",
         REDIS_AGAIN},
        {"CLUSTERDOWN Hash slot not served", REDIS_IS_DOWN},
        {"CLUSTERDOWN The cluster is down", REDIS_IS_DOWN},
        {"READONLY You can't write against a read only replica.", REDIS_CUTS},
        {"LOADING Redis is loading the dataset in memory", REDIS_CUTS},
        {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", REDIS_CUTS},
        {"NOSCRIPT No matching script. Please use EVAL.", REDIS_CUTS},
        {"OOM command not allowed when used memory > 'maxmemory'.", REDIS_FAILS},
        {"CROSSSLOT Keys in request don't hash to the same slot", REDIS_FAILS},
        {"NOPERM this user has no permissions to run the 'wait' command", REDIS_FAILS},
        {"MOVEDX 1 a:1", REDIS_FAILS},
        {"", REDIS_FAILS},
    };
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (redis_error_action(said[i].error) != said[i].action) fail_msg("%s", said[i].error);
}

static void a_place_is_read(void **state) {
    (void)state;
    struct redis_place p;
    unsigned slot;
    assert_true(redis_error_place("MOVED 16383 redis-2.example.org:6379", &slot, &p));
    assert_int_equal(slot, 16383);
    assert_string_equal(p.host, "redis-2.example.org");
    assert_int_equal(p.port, 6379);
    assert_true(redis_error_place("ASK 0 ::1:7000", &slot, &p));
    assert_string_equal(p.host, "::1");
    assert_true(redis_error_place("MOVED 1 :7000", &slot, &p)); // the server does not know its own name
    assert_string_equal(p.host, "");
}

static void what_is_no_place_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"MOVED",           "MOVED ",       "MOVED x a:1", "MOVED 16384 a:1",
                                      "MOVED 1",         "MOVED 1 a",    "MOVED 1 a:",  "MOVED 1 a:0",
                                      "MOVED 1 a:65536", "MOVED 1 a:1x", "MOVED -1 a:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct redis_place p;
        unsigned slot;
        if (redis_error_place(bad[i], &slot, &p)) fail_msg("taken: %s", bad[i]);
    }
}

// As Redis 7.0 says it of a script's command, and as 8.0 does.
static void a_right_that_a_script_lacks_is_named(void **state) {
    (void)state;
    static const char *const errors[] = {
        "ERR The user executing the script can't run this command or subcommand script: 0a, on @user_script:2.",
        "ERR ACL failure in script: User default has no permissions to run the 'publish' command script: 0a"};
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        char clause[200];
        redis_error_clause(errors[i], clause, sizeof clause);
        assert_non_null(strstr(clause, "denies its user a right ("));
        assert_null(strstr(clause, "script:"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_a_row),
        cmocka_unit_test(a_right_that_a_script_lacks_is_named),
        cmocka_unit_test(a_place_is_read),
        cmocka_unit_test(what_is_no_place_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
