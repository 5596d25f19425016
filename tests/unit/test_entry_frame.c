#include "unit.h"

#include "entries.h"
#include "fanout/frame.h"
#include "reader/entry_frame.h"

static int64_t posted_ms(const char *body) {
    struct engine_entry e = {.at = {1, 1}, .kind = ENTRY_COMMENT, .body = body, .body_len = strlen(body)};
    struct frame *f = frame_of_entry(&e);
    int64_t ms = f->posted_ms;
    frame_unref(f);
    return ms;
}

static void a_frame_knows_when_its_comment_was_posted(void **state) {
    (void)state;
    assert_int_equal(posted_ms("\"comment\":\"x\",\"timestamp\":\"2025-11-23T21:06:40.123Z\""),
                     1763932000123);
}

static void without_a_time_at_the_end_it_is_unknown(void **state) {
    (void)state;
    assert_int_equal(posted_ms("\"timestamp\":\"2025-11-23T21:06:40.123Z\",\"comment\":\"x\""), 0);
    assert_int_equal(posted_ms("\"comment\":\"x\",\"timestamp\":\"2025-11-23 21:06:40.123Z\""), 0);
    assert_int_equal(posted_ms("\"comment\":\"x\",\"timestamps\":\"2025-11-23T21:06:40.12Z\""), 0);
    assert_int_equal(posted_ms("\"a\":1"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_knows_when_its_comment_was_posted),
        cmocka_unit_test(without_a_time_at_the_end_it_is_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
