#include "engine/redis/redis_entry.h"
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
    struct engine_entry written = {.at = at, .prev = prev, .kind = ENTRY_COMMENT}, read;
    redis_entry_write(&written, body, strlen(body), out);
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
    struct engine_entry e = {.at = last, .prev = last, .kind = (enum entry_kind)999};
    redis_entry_write(&e, "\"a\":1}", 6, out);
    assert_true(e.json_len <= sizeof out);
}

static void a_kind_travels_unless_it_is_a_comment(void **state) {
    (void)state;
    struct engine_entry e = reading("{\"id\":\"5-1\",\"kind\":7,\"a\":1}");
    assert_int_equal(e.kind, 7);
    assert_int_equal(e.at.seq, 1);
    assert_int_equal(reading("{\"id\":\"5-1\",\"prev\":\"4-9\",\"kind\":12,\"a\":1}").kind, 12);
    static const char *const comments[] = {
        "{\"id\":\"5-1\",\"a\":1,\"kind\":7}", "{\"id\":\"5-1\",\"kind\":\"7\",\"a\":1}",
        "{\"id\":\"5-1\",\"kind\":,\"a\":1}",  "{\"id\":\"5-1\",\"kind\":12345,\"a\":1}",
        "{\"kind\":7,\"id\":\"5-1\",\"a\":1}",
    };
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++)
        assert_int_equal(reading(comments[i]).kind, ENTRY_COMMENT);
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
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(the_longest_positions_fit),
        cmocka_unit_test(a_bare_number_is_a_tombstone),
        cmocka_unit_test(what_others_publish_has_no_position),
        cmocka_unit_test(no_object_is_no_entry),
        cmocka_unit_test(a_kind_travels_unless_it_is_a_comment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
