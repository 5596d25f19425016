#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bench/load_figures.h"

static void test_merges_sums_and_extremes(void **state) {
    (void)state;
    static struct bench_figures sum, a, b;
    a.connects = 3, a.lost = 1, a.connect_us = 500, a.cpu_us = 10, a.last_arrival_us = 9;
    b.connects = 4, b.lost = 2, b.connect_us = 200, b.cpu_us = 30, b.last_arrival_us = 7;
    for (int i = 0; i < 90; i++) histogram_add(&a.latency, 10);
    for (int i = 0; i < 10; i++) histogram_add(&b.latency, 1000);
    load_figures_merge(&sum, &a);
    load_figures_merge(&sum, &b);
    assert_int_equal(sum.connects, 7);
    assert_int_equal(sum.lost, 3);
    assert_int_equal(sum.connect_us, 500);
    assert_int_equal(sum.last_arrival_us, 9);
    assert_int_equal(sum.cpu_us, 40);
    assert_int_equal(sum.busiest_cpu_us, 30);
    assert_int_equal(sum.latency.count, 100);
    assert_int_equal(histogram_percentile(&sum.latency, 90), 10);
    assert_int_equal(histogram_percentile(&sum.latency, 91), 1000);
}

static void test_counts_deliveries_by_second(void **state) {
    (void)state;
    static struct bench_figures sum, f;
    static const int64_t times_us[] = {-5, 0, 999999, 1000000, INT64_C(1000000) * BENCH_SECONDS_MAX * 2};
    for (size_t i = 0; i < sizeof times_us / sizeof *times_us; i++)
        load_figures_add_delivery(&f, times_us[i]);
    load_figures_merge(&sum, &f);
    load_figures_merge(&sum, &f);
    assert_int_equal(sum.deliveries, 10);
    assert_int_equal(sum.by_second[0], 6);
    assert_int_equal(sum.by_second[1], 2);
    assert_int_equal(sum.by_second[BENCH_SECONDS_MAX - 1], 2);
    assert_int_equal(sum.seconds, BENCH_SECONDS_MAX);
}

static void test_merges_only_used_seconds(void **state) {
    (void)state;
    static struct bench_figures sum, shorter, longer;
    load_figures_add_delivery(&shorter, 500000);
    load_figures_add_delivery(&longer, 2500000);
    load_figures_merge(&sum, &longer);
    load_figures_merge(&sum, &shorter);
    assert_int_equal(sum.seconds, 3);
    assert_int_equal(sum.by_second[0], 1);
    assert_int_equal(sum.by_second[2], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_sums_and_extremes),
        cmocka_unit_test(test_counts_deliveries_by_second),
        cmocka_unit_test(test_merges_only_used_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
