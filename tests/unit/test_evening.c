#include "simulate/evening.h"

#include "unit.h"

#include "placement/hot_set.h"
#include "placement/reader_set.h"
#include "simulate/audience.h"
#include "simulate/placing.h"

enum { VIDEOS = 5000, VIEWERS = 200000, READERS = 20 };

// One video far ahead of all others, as zipf:1 has it: 22,000 viewers with 11 comments a second.
static struct audience *audience;
static const struct evening_fleet fleet = {.cores = 2, .max_viewers = 400000, .comments = 100, .seed = 1};

static int set_up(void **state) {
    (void)state;
    struct audience_spec law;
    assert_true(audience_parse("zipf:1", &law));
    audience = audience_new(&law, VIDEOS, VIEWERS, 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    audience_free(audience);
    return 0;
}

static double sum(const double *list, size_t count) {
    double all = 0;
    for (size_t i = 0; i < count; i++) all += list[i];
    return all;
}

static struct evening evening_of(enum placement_policy policy, size_t readers,
                                 const struct evening_fleet *f) {
    struct placing p;
    struct evening e;
    placing_init(&p, policy, audience, readers);
    evening_init(&e, &p, f);
    placing_release(&p);
    return e;
}

static void test_the_celebrity_is_no_hot_spot_any_more(void **state) {
    (void)state;
    for (int policy = 0; policy < (int)POLICIES; policy++) {
        struct evening e = evening_of((enum placement_policy)policy, READERS, &fleet);
        assert_true(e.placed.hottest > fleet.cores);
        assert_true(e.sets > 0);
        assert_true(e.with_sets.hottest < fleet.cores);
        assert_true(e.rebalanced.hottest < fleet.cores);
        assert_true(e.with_sets.most_of_mean < e.placed.most_of_mean);
        assert_true(e.rebalanced.most_of_mean < e.with_sets.most_of_mean);
        assert_true(e.with_sets.viewers > 0 && e.with_sets.viewers < VIEWERS / 2);
        evening_release(&e);
    }
}

// As many members as the rule says, and each has about its part.
static void test_a_set_is_as_large_as_it_has_to_be_and_even(void **state) {
    (void)state;
    struct evening e = evening_of(POLICY_ROUND_ROBIN, READERS, &fleet);
    double all = sum(e.celebrity, READERS);
    size_t count = 0;
    for (size_t i = 0; i < READERS; i++) count += e.celebrity[i] > 0;
    assert_int_equal(count, (size_t)(all / fleet.cores / HOT_FILL) + 1);
    assert_int_equal(count, e.largest_set);
    for (size_t i = 0; i < READERS; i++)
        if (e.celebrity[i] > 0) assert_true(e.celebrity[i] < 1.2 * all / (double)count);
    evening_release(&e);
}

// What moves is done somewhere else.
static void test_no_load_is_lost(void **state) {
    (void)state;
    struct evening e = evening_of(POLICY_HASH, READERS, &fleet);
    double lost = sum(e.before, READERS) - sum(e.after, READERS);
    assert_true(lost > -1e-6 && lost < 1e-6);
    evening_release(&e);
}

static void test_cold_videos_stay_with_one_reader(void **state) {
    (void)state;
    struct evening_fleet idle = fleet;
    idle.comments = 0.1;
    struct evening e = evening_of(POLICY_LEAST_LOADED, READERS, &idle);
    assert_int_equal(e.sets, 0);
    assert_int_equal(e.largest_set, 1);
    assert_int_equal(e.with_sets.viewers, 0);
    evening_release(&e);
    e = evening_of(POLICY_ROUND_ROBIN, 1, &fleet); // nowhere to go
    assert_int_equal(e.sets, 0);
    assert_int_equal(e.rebalanced.videos, 0);
    evening_release(&e);
}

static void test_rebalancing_keeps_its_pace(void **state) {
    (void)state;
    struct evening e = evening_of(POLICY_ROUND_ROBIN, READERS, &fleet);
    assert_true(e.rebalanced.viewers <= e.minutes * VIEWERS / 100);
    assert_true(e.minutes <= 1 + e.rebalanced.viewers / (VIEWERS / 200));
    evening_release(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_celebrity_is_no_hot_spot_any_more),
        cmocka_unit_test(test_a_set_is_as_large_as_it_has_to_be_and_even),
        cmocka_unit_test(test_no_load_is_lost),
        cmocka_unit_test(test_cold_videos_stay_with_one_reader),
        cmocka_unit_test(test_rebalancing_keeps_its_pace),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
