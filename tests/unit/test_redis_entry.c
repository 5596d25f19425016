#include "engine/redis/redis_entry.h"
#include "unit.h"

#include <hiredis/hiredis.h>

static struct engine_entry reading(const char *json) {
    struct engine_entry e;
    assert_true(redis_entry_of_message(&e, json, strlen(json)));
    return e;
}

static void a_comment_is_published_in_full(void **state) {
    (void)state;
    struct engine_entry e = reading("{\"id\":\"5-1\",\"prev\":\"4-9\",\"comment\":\"x\"}");
    assert_int_equal(e.kind, ENTRY_COMMENT);
    assert_int_equal(e.at.epoch, 5);
    assert_int_equal(e.prev.seq, 9);
    assert_int_equal(e.body_len, strlen("\"comment\":\"x\""));
}

static void of_anything_else_the_position_is_known(void **state) {
    (void)state;
    static const char *const messages[] = {
        "{\"id\":\"5-1\"}", "{\"id\":\"5-1\",\"prev\":\"4-9\"}",
        "{\"id\":\"5-1\",\"prev\":\"4-9\",\"kind\":7,\"body\":null}",
        "{\"id\":\"5-1\",\"kind\":7,\"a\":1}", // by an earlier version
    };
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct engine_entry e = reading(messages[i]);
        assert_int_equal(e.kind, ENTRY_UNREAD);
        assert_int_equal(e.at.seq, 1);
        assert_int_equal(e.body_len, 0);
    }
}

static void a_message_of_another_system_is_taken_as_it_is(void **state) {
    (void)state;
    struct engine_entry e = reading("{\"comment\":\"x\"}");
    assert_int_equal(e.kind, ENTRY_COMMENT);
    assert_false(position_is_set(e.at));
    assert_false(redis_entry_of_message(&e, "hello", 5));
}

// Its event, with a line break for each byte of it, would be longer than any frame.
static void what_is_too_long_for_a_frame_is_no_entry(void **state) {
    (void)state;
    static char json[(32 << 20) + 1] = "{";
    struct engine_entry e;
    memset(json + 1, '\n', sizeof json - 1);
    json[sizeof json - 1] = json[sizeof json - 2] = '}';
    assert_true(redis_entry_of_message(&e, json, sizeof json - 1));
    assert_false(redis_entry_of_message(&e, json, sizeof json));

    redisReply whole = {.type = REDIS_REPLY_STRING, .str = json, .len = sizeof json};
    assert_false(redis_entry_of_log(&e, &whole));
    char position[] = "{\"id\":\"5-1\"}", kind[] = "1";
    redisReply first = {.type = REDIS_REPLY_STRING, .str = position, .len = sizeof position - 1},
               second = {.type = REDIS_REPLY_STRING, .str = kind, .len = sizeof kind - 1},
               *fields[] = {&first, &second, &whole},
               item = {.type = REDIS_REPLY_ARRAY, .element = fields, .elements = 3};
    assert_false(redis_entry_of_log(&e, &item));
    whole.len--;
    assert_true(redis_entry_of_log(&e, &item));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comment_is_published_in_full),
        cmocka_unit_test(of_anything_else_the_position_is_known),
        cmocka_unit_test(a_message_of_another_system_is_taken_as_it_is),
        cmocka_unit_test(what_is_too_long_for_a_frame_is_no_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
