#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/distribution.h"

enum { THINGS = 10, DRAWS = 100000 };

static void draw(struct distribution_spec spec, unsigned counts[THINGS]) {
    struct prng chance = {.state = 7};
    struct distribution *d = distribution_new(spec, THINGS);
    memset(counts, 0, THINGS * sizeof *counts);
    for (int i = 0; i < DRAWS; i++) {
        size_t k = distribution_choose(d, &chance);
        assert_true(k < THINGS);
        counts[k]++;
    }
    distribution_free(d);
}

static void test_parses_valid_specifications(void **state) {
    (void)state;
    struct distribution_spec s;
    assert_true(distribution_parse("uniform", &s));
    assert_int_equal(s.kind, DISTRIBUTION_UNIFORM);
    assert_true(distribution_parse("zipf", &s));
    assert_true(s.kind == DISTRIBUTION_ZIPF && s.exponent == 1.0);
    assert_true(distribution_parse("zipf:0.75", &s));
    assert_true(s.kind == DISTRIBUTION_ZIPF && s.exponent == 0.75);
    assert_true(distribution_parse("zipf:10", &s));
}

static void test_refuses_invalid_specifications(void **state) {
    (void)state;
    static const char *const wrong[] = {"",         "zipf:",     "zipf:-1",    "zipf:1e3",
                                        "zipf:nan", "zipf:10.5", "zipf:1.2.3", "zipf: 1",
                                        "zipf:1 ",  "zipf:0x1",  "Uniform",    "uniform:1"};
    struct distribution_spec s;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (distribution_parse(wrong[i], &s)) fail_msg("%s was taken", wrong[i]);
}

static void test_uniform_is_even(void **state) {
    (void)state;
    unsigned counts[THINGS];
    draw((struct distribution_spec){.kind = DISTRIBUTION_UNIFORM}, counts);
    for (size_t k = 0; k < THINGS; k++)
        assert_in_range(counts[k], DRAWS / THINGS * 95 / 100, DRAWS / THINGS * 105 / 100);
}

// With s = 1 number k comes 1/(k+1) times as often as number 0; the harmonic number of 10 is 2.92897.
static void test_zipf_follows_its_law(void **state) {
    (void)state;
    unsigned counts[THINGS];
    draw((struct distribution_spec){.kind = DISTRIBUTION_ZIPF, .exponent = 1}, counts);
    for (size_t k = 0; k < THINGS; k++) {
        double expected = DRAWS / 2.92897 / (double)(k + 1);
        assert_true(counts[k] > expected * 0.94 && counts[k] < expected * 1.06);
    }
}

static void test_zipf_with_exponent_0_is_even(void **state) {
    (void)state;
    unsigned counts[THINGS];
    draw((struct distribution_spec){.kind = DISTRIBUTION_ZIPF, .exponent = 0}, counts);
    for (size_t k = 0; k < THINGS; k++)
        assert_in_range(counts[k], DRAWS / THINGS * 95 / 100, DRAWS / THINGS * 105 / 100);
}

static void test_the_same_seed_gives_the_same(void **state) {
    (void)state;
    struct prng a = {.state = 42}, b = {.state = 42}, c = {.state = 43};
    unsigned differ = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t x = prng_below(&a, UINT64_MAX);
        assert_true(x == prng_below(&b, UINT64_MAX));
        differ += x != prng_below(&c, UINT64_MAX);
        assert_true(prng_below(&a, 3) < 3 && prng_below(&b, 1) == 0);
        double unit = prng_unit(&c);
        assert_true(unit >= 0 && unit < 1);
    }
    assert_int_equal(differ, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parses_valid_specifications),
        cmocka_unit_test(test_refuses_invalid_specifications),
        cmocka_unit_test(test_uniform_is_even),
        cmocka_unit_test(test_zipf_follows_its_law),
        cmocka_unit_test(test_zipf_with_exponent_0_is_even),
        cmocka_unit_test(test_the_same_seed_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
