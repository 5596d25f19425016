#include "unit.h"

#include "placement/rebalance.h"

static const struct rebalance_reader uneven[] = {{"a", 600}, {"b", 300}, {"c", 0}}; // 300 on average

static void nothing_is_planned_for_readers_that_are_about_even(void **state) {
    (void)state;
    const struct rebalance_reader readers[] = {{"a", 125}, {"b", 75}};
    struct rebalance_video videos[] = {{"v", 0, 1}};
    struct rebalance_move moves[1];
    assert_int_equal(rebalance_spread(readers, 2), 125);
    assert_int_equal(rebalance_plan(readers, 2, videos, 1, 1000, moves), 0);
    const struct rebalance_reader none[] = {{"a", 0}, {"b", 0}};
    assert_int_equal(rebalance_spread(none, 2), 0);
    assert_int_equal(rebalance_plan(none, 2, videos, 1, 1000, moves), 0);
}

static void the_coldest_videos_go_to_the_emptiest_reader(void **state) {
    (void)state;
    struct rebalance_video videos[] = {{"hot", 0, 500}, {"b1", 1, 5}, {"cold", 0, 10}, {"cool", 0, 90}};
    struct rebalance_move moves[4];
    assert_int_equal(rebalance_surplus(uneven, 3, 0), 285);
    assert_int_equal(rebalance_surplus(uneven, 3, 1), 0);
    assert_int_equal(rebalance_plan(uneven, 3, videos, 4, 1000, moves),
                     2); // the hot one would only move the problem
    assert_string_equal(moves[0].video->video, "cold");
    assert_int_equal(moves[0].to, 2);
    assert_string_equal(moves[1].video->video, "cool");
    assert_int_equal(moves[1].to, 2);
}

static void no_more_viewers_move_than_may(void **state) {
    (void)state;
    struct rebalance_video videos[] = {{"x", 0, 40}, {"y", 0, 40}, {"z", 0, 41}};
    struct rebalance_move moves[3];
    assert_int_equal(rebalance_plan(uneven, 3, videos, 3, 80, moves), 2);
    assert_int_equal(rebalance_plan(uneven, 3, videos, 3, 79, moves), 1);
    assert_int_equal(rebalance_plan(uneven, 3, videos, 3, 39, moves), 0);
}

static void no_reader_ends_above_or_gives_more_than_too_much(void **state) {
    (void)state;
    enum { VIDEOS = 600 };
    static char names[VIDEOS][8];
    struct rebalance_video videos[VIDEOS];
    struct rebalance_move moves[VIDEOS];
    uint64_t viewers[] = {600, 300, 0};
    for (int i = 0; i < VIDEOS; i++) {
        snprintf(names[i], sizeof names[i], "v%d", i);
        videos[i] = (struct rebalance_video){names[i], 0, 1};
    }
    size_t count = rebalance_plan(uneven, 3, videos, VIDEOS, UINT64_MAX, moves);
    for (size_t i = 0; i < count; i++) {
        viewers[0] -= moves[i].video->viewers;
        viewers[moves[i].to] += moves[i].video->viewers;
    }
    assert_int_equal(viewers[0], 315);
    assert_true(viewers[1] <= 315 && viewers[2] <= 315);
}

// It would only send them elsewhere.
static void no_reader_gets_more_than_it_may_have(void **state) {
    (void)state;
    const struct rebalance_reader readers[] = {{"a", 600, 1000}, {"b", 200, 1000}, {"c", 100, 110}};
    struct rebalance_video videos[] = {{"x", 0, 10}, {"y", 0, 11}};
    struct rebalance_move moves[2];
    assert_int_equal(rebalance_plan(readers, 3, videos, 2, 1000, moves), 2);
    assert_int_equal(moves[0].to, 2);
    assert_int_equal(moves[1].to, 1);
    const struct rebalance_reader full[] = {{"a", 600, 1000}, {"b", 200, 200}, {"c", 100, 100}};
    assert_int_equal(rebalance_plan(full, 3, videos, 2, 1000, moves), 0);
}

static void it_waits_for_a_minute_and_a_hundredth_may_move_in_each(void **state) {
    (void)state;
    struct rebalance_pace p = {0};
    int64_t now_ms = 1000;
    assert_false(rebalance_watch(&p, 130, 6000, now_ms));
    for (; now_ms < 1000 + REBALANCE_AFTER_MS - 1000; now_ms += 1000)
        assert_false(rebalance_watch(&p, 130, 6000, now_ms));
    assert_false(rebalance_watch(&p, 120, 6000, now_ms += 1000)); // for a moment
    for (int i = 0; i < 60; i++) assert_false(rebalance_watch(&p, 130, 6000, now_ms += 1000));
    assert_true(rebalance_watch(&p, 130, 6000, now_ms += 1000));
    assert_in_range((int)p.viewers, 59, 60); // what has gathered is a minute's
    p.viewers = 0;
    for (int i = 0; i < 30; i++) assert_true(rebalance_watch(&p, 130, 6000, now_ms += 1000));
    assert_in_range((int)p.viewers, 29, 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_planned_for_readers_that_are_about_even),
        cmocka_unit_test(the_coldest_videos_go_to_the_emptiest_reader),
        cmocka_unit_test(no_more_viewers_move_than_may),
        cmocka_unit_test(no_reader_ends_above_or_gives_more_than_too_much),
        cmocka_unit_test(no_reader_gets_more_than_it_may_have),
        cmocka_unit_test(it_waits_for_a_minute_and_a_hundredth_may_move_in_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
