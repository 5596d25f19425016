#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "service/reaction_sums.h"

static void kinds_are_added_up_and_the_most_frequent_come_first(void **state) {
    (void)state;
    struct reaction_sums s = {0};
    reaction_sums_add(&s, "clap", 4, 2);
    reaction_sums_add(&s, "heart", 5, 2);
    reaction_sums_add(&s, "hearts", 5, 3); // its first five bytes
    reaction_sums_add(&s, "boos", 4, 1);
    reaction_sums_add(&s, "boo", 3, 2);
    reaction_sums_sort(&s);
    assert_int_equal(s.kinds, 4);
    assert_string_equal(s.of[0].kind, "heart");
    assert_int_equal(s.of[0].count, 5);
    assert_string_equal(s.of[1].kind, "boo");
    assert_string_equal(s.of[2].kind, "clap");
}

static void what_is_too_much_is_not_counted(void **state) {
    (void)state;
    struct reaction_sums s = {0};
    char kind[40];
    for (int i = 0; i < 2 * REACTION_KINDS; i++)
        reaction_sums_add(&s, kind, (size_t)snprintf(kind, sizeof kind, "k%d", i), 1);
    assert_int_equal(s.kinds, REACTION_KINDS);
    memset(kind, 'x', sizeof kind);
    s.kinds = 0;
    reaction_sums_add(&s, kind, 0, 1);
    reaction_sums_add(&s, kind, REACTION_KIND_MAX + 1, 1);
    assert_int_equal(s.kinds, 0);
    reaction_sums_add(&s, kind, REACTION_KIND_MAX, UINT32_MAX);
    reaction_sums_add(&s, kind, REACTION_KIND_MAX, 7);
    assert_int_equal(s.of[0].count, UINT32_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_are_added_up_and_the_most_frequent_come_first),
        cmocka_unit_test(what_is_too_much_is_not_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
