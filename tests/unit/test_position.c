#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/position.h"

static bool parse(const char *text, struct position *out) {
    return position_parse(text, strlen(text), out);
}

static void formats_and_parses_back(void **state) {
    (void)state;
    const struct position positions[] = {
        {1, 0}, {1763932000000, 41}, {INT64_MAX, INT64_MAX}, {1, INT64_MAX}, {10, 10},
    };
    const char *const texts[] = {
        "1-0",   "1763932000000-41", "9223372036854775807-9223372036854775807", "1-9223372036854775807",
        "10-10",
    };
    for (size_t i = 0; i < sizeof positions / sizeof *positions; i++) {
        char text[POSITION_TEXT_SIZE];
        struct position back;
        assert_int_equal(position_format(positions[i], text), strlen(texts[i]));
        assert_string_equal(text, texts[i]);
        assert_true(parse(text, &back));
        assert_int_equal(position_compare(back, positions[i]), 0);
    }
}

static void refuses_what_is_not_a_position(void **state) {
    (void)state;
    const char *const texts[] = {
        "",
        "-",
        "1",
        "1-",
        "-1",
        "0-1",
        "1--2",
        "1-2-3",
        "1-2 ",
        " 1-2",
        "+1-2",
        "1-+2",
        "1-2\n",
        "a-b",
        "1_2",
        "0x1-2",
        "1.0-2",
        "9223372036854775808-1",
        "1-9223372036854775808",
        "99999999999999999999999999999999-1",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct position p = {7, 7};
        assert_false(parse(texts[i], &p));
        assert_int_equal(p.epoch, 7); // left alone
        assert_int_equal(p.seq, 7);
    }
}

static void reads_no_further_than_the_length(void **state) {
    (void)state;
    struct position p;
    assert_true(position_parse("12-345", 5, &p));
    assert_int_equal(p.epoch, 12);
    assert_int_equal(p.seq, 34);
    assert_false(position_parse("12-345", 3, &p));
    assert_false(position_parse("12-345", 2, &p));
    assert_false(position_parse("1\0-2", 4, &p));
}

static void takes_leading_zeros(void **state) {
    (void)state;
    struct position p;
    assert_true(parse("007-0001", &p));
    assert_int_equal(p.epoch, 7);
    assert_int_equal(p.seq, 1);
}

static void compares_epoch_before_number(void **state) {
    (void)state;
    assert_true(position_compare((struct position){1, 9}, (struct position){2, 1}) < 0);
    assert_true(position_compare((struct position){2, 1}, (struct position){1, 9}) > 0);
    assert_true(position_compare((struct position){2, 1}, (struct position){2, 2}) < 0);
    assert_true(position_compare((struct position){2, UINT64_MAX}, (struct position){2, 0}) > 0);
    assert_int_equal(position_compare((struct position){2, 2}, (struct position){2, 2}), 0);
}

static void a_zero_epoch_means_not_set(void **state) {
    (void)state;
    assert_false(position_is_set((struct position){0}));
    assert_false(position_is_set((struct position){.seq = 5}));
    assert_true(position_is_set((struct position){.epoch = 5}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_and_parses_back),          cmocka_unit_test(refuses_what_is_not_a_position),
        cmocka_unit_test(reads_no_further_than_the_length), cmocka_unit_test(takes_leading_zeros),
        cmocka_unit_test(compares_epoch_before_number),     cmocka_unit_test(a_zero_epoch_means_not_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
