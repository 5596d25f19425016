#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bench/require.h"

static struct bench_result result; // large; zero but for what a test sets

static bool holds(const char *text) {
    struct requirements all;
    char why[256];
    assert_true(requirements_parse(&all, text, why, sizeof why));
    for (size_t i = 0; i < all.count; i++)
        if (!requirement_is_met(&all.at[i], &result)) return false;
    return true;
}

static int set_up(void **state) {
    (void)state;
    result = (struct bench_result){0};
    return 0;
}

static void test_compares_counts(void **state) {
    (void)state;
    result.sum.lost = 3;
    assert_true(holds("lost=3") && holds("lost<4") && holds("lost<=3") && holds("lost>2") &&
                holds("lost>=3"));
    assert_false(holds("lost=0") || holds("lost<3") || holds("lost<=2") || holds("lost>3") ||
                 holds("lost>=4"));
}

static void test_every_condition_must_hold(void **state) {
    (void)state;
    result.sum.duplicated = 1;
    assert_true(holds("lost=0,duplicated=1"));
    assert_false(holds("lost=0,duplicated=0"));
    assert_false(holds("duplicated=0,lost=0"));
}

static void test_knows_the_units_of_time(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) histogram_add(&result.sum.latency, 50000);
    histogram_add(&result.sum.latency, 2000000);
    assert_true(holds("p50<51ms") && holds("p50>=50000us") && holds("p99<0.1s") && holds("max=2s"));
    assert_false(holds("p50<50ms"));
    assert_false(holds("p9999<1s"));
}

static void test_counts_deliveries_per_second(void **state) {
    (void)state;
    result.sum.deliveries = 1000;
    result.posted_us = 2000000;
    assert_true(holds("deliveries_per_s=500"));
    result.start_us = 1000000;
    result.sum.last_arrival_us = 5000000; // it took longer than the posting
    assert_true(holds("deliveries_per_s=250"));
}

static void test_an_unknown_figure_meets_no_condition(void **state) {
    (void)state;
    assert_false(holds("bytes_per_viewer<256") || holds("bytes_per_viewer>=0") ||
                 holds("bytes_per_viewer=0"));
}

static void test_keeps_each_condition_as_written(void **state) {
    (void)state;
    struct requirements all;
    char why[256], text[64] = "";
    assert_true(requirements_parse(&all, "p99<250ms,lost=0,max<=1.5s", why, sizeof why));
    for (size_t i = 0; i < all.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "[%.*s]", all.at[i].len, all.at[i].text);
    assert_string_equal(text, "[p99<250ms][lost=0][max<=1.5s]");
}

static void test_an_error_quotes_the_condition(void **state) {
    (void)state;
    static const char *const wrong[] = {"",         "lost",      "lost=",    "lost=x",      "lost=0,",
                                        ",lost=0",  "p99<250",   "p99<250m", "lost=0s",     "latency<1s",
                                        "lost==0",  "lost!0",    "p99<-1ms", "p99<250ms x", "p99<nan",
                                        "lost=inf", "lost=0;x=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct requirements all;
        char why[256] = "";
        if (requirements_parse(&all, wrong[i], why, sizeof why)) fail_msg("\"%s\" was taken", wrong[i]);
        assert_true(why[0]);
    }
}

static void test_an_error_tells_what_is_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *why;
    } wrong[] = {{"p98<1ms", "there is no such figure. There are: p50, p90,"},
                 {"p99<250", "a time needs its unit, us, ms or s"},
                 {"lost=0ms", "this figure has no unit"},
                 {"lost==0", "lost must be followed by <, <=, =, >= or > and a number"},
                 {"lost=0,", "--require has \"\""}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct requirements all;
        char why[512] = "";
        assert_false(requirements_parse(&all, wrong[i].text, why, sizeof why));
        if (!strstr(why, wrong[i].why)) fail_msg("%s", why);
        assert_int_equal(why[strlen(why) - 1], '.');
    }
}

static void test_an_interrupted_run_meets_no_condition(void **state) {
    (void)state;
    assert_true(holds("lost=0"));
    result.interrupted = true;
    assert_false(holds("lost=0") || holds("lost>=0"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_compares_counts, set_up),
        cmocka_unit_test_setup(test_every_condition_must_hold, set_up),
        cmocka_unit_test_setup(test_knows_the_units_of_time, set_up),
        cmocka_unit_test_setup(test_counts_deliveries_per_second, set_up),
        cmocka_unit_test_setup(test_an_unknown_figure_meets_no_condition, set_up),
        cmocka_unit_test(test_keeps_each_condition_as_written),
        cmocka_unit_test(test_an_error_quotes_the_condition),
        cmocka_unit_test(test_an_error_tells_what_is_wrong),
        cmocka_unit_test_setup(test_an_interrupted_run_meets_no_condition, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
