#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "clients/sequence.h"

static struct position at(uint64_t epoch, uint64_t seq) {
    return (struct position){epoch, seq};
}

static void expect(struct sequence *s, struct position p, enum sequence_verdict verdict, uint64_t skipped) {
    uint64_t got;
    assert_int_equal(sequence_take(s, p, &got), verdict);
    assert_int_equal(got, skipped);
}

static void test_in_order_is_fine(void **state) {
    (void)state;
    struct sequence s = {0};
    sequence_jump(&s, at(7, 4));
    for (uint64_t i = 5; i < 200; i++) expect(&s, at(7, i), SEQUENCE_FINE, 0);
}

static void test_what_is_skipped_is_counted(void **state) {
    (void)state;
    struct sequence s = {0};
    expect(&s, at(7, 10), SEQUENCE_FINE, 0); // the first one begins wherever it is
    expect(&s, at(7, 12), SEQUENCE_FINE, 1);
    expect(&s, at(7, 500), SEQUENCE_FINE, 487);
}

static void test_duplicates_and_late_numbers(void **state) {
    (void)state;
    struct sequence s = {0};
    expect(&s, at(7, 10), SEQUENCE_FINE, 0);
    expect(&s, at(7, 10), SEQUENCE_DUPLICATE, 0);
    expect(&s, at(7, 9), SEQUENCE_DUPLICATE, 0); // before the start
    expect(&s, at(7, 13), SEQUENCE_FINE, 2);
    expect(&s, at(7, 11), SEQUENCE_LATE, 0);
    expect(&s, at(7, 11), SEQUENCE_DUPLICATE, 0);
    expect(&s, at(7, 76), SEQUENCE_FINE, 62);
    expect(&s, at(7, 14), SEQUENCE_LATE, 0);      // 62 back
    expect(&s, at(7, 12), SEQUENCE_DUPLICATE, 0); // beyond what is remembered
}

static void test_an_epoch_begins_at_one(void **state) {
    (void)state;
    struct sequence s = {0};
    expect(&s, at(7, 10), SEQUENCE_FINE, 0);
    expect(&s, at(9, 1), SEQUENCE_FINE, 0);
    expect(&s, at(11, 3), SEQUENCE_FINE, 2);
    expect(&s, at(11, 1), SEQUENCE_LATE, 0);
    expect(&s, at(9, 2), SEQUENCE_DUPLICATE, 0);
}

static void test_an_announced_gap_is_not_a_loss(void **state) {
    (void)state;
    struct sequence s = {0};
    expect(&s, at(7, 10), SEQUENCE_FINE, 0);
    sequence_jump(&s, at(7, 50));
    expect(&s, at(7, 51), SEQUENCE_FINE, 0);
    expect(&s, at(7, 50), SEQUENCE_DUPLICATE, 0);
}

static uint64_t more_in(const char *json) {
    return sequence_more(json, strlen(json));
}

static void what_was_left_out_is_said_at_the_end(void **state) {
    (void)state;
    assert_int_equal(more_in("{\"id\":\"1-2\",\"more\":37}"), 37);
    assert_int_equal(more_in("{\"type\":\"more\",\"id\":\"1-2\",\"more\":1}"), 1);
    static const char *const none[] = {
        "", "}", "7}", "{\"more\":}", "{\"a\":7}", "{\"comment\":\",\\\"more\\\":7}\"}", "[7]"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_int_equal(more_in(none[i]), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_left_out_is_said_at_the_end),
        cmocka_unit_test(test_in_order_is_fine),
        cmocka_unit_test(test_what_is_skipped_is_counted),
        cmocka_unit_test(test_duplicates_and_late_numbers),
        cmocka_unit_test(test_an_epoch_begins_at_one),
        cmocka_unit_test(test_an_announced_gap_is_not_a_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
