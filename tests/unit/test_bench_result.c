#include "unit.h"

#include <math.h>

#include "bench/result.h"

static struct bench_result *with_viewers(uint64_t viewers) {
    struct bench_result *r = calloc(1, sizeof *r);
    r->sum.connects = viewers;
    r->before.server.known = r->connected.server.known = r->ended.server.known = true;
    r->connected.load.known = true;
    return r;
}

static void test_memory_is_split_into_server_load_and_kernel(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(1000);
    r->before.server.pss_bytes = 1000, r->connected.server.pss_bytes = 201000;
    r->connected.load.pss_bytes = 150000;
    r->before.machine.kernel_bytes = 50000, r->connected.machine.kernel_bytes = 9750000;
    assert_true(bench_metric_value(r, "bytes_per_viewer") == 200);
    assert_true(bench_metric_value(r, "load_bytes_per_viewer") == 150); // with what it had before
    assert_true(bench_metric_value(r, "kernel_bytes_per_viewer") == 9700);
    r->sum.connects = 999; // too few to tell
    assert_true(isnan(bench_metric_value(r, "bytes_per_viewer")) &&
                isnan(bench_metric_value(r, "load_bytes_per_viewer")) &&
                isnan(bench_metric_value(r, "kernel_bytes_per_viewer")));
    free(r);
}

static void test_losses_are_unknown_if_no_comment_was_accepted(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(10);
    assert_true(bench_metric_value(r, "lost") == 0); // nothing was to be posted
    r->sum.post_failures = 5;
    assert_true(isnan(bench_metric_value(r, "lost")));
    r->sum.comments = 1;
    assert_true(bench_metric_value(r, "lost") == 0);
    free(r);
}

static void test_restarted_readers_have_no_figures(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(10);
    r->sum.comments = 20;
    r->before.readers = (struct reader_health){.sends = 10, .shed = 2, .known = true};
    r->connected.readers =
        (struct reader_health){.wakeups = 50, .sends = 100, .sent = 100, .shed = 3, .known = true};
    r->ended.readers =
        (struct reader_health){.wakeups = 60, .sends = 120, .sent = 140, .shed = 5, .known = true};
    assert_true(bench_metric_value(r, "refused") == 3);
    assert_true(bench_metric_value(r, "deliveries_per_send") == 2);
    r->ended.readers =
        (struct reader_health){.wakeups = 60, .sends = 20, .sent = 40, .shed = 5, .known = true};
    assert_true(isnan(bench_metric_value(r, "wakeups_per_comment")) &&
                isnan(bench_metric_value(r, "deliveries_per_send")));
    free(r);
}

// A run that measured nothing must not pass for a fast one.
static void test_an_empty_histogram_has_no_percentiles(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(10);
    assert_true(isnan(bench_metric_value(r, "p99")));
    assert_true(isnan(bench_metric_value(r, "post_p99")));
    histogram_add(&r->sum.latency, 1000);
    assert_true(bench_metric_value(r, "p99") > 0);
    free(r);
}

static void test_figures_from_the_readers_counters(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(10);
    assert_true(isnan(bench_metric_value(r, "wakeups_per_comment")));
    r->sum.comments = 20;
    r->connected.readers = (struct reader_health){.wakeups = 5, .sends = 100, .sent = 100, .known = true};
    r->ended.readers = (struct reader_health){.wakeups = 45, .sends = 150, .sent = 300, .known = true};
    assert_true(bench_metric_value(r, "wakeups_per_comment") == 2);
    assert_true(bench_metric_value(r, "deliveries_per_send") == 4);
    r->ended.readers.known = false;
    assert_true(isnan(bench_metric_value(r, "deliveries_per_send")));
    free(r);
}

static void test_stalled_viewers_are_counted_separately(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(10);
    r->sum.stalled = 5, r->sum.stalled_closed = 2;
    assert_true(bench_metric_value(r, "stalled") == 5);
    assert_true(bench_metric_value(r, "stalled_closed") == 2);
    assert_true(bench_metric_value(r, "stalled_open") == 3);
    assert_true(bench_metric_value(r, "cuts") == 0);
    free(r);
}

static void test_unknown_figures_are_nan(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(0);
    assert_true(isnan(bench_metric_value(r, "bytes_per_viewer")));
    assert_true(isnan(bench_metric_value(r, "kernel_bytes_per_viewer")));
    assert_true(isnan(result_cpu_per_delivery_us(r)));
    assert_true(isnan(bench_metric_value(r, "nothing")));
    free(r);
}

static void test_detects_a_busy_generator(void **state) {
    (void)state;
    struct bench_result *r = with_viewers(10);
    r->cores = 2, r->measured_us = 1000000;
    r->sum.cpu_us = 1700000, r->sum.busiest_cpu_us = 850000;
    assert_false(result_generator_was_bottleneck(r));
    r->sum.busiest_cpu_us = 950000; // one process has no more of its core
    assert_true(result_generator_was_bottleneck(r));
    r->sum.busiest_cpu_us = 20000, r->sum.cpu_us = 1850000; // a hundred have no more of the machine
    assert_true(result_generator_was_bottleneck(r));
    r->sum.cpu_us = 20000;
    assert_false(result_generator_was_bottleneck(r));
    histogram_add(&r->sum.lag, 150000); // they come late
    assert_true(result_generator_was_bottleneck(r));
    free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory_is_split_into_server_load_and_kernel),
        cmocka_unit_test(test_losses_are_unknown_if_no_comment_was_accepted),
        cmocka_unit_test(test_restarted_readers_have_no_figures),
        cmocka_unit_test(test_figures_from_the_readers_counters),
        cmocka_unit_test(test_stalled_viewers_are_counted_separately),
        cmocka_unit_test(test_unknown_figures_are_nan),
        cmocka_unit_test(test_detects_a_busy_generator),
        cmocka_unit_test(test_an_empty_histogram_has_no_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
