#include "unit.h"

#include "base/delays.h"

static uint64_t counts[DELAY_BUCKETS];

static int set_up(void **state) {
    (void)state;
    memset(counts, 0, sizeof counts);
    return 0;
}

static void without_delays_there_is_no_percentile(void **state) {
    (void)state;
    assert_true(delay_percentile_ms(counts, 50) < 0);
}

static void delays_below_8_ms_are_exact(void **state) {
    (void)state;
    for (int ms = 0; ms < 8; ms++) counts[delay_bucket(ms)]++;
    assert_true(delay_percentile_ms(counts, 0) == 0);
    assert_true(delay_percentile_ms(counts, 50) == 3);
    assert_true(delay_percentile_ms(counts, 99) == 7);
}

static void buckets_follow_each_other_and_none_is_wider_than_a_quarter(void **state) {
    (void)state;
    int64_t since_ms = 0;
    unsigned before = 0;
    for (int64_t ms = 1; ms <= DELAY_LARGEST_MS; ms++) {
        unsigned bucket = delay_bucket(ms);
        if (bucket == before) continue;
        assert_int_equal(bucket, before + 1);
        if (since_ms >= 8) assert_true((ms - since_ms) * 4 <= since_ms);
        since_ms = ms;
        before = bucket;
    }
    assert_int_equal(before, DELAY_BUCKETS - 1);
}

// Clocks that differ, and delays that no screen has room for.
static void what_is_outside_counts_as_the_nearest(void **state) {
    (void)state;
    assert_int_equal(delay_bucket(-1), 0);
    assert_int_equal(delay_bucket(INT64_MIN), 0);
    assert_int_equal(delay_bucket(INT64_MAX), DELAY_BUCKETS - 1);
}

static void a_percentile_is_at_most_12_percent_off(void **state) {
    (void)state;
    for (int64_t ms = 8; ms < 1000000; ms += 1 + ms / 9) {
        set_up(NULL);
        counts[delay_bucket(ms)] = 100;
        double found = delay_percentile_ms(counts, 50);
        assert_true(found >= (double)ms * 0.875 && found <= (double)ms * 1.125);
    }
}

static void sources_are_merged_by_adding_up(void **state) {
    (void)state;
    counts[delay_bucket(10)] += 99;
    counts[delay_bucket(500)] += 1;
    assert_true(delay_percentile_ms(counts, 50) < 13);
    assert_true(delay_percentile_ms(counts, 99.5) > 400);
    counts[delay_bucket(500)] += 200;
    assert_true(delay_percentile_ms(counts, 50) > 400);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_delays_there_is_no_percentile, set_up),
        cmocka_unit_test_setup(delays_below_8_ms_are_exact, set_up),
        cmocka_unit_test_setup(buckets_follow_each_other_and_none_is_wider_than_a_quarter, set_up),
        cmocka_unit_test_setup(what_is_outside_counts_as_the_nearest, set_up),
        cmocka_unit_test_setup(a_percentile_is_at_most_12_percent_off, set_up),
        cmocka_unit_test_setup(sources_are_merged_by_adding_up, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
