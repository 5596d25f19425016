#include "engine/redis_entry.h"
#include "unit.h"

static const struct position at = {1763932000000, 42}, prev = {1763931000000, 7};

static struct engine_entry reading(const char *json) {
    struct engine_entry e;
    assert_true(redis_entry_read(&e, json, strlen(json)));
    return e;
}

static void reads_what_it_writes(void **state) {
    (void)state;
    static const char body[] = "\"userid\":\"u\",\"comment\":\"x\"}";
    char out[REDIS_ENTRY_ROOM + sizeof body];
    struct engine_entry written, read;
    redis_entry_write(&written, at, prev, body, strlen(body), out);
    static const char expected[] =
        "{\"id\":\"1763932000000-42\",\"prev\":\"1763931000000-7\",\"userid\":\"u\","
        "\"comment\":\"x\"}";
    assert_int_equal(written.json_len, strlen(expected));
    assert_memory_equal(written.json, expected, strlen(expected));
    assert_true(redis_entry_read(&read, written.json, written.json_len));
    assert_int_equal(position_compare(read.at, at), 0);
    assert_int_equal(position_compare(read.prev, prev), 0);
    assert_int_equal(read.kind, ENTRY_COMMENT);
}

static void the_longest_positions_fit(void **state) {
    (void)state;
    const struct position last = {UINT64_MAX, UINT64_MAX};
    char out[REDIS_ENTRY_ROOM + 7];
    struct engine_entry e;
    redis_entry_write(&e, last, last, "\"a\":1}", 6, out);
    assert_true(e.json_len <= sizeof out);
}

static void a_bare_number_is_a_tombstone(void **state) {
    (void)state;
    struct engine_entry e = reading("{\"id\":\"5-1\"}");
    assert_int_equal(e.kind, ENTRY_TOMBSTONE);
    assert_int_equal(e.json_len, 0);
    assert_int_equal(e.at.epoch, 5);
    e = reading("{\"id\":\"5-1\",\"prev\":\"4-9\"}");
    assert_int_equal(e.kind, ENTRY_TOMBSTONE);
    assert_int_equal(e.prev.seq, 9);
}

static void what_others_publish_has_no_position(void **state) {
    (void)state;
    static const char *const others[] = {
        "{\"userid\":\"u\",\"videoid\":\"v\",\"comment\":\"hi\"}",
        "{}",
        "{\"id\":7}",
        "{\"id\":\"abc\",\"comment\":\"x\"}",
        "{\"id\":\"5\"}",
        "{\"id\":\"5-1",
    };
    for (size_t i = 0; i < 5; i++) {
        struct engine_entry e = reading(others[i]);
        assert_false(position_is_set(e.at));
        assert_int_equal(e.kind, ENTRY_COMMENT);
        assert_int_equal(e.json_len, strlen(others[i]));
    }
}

static void no_object_is_no_entry(void **state) {
    (void)state;
    static const char *const bad[] = {"", "{", "}", "hello", "[1]", "\"x\"", "{\"id\":\"5-1", "null"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct engine_entry e;
        if (redis_entry_read(&e, bad[i], strlen(bad[i]))) fail_msg("taken: %s", bad[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),         cmocka_unit_test(the_longest_positions_fit),
        cmocka_unit_test(a_bare_number_is_a_tombstone), cmocka_unit_test(what_others_publish_has_no_position),
        cmocka_unit_test(no_object_is_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
