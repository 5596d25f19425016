#include "engine/entry.h"

#include "base/buf.h"
#include "engine/engine.h"
#include "unit.h"

static const struct position at = {1763932000000, 42}, prev = {1763931000000, 7};

static struct engine_entry reading(const char *json) {
    struct engine_entry e;
    assert_true(entry_read(&e, json, strlen(json)));
    return e;
}

static void assert_body(const struct engine_entry *e, const char *body) {
    assert_int_equal(e->body_len, strlen(body));
    assert_memory_equal(e->body, body, strlen(body));
}

static void assert_written(const struct engine_entry *e, const char *json) {
    struct buf b = {0};
    buf_add_string(&b, "before");
    entry_write(&b, e);
    assert_string_equal(buf_string(&b) + 6, json);
    buf_release(&b);
}

static void is_written_with_its_number_first_and_without_prev(void **state) {
    (void)state;
    static const char body[] = "\"userid\":\"u\",\"comment\":\"x\"";
    struct engine_entry e = {
        .at = at, .prev = prev, .kind = ENTRY_COMMENT, .body = body, .body_len = sizeof body - 1};
    assert_written(&e, "{\"id\":\"1763932000000-42\",\"userid\":\"u\",\"comment\":\"x\"}");
    e.body_len = 0;
    assert_written(&e, "{\"id\":\"1763932000000-42\"}");
    e.at = (struct position){UINT64_MAX, UINT64_MAX};
    assert_written(&e, "{\"id\":\"18446744073709551615-18446744073709551615\"}");
}

static void each_part_is_read(void **state) {
    (void)state;
    struct engine_entry e = reading(
        "{\"id\":\"1763932000000-42\",\"prev\":\"1763931000000-7\",\"userid\":\"u\",\"comment\":\"x\"}");
    assert_int_equal(position_compare(e.at, at), 0);
    assert_int_equal(position_compare(e.prev, prev), 0);
    assert_int_equal(e.kind, ENTRY_COMMENT);
    assert_body(&e, "\"userid\":\"u\",\"comment\":\"x\"");
    e = reading("{\"id\":\"1763932000000-42\",\"comment\":\"x\"}");
    assert_false(position_is_set(e.prev));
    assert_body(&e, "\"comment\":\"x\"");
}

static void a_kind_stands_behind_the_positions(void **state) {
    (void)state;
    struct engine_entry e = reading("{\"id\":\"5-1\",\"kind\":7,\"a\":1}");
    assert_int_equal(e.kind, 7);
    assert_int_equal(e.at.seq, 1);
    assert_body(&e, "\"a\":1");
    assert_int_equal(reading("{\"id\":\"5-1\",\"prev\":\"4-9\",\"kind\":12,\"a\":1}").kind, 12);
    e = reading("{\"id\":\"5-1\",\"kind\":7}");
    assert_int_equal(e.kind, 7);
    assert_body(&e, "");
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
    assert_int_equal(e.body_len, 0);
    assert_int_equal(e.at.epoch, 5);
    e = reading("{\"id\":\"5-1\",\"prev\":\"4-9\"}");
    assert_int_equal(e.kind, ENTRY_TOMBSTONE);
    assert_int_equal(e.body_len, 0);
    assert_int_equal(e.prev.seq, 9);
}

static void what_others_publish_has_no_position_and_is_written_as_it_was(void **state) {
    (void)state;
    static const char *const others[] = {
        "{\"userid\":\"u\",\"videoid\":\"v\",\"comment\":\"hi\"}",
        "{}",
        "{\"id\":7}",
        "{\"id\":\"abc\",\"comment\":\"x\"}",
        "{\"id\":\"5\"}",
        "{ \"id\":\"5-1\" }",
        "{\"id\":\"5-1\" ,\"comment\":\"x\"}",
        "{\"id\":\"5-1\",\"prev\":\"4-9\" }",
        "{\n \"comment\": \"hi\"\n}",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct engine_entry e = reading(others[i]);
        assert_false(position_is_set(e.at));
        assert_false(position_is_set(e.prev));
        assert_int_equal(e.kind, ENTRY_COMMENT);
        assert_written(&e, others[i]);
    }
}

static void no_object_is_no_entry(void **state) {
    (void)state;
    static const char *const bad[] = {"", "{", "}", "hello", "[1]", "\"x\"", "{\"id\":\"5-1", "null"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct engine_entry e;
        if (entry_read(&e, bad[i], strlen(bad[i]))) fail_msg("taken: %s", bad[i]);
    }
}

static void only_listed_kinds_have_a_name_and_are_shown(void **state) {
    (void)state;
    assert_string_equal(entry_kind_name(ENTRY_COMMENT), "comment");
    assert_int_equal(entry_shown(ENTRY_COMMENT), SHOWN_PLAIN);
    assert_int_equal(entry_shown(ENTRY_TOMBSTONE), SHOWN_NOTHING);
    static const int others[] = {ENTRY_KIND_MAX, ENTRY_UNREAD, -1};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_null(entry_kind_name((enum entry_kind)others[i]));
        assert_int_equal(entry_shown((enum entry_kind)others[i]), SHOWN_NOTHING);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_written_with_its_number_first_and_without_prev),
        cmocka_unit_test(each_part_is_read),
        cmocka_unit_test(a_kind_stands_behind_the_positions),
        cmocka_unit_test(a_bare_number_is_a_tombstone),
        cmocka_unit_test(what_others_publish_has_no_position_and_is_written_as_it_was),
        cmocka_unit_test(no_object_is_no_entry),
        cmocka_unit_test(only_listed_kinds_have_a_name_and_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
