#include "unit.h"

#include <stdio.h>

#include "engine/redis/redis_last_positions.h"
#include "entries.h"

static void learn(struct last_positions *k, const char *video, struct position at) {
    struct last_position *v = last_positions_ref(k, video);
    last_positions_note(k, v, at);
    last_positions_unref(k, v);
}

static const char *what_is_known(struct last_positions *k, const char *video) {
    static char text[POSITION_TEXT_SIZE];
    struct last_position *v = last_positions_ref(k, video);
    snprintf(text, sizeof text, "%s", v->text);
    last_positions_unref(k, v);
    return text;
}

static void the_highest_position_is_kept(void **state) {
    (void)state;
    struct last_positions k = {0};
    assert_string_equal(what_is_known(&k, "v"), "");
    learn(&k, "v", pos(7, 5));
    learn(&k, "v", pos(7, 3)); // the answer to a repeat
    learn(&k, "w", pos(8, 1));
    learn(&k, "v", pos(0, 0));
    assert_string_equal(what_is_known(&k, "v"), "7-5");
    assert_string_equal(what_is_known(&k, "w"), "8-1");
    assert_string_equal(k.epoch_text, "8");
    last_positions_release(&k);
}

static void a_video_that_was_never_appended_to_is_forgotten(void **state) {
    (void)state;
    struct last_positions k = {0};
    struct last_position *a = last_positions_ref(&k, "v"), *b = last_positions_ref(&k, "v");
    assert_ptr_equal(a, b);
    last_positions_unref(&k, a);
    assert_int_equal(k.videos.count, 1);
    last_positions_unref(&k, b);
    assert_int_equal(k.videos.count, 0);
    last_positions_release(&k);
}

static const char *take_one(struct last_positions *k) {
    struct last_position *v;
    if (!last_positions_take_doubted(k, &v, 1)) return "";
    static char name[16];
    snprintf(name, sizeof name, "%s", v->name);
    last_positions_unref(k, v);
    return name;
}

static void what_is_doubted_is_taken_once_the_last_used_first(void **state) {
    (void)state;
    struct last_positions k = {0};
    for (int i = 0; i < 3; i++) learn(&k, (const char *[]){"a", "b", "c"}[i], pos(7, 1));
    assert_string_equal(take_one(&k), "");
    last_positions_doubt(&k);
    learn(&k, "b", pos(7, 2)); // of the new history
    assert_string_equal(take_one(&k), "c");
    last_positions_doubt_again(&k, last_positions_ref(&k, "c"));
    assert_string_equal(take_one(&k), "c");
    assert_string_equal(take_one(&k), "a");
    assert_string_equal(take_one(&k), "");
    last_positions_doubt(&k);
    assert_string_equal(take_one(&k), "c");
    last_positions_release(&k);
}

static void the_videos_appended_to_last_are_kept(void **state) {
    (void)state;
    struct last_positions k = {0};
    char video[16];
    learn(&k, "first", pos(1, 1));
    struct last_position *under_way = last_positions_ref(&k, "under way");
    last_positions_note(&k, under_way, pos(1, 2));
    for (int i = 0; i < LAST_POSITIONS_MAX; i++) {
        snprintf(video, sizeof video, "v%d", i);
        learn(&k, video, pos(2, 1));
        if (i % 1000 == 0) learn(&k, "busy", pos(3, 1));
    }
    assert_in_range(k.videos.count, LAST_POSITIONS_MAX, LAST_POSITIONS_MAX + 2);
    assert_string_equal(what_is_known(&k, "busy"), "3-1");
    assert_string_equal(what_is_known(&k, "first"), "");
    last_positions_unref(&k, under_way);
    last_positions_release(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_position_is_kept),
        cmocka_unit_test(a_video_that_was_never_appended_to_is_forgotten),
        cmocka_unit_test(what_is_doubted_is_taken_once_the_last_used_first),
        cmocka_unit_test(the_videos_appended_to_last_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
