#include "unit.h"

#include "reader/reaction_pace.h"

static void few_viewers_get_it_every_second(void **state) {
    (void)state;
    struct reaction_pace p = {0};
    for (int64_t now_ms = 10000; now_ms < 20000; now_ms += 1000) {
        assert_false(reaction_pace_allows(&p, 100, 999, now_ms));
        assert_true(reaction_pace_allows(&p, 100, 1000, now_ms));
    }
}

static void many_of_one_video_get_it_every_five_seconds(void **state) {
    (void)state;
    struct reaction_pace p = {0};
    assert_false(reaction_pace_allows(&p, 101, 4999, 10000));
    assert_true(reaction_pace_allows(&p, 101, 5000, 10000));
}

// 500 videos of 20 viewers, looked at four times a second, for 100 s: all together 10,000 viewers.
static void many_of_small_videos_get_it_hardly_more_often(void **state) {
    (void)state;
    enum { VIDEOS = 500, VIEWERS = 20, FROM = 10000, MS = 100000 };
    struct reaction_pace p = {0};
    int64_t last_ms[VIDEOS] = {0}, sends = 0, longest_ms = 0;
    for (int64_t now_ms = FROM; now_ms < FROM + MS; now_ms += 250) {
        for (int i = 0; i < VIDEOS; i++) {
            if (!reaction_pace_allows(&p, VIEWERS, now_ms - last_ms[i], now_ms)) continue;
            if (last_ms[i] && now_ms - last_ms[i] > longest_ms) longest_ms = now_ms - last_ms[i];
            last_ms[i] = now_ms;
            sends += VIEWERS;
        }
    }
    int64_t each_second = sends / (MS / 1000);
    assert_in_range(each_second, VIDEOS * VIEWERS / 5, VIDEOS * VIEWERS / 5 + REACTION_FEW_SENDS + VIDEOS);
    assert_true(longest_ms <= REACTION_SELDOM_MS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_viewers_get_it_every_second),
        cmocka_unit_test(many_of_one_video_get_it_every_five_seconds),
        cmocka_unit_test(many_of_small_videos_get_it_hardly_more_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
