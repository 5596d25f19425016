#include "unit.h"

#include "reader/busiest.h"
#include "reader/rate.h"

static uint64_t viewers_of(const struct busiest *b, const char *video) {
    for (unsigned i = 0; i < b->count; i++)
        if (!strcmp(b->videos[i].video, video)) return b->videos[i].viewers;
    return 0;
}

static void keeps_those_with_the_most_viewers(void **state) {
    (void)state;
    static struct busiest b;
    enum { VIDEOS = 1009 }; // a prime of which 11 is a primitive root
    for (uint64_t i = 1, viewers = 1; i < VIDEOS; i++, viewers = viewers * 11 % VIDEOS) {
        char video[32];
        snprintf(video, sizeof video, "v%d", (int)viewers);
        busiest_add(&b, video, viewers, 0);
    }
    assert_int_equal(b.count, BUSIEST_MAX);
    for (uint64_t viewers = VIDEOS - BUSIEST_MAX; viewers < VIDEOS; viewers++) {
        char video[32];
        snprintf(video, sizeof video, "v%d", (int)viewers);
        assert_int_equal(viewers_of(&b, video), viewers);
    }
}

static void of_two_with_as_many_the_one_with_more_comments_stays(void **state) {
    (void)state;
    static struct busiest b;
    for (int i = 0; i < BUSIEST_MAX; i++) busiest_add(&b, i ? "other" : "quiet", 5, i ? 9 : 1);
    busiest_add(&b, "quieter", 5, 0);
    assert_int_equal(viewers_of(&b, "quieter"), 0);
    busiest_add(&b, "lively", 5, 2);
    assert_int_equal(viewers_of(&b, "lively"), 5);
    assert_int_equal(viewers_of(&b, "quiet"), 0);
}

static void a_rate_is_that_of_the_last_ten_seconds(void **state) {
    (void)state;
    struct rate r = {0};
    int64_t now_ms = 1000000;
    assert_int_equal(rate_in_1000s(r, now_ms), 0);
    for (int i = 0; i < 400; i++, now_ms += 100) rate_add(&r, now_ms); // ten a second
    assert_in_range(rate_in_1000s(r, now_ms), 9900, 10100);
    assert_in_range(rate_in_1000s(r, now_ms + 5000), 4900, 5100);
    assert_int_equal(rate_in_1000s(r, now_ms + 2 * RATE_MS), 0);
    for (int i = 0; i < 5; i++) rate_add(&r, now_ms + 3600000);
    assert_int_equal(rate_in_1000s(r, now_ms + 3600000), 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_those_with_the_most_viewers),
        cmocka_unit_test(of_two_with_as_many_the_one_with_more_comments_stays),
        cmocka_unit_test(a_rate_is_that_of_the_last_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
