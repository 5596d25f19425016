#include "simulate/spread.h"

#include "unit.h"

static void near(double value, double expected) {
    assert_true(value > expected - 1e-9 && value < expected + 1e-9);
}

// The textbook's example: these eight have the average 5 and the standard deviation 2.
static void test_known_values(void **state) {
    (void)state;
    static const uint64_t values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct spread s = spread_of(values, 8);
    assert_int_equal(s.total, 40);
    assert_int_equal(s.max, 9);
    assert_int_equal(s.min, 2);
    near(s.average, 5);
    near(s.deviation, 2);
    near(s.imbalance, 140);
}

static void test_even_values(void **state) {
    (void)state;
    static const uint64_t values[] = {20, 20, 20};
    struct spread s = spread_of(values, 3);
    near(s.average, 20);
    near(s.deviation, 0);
    near(s.imbalance, 0);
}

static void test_all_values_zero(void **state) {
    (void)state;
    static const uint64_t values[] = {0, 0};
    struct spread s = spread_of(values, 2);
    assert_int_equal(s.total, 0);
    near(s.deviation, 0);
    near(s.imbalance, 0);
}

// The difference of two large squares would have no digits left.
static void test_large_values(void **state) {
    (void)state;
    static const uint64_t values[] = {1000000000001, 1000000000003};
    struct spread s = spread_of(values, 2);
    near(s.deviation, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_even_values),
        cmocka_unit_test(test_all_values_zero),
        cmocka_unit_test(test_large_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
