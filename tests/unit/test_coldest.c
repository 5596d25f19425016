#include "unit.h"

#include "reader/coldest.h"

enum { VIDEOS = 10007 }; // a prime of which 5 is a primitive root

static struct coldest c;

static void expect_the_coldest(void) {
    assert_true(c.count < 2 * COLDEST_MAX);
    coldest_sort(&c);
    assert_int_equal(c.count, COLDEST_MAX);
    for (unsigned i = 0; i < COLDEST_MAX; i++) assert_int_equal(c.videos[i].viewers, i + 1);
}

static void keeps_those_with_the_fewest_viewers(void **state) {
    (void)state;
    c = (struct coldest){0};
    for (unsigned i = 1, viewers = 1; i < VIDEOS; i++, viewers = viewers * 5 % VIDEOS)
        coldest_add(&c, "v", viewers);
    expect_the_coldest();
    c = (struct coldest){0};
    for (unsigned viewers = VIDEOS; viewers; viewers--) coldest_add(&c, "v", viewers);
    expect_the_coldest();
}

static void a_few_are_all_kept(void **state) {
    (void)state;
    c = (struct coldest){0};
    coldest_sort(&c);
    assert_int_equal(c.count, 0);
    coldest_add(&c, "hot", 7);
    coldest_add(&c, "cold", 2);
    coldest_sort(&c);
    assert_int_equal(c.count, 2);
    assert_string_equal(c.videos[0].video, "cold");
    assert_string_equal(c.videos[1].video, "hot");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_those_with_the_fewest_viewers),
        cmocka_unit_test(a_few_are_all_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
