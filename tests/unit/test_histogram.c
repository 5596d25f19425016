#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/histogram.h"

static struct histogram h, other;

static int clear(void **state) {
    (void)state;
    memset(&h, 0, sizeof h);
    memset(&other, 0, sizeof other);
    return 0;
}

static void test_empty_has_no_percentile(void **state) {
    (void)state;
    assert_int_equal(histogram_percentile(&h, 0), 0);
    assert_int_equal(histogram_percentile(&h, 99), 0);
}

static void test_small_values_are_exact(void **state) {
    (void)state;
    for (int i = 0; i < 64; i++) histogram_add(&h, i);
    assert_int_equal(histogram_percentile(&h, 0), 0);
    assert_int_equal(histogram_percentile(&h, 50), 31);
    assert_int_equal(histogram_percentile(&h, 100), 63);
}

// Alone with a far larger one, so that the largest value seen does not help.
static void test_every_size_is_at_most_three_percent_too_high(void **state) {
    (void)state;
    for (int64_t value = 1; value < HISTOGRAM_LARGEST / 2; value += 1 + value / 7) {
        clear(NULL);
        histogram_add(&h, value);
        histogram_add(&h, HISTOGRAM_LARGEST);
        int64_t said = histogram_percentile(&h, 50);
        assert_true(said >= value);
        assert_true(said <= value + value * 3 / 100 + 1);
    }
}

static void test_percentiles_of_a_run(void **state) {
    (void)state;
    for (int i = 1; i <= 10000; i++) histogram_add(&h, i);
    assert_in_range((uintmax_t)histogram_percentile(&h, 50), 5000, 5160);
    assert_in_range((uintmax_t)histogram_percentile(&h, 99), 9900, 10000);
    assert_int_equal(histogram_percentile(&h, 100), 10000);
}

static void test_values_are_clamped(void **state) {
    (void)state;
    histogram_add(&h, -5);
    histogram_add(&h, INT64_MAX);
    assert_int_equal(h.count, 2);
    assert_int_equal(histogram_percentile(&h, 1), 0);
    assert_true(histogram_percentile(&h, 100) == HISTOGRAM_LARGEST);
}

static void test_merging_is_adding_all(void **state) {
    (void)state;
    for (int i = 0; i < 90; i++) histogram_add(&h, 10);
    for (int i = 0; i < 10; i++) histogram_add(&other, 1000000);
    histogram_merge(&h, &other);
    assert_int_equal(h.count, 100);
    assert_int_equal(histogram_percentile(&h, 90), 10);
    assert_int_equal(histogram_percentile(&h, 91), 1000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty_has_no_percentile, clear),
        cmocka_unit_test_setup(test_small_values_are_exact, clear),
        cmocka_unit_test_setup(test_every_size_is_at_most_three_percent_too_high, clear),
        cmocka_unit_test_setup(test_percentiles_of_a_run, clear),
        cmocka_unit_test_setup(test_values_are_clamped, clear),
        cmocka_unit_test_setup(test_merging_is_adding_all, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
