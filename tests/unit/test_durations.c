#include "unit.h"

#include "base/durations.h"

static unsigned step_of(int64_t us) {
    struct durations d = {0};
    durations_add(&d, us);
    for (unsigned i = 0; i <= DURATION_STEPS; i++)
        if (d.within[i]) return i;
    return DURATION_STEPS + 1;
}

static void a_duration_counts_up_to_and_with_the_end_of_its_step(void **state) {
    (void)state;
    assert_int_equal(step_of(0), 0);
    assert_int_equal(step_of(-5), 0);
    for (unsigned i = 0; i < DURATION_STEPS; i++) {
        assert_int_equal(step_of(duration_step_us(i)), i);
        assert_int_equal(step_of(duration_step_us(i) + 1), i + 1);
    }
    assert_int_equal(step_of(INT64_C(1) << 50), DURATION_STEPS);
}

static void the_steps_are_those_that_dashboards_know(void **state) {
    (void)state;
    assert_int_equal(duration_step_us(0), 250);
    assert_int_equal(duration_step_us(2), 1000);
    assert_int_equal(duration_step_us(DURATION_STEPS - 1), 16384000);
}

static void durations_are_summed(void **state) {
    (void)state;
    struct durations d = {0};
    durations_add(&d, 100);
    durations_add(&d, -100);
    durations_add(&d, 2000000);
    assert_int_equal(d.sum_us, 2000100);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_duration_counts_up_to_and_with_the_end_of_its_step),
                                       cmocka_unit_test(the_steps_are_those_that_dashboards_know),
                                       cmocka_unit_test(durations_are_summed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
