#include "unit.h"

#include "reader/move_pace.h"

static void each_second_has_as_many_as_the_pace_says(void **state) {
    (void)state;
    for (int tick_ms = 1; tick_ms <= MOVE_PACE_MOST_MS; tick_ms += 33) {
        struct move_pace p = {0};
        uint32_t gone = 0;
        int64_t now_ms = 5000;
        assert_int_equal(move_pace_take(&p, 777, now_ms), 0); // no time has passed
        for (; now_ms < 15000; now_ms += tick_ms) {
            uint32_t more = move_pace_take(&p, 777, now_ms);
            assert_true(more <= 777u * (unsigned)tick_ms / 1000 + 1);
            gone += more;
        }
        assert_in_range(gone, 7770 - 78, 7770);
    }
}

static void a_slow_pace_lets_one_go_now_and_then(void **state) {
    (void)state;
    struct move_pace p = {0};
    uint32_t gone = 0;
    for (int64_t now_ms = 1000; now_ms <= 11000; now_ms += 50) gone += move_pace_take(&p, 0.5, now_ms);
    assert_in_range(gone, 4, 5);
}

static void no_burst_follows_a_pause(void **state) {
    (void)state;
    struct move_pace p = {0};
    move_pace_take(&p, 1000, 1000);
    assert_int_equal(move_pace_take(&p, 1000, 61000), 1000 * MOVE_PACE_MOST_MS / 1000);
}

static void a_pace_of_nothing_lets_none_go(void **state) {
    (void)state;
    struct move_pace p = {0};
    for (int64_t now_ms = 1; now_ms < 10000; now_ms += 50) assert_int_equal(move_pace_take(&p, 0, now_ms), 0);
}

static void videos_that_leave_side_by_side_share_what_the_pace_allows(void **state) {
    (void)state;
    for (uint32_t all = 0; all < 200; all++)
        for (uint32_t videos = 1; videos <= 16; videos++) {
            uint32_t left = all, least = all, most = 0;
            for (uint32_t sharing = videos; sharing; sharing--) {
                uint32_t share = move_pace_share(left, sharing);
                least = share < least ? share : least;
                most = share > most ? share : most;
                left -= share;
            }
            assert_int_equal(left, 0);
            assert_in_range(most - least, 0, 1);
        }
    assert_int_equal(move_pace_share(7, 0), 7); // a video that comes after them
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_second_has_as_many_as_the_pace_says),
        cmocka_unit_test(a_slow_pace_lets_one_go_now_and_then),
        cmocka_unit_test(no_burst_follows_a_pause),
        cmocka_unit_test(a_pace_of_nothing_lets_none_go),
        cmocka_unit_test(videos_that_leave_side_by_side_share_what_the_pace_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
