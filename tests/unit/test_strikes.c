#include "unit.h"

#include "moderation/strikes.h"

enum { MOST = 3, WITHIN_MS = 1000 };

static bool note(struct strikes *s, const char *user, const char *video, int64_t now_ms) {
    return strikes_note(s, user, video, MOST, WITHIN_MS, now_ms);
}

static void the_third_in_time_is_too_much_and_then_they_begin_anew(void **state) {
    (void)state;
    struct strikes *s = strikes_new();
    assert_false(note(s, "ann", "v", 100));
    assert_false(note(s, "ann", "v", 100));
    assert_true(note(s, "ann", "v", 100 + WITHIN_MS - 1));
    assert_false(note(s, "ann", "v", 100 + WITHIN_MS - 1));
    assert_false(note(s, "ann", "v", 100 + WITHIN_MS - 1));
    assert_true(note(s, "ann", "v", 100 + WITHIN_MS - 1));
    strikes_free(s);
}

static void those_of_before_do_not_count(void **state) {
    (void)state;
    struct strikes *s = strikes_new();
    assert_false(note(s, "ann", "v", 100));
    assert_false(note(s, "ann", "v", 600));
    assert_false(note(s, "ann", "v", 100 + WITHIN_MS));
    assert_true(note(s, "ann", "v", 600 + WITHIN_MS - 1));
    strikes_free(s);
}

static void each_user_and_each_video_is_apart(void **state) {
    (void)state;
    struct strikes *s = strikes_new();
    for (int i = 0; i < 2; i++) {
        assert_false(note(s, "ann", "v", 100));
        assert_false(note(s, "ann", "w", 100));
        assert_false(note(s, "bob", "v", 100));
    }
    assert_true(note(s, "ann", "v", 100));
    strikes_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_third_in_time_is_too_much_and_then_they_begin_anew),
        cmocka_unit_test(those_of_before_do_not_count),
        cmocka_unit_test(each_user_and_each_video_is_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
