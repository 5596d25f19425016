// The parts of the review hook that decide: what an answer is, and when the hook is asked at all.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// cmocka needs the above
#include <cmocka.h>

#include "moderation/breaker.h"
#include "moderation/review_answer.h"
#include "service/text_rules.h"

static const struct text_rules rules = {.on = 1u << TEXT_BIDI | 1u << TEXT_BLANK, .lines = 2};

static bool reads(const char *body, struct review_answer *a) {
    return review_answer_read(a, body, strlen(body), &rules);
}

static void test_answers(void **state) {
    (void)state;
    struct review_answer a;
    assert_true(reads("{\"action\":\"allow\"}", &a));
    assert_int_equal(a.action, REVIEW_ALLOW);
    assert_int_equal(a.len, 0);
    assert_true(reads(" {\"x\":[{}],\"action\":\"deny\",\"action\":\"hold\"} ", &a));
    assert_int_equal(a.action, REVIEW_HOLD);
    assert_true(reads("{\"sentence\":\"No \\\"links\\\".\",\"action\":\"deny\"}", &a));
    assert_int_equal(a.action, REVIEW_DENY);
    assert_string_equal(a.text, "No \"links\".");
    assert_true(reads("{\"action\":\"replace\",\"text\":\"\\u00fc\"}", &a));
    assert_int_equal(a.action, REVIEW_REPLACE);
    assert_string_equal(a.text, "\u00fc");
    assert_int_equal(a.len, 2);
}

static void test_no_answers(void **state) {
    (void)state;
    static const char *const bodies[] = {"",
                                         "{}",
                                         "null",
                                         "[\"allow\"]",
                                         "\"allow\"",
                                         "{\"action\":\"ALLOW\"}",
                                         "{\"action\":\"allow\\u0000\"}",
                                         "{\"action\":\"allowallowallowallow\"}",
                                         "{\"action\":{\"action\":\"allow\"}}",
                                         "{\"action\":\"allow\"",
                                         "{\"action\":\"allow\"} x",
                                         "{\"action\":\"allow\",\"action\":1}",
                                         "{\"action\":\"replace\"}",
                                         "{\"action\":\"replace\",\"text\":\"\"}",
                                         "{\"action\":\"replace\",\"text\":\"a\\nb\\nc\"}",
                                         "{\"action\":\"replace\",\"text\":\" \"}",
                                         "{\"action\":\"replace\",\"text\":\"\\u202e\"}",
                                         "{\"action\":\"replace\",\"text\":\"\\ud800\"}",
                                         "{\"action\":\"replace\",\"text\":[\"x\"]}"};
    struct review_answer a;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (reads(bodies[i], &a)) fail_msg("is an answer: %s", bodies[i]);
}

static void test_sentences_that_cannot_be_shown(void **state) {
    (void)state;
    static const char *const bodies[] = {"{\"action\":\"deny\"}",
                                         "{\"action\":\"deny\",\"sentence\":\"\"}",
                                         "{\"action\":\"deny\",\"sentence\":null}",
                                         "{\"action\":\"deny\",\"sentence\":\"a\\nb\"}",
                                         "{\"action\":\"deny\",\"sentence\":\"a\\u0007\"}",
                                         "{\"action\":\"deny\",\"sentence\":\"\\u202ea\"}"};
    struct review_answer a;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_true(reads(bodies[i], &a));
        assert_int_equal(a.action, REVIEW_DENY);
        assert_int_equal(a.len, 0);
    }
}

static void test_opens_after_failures_in_a_row(void **state) {
    (void)state;
    struct breaker b = {0};
    for (int i = 0; i < BREAKER_FAILURES - 1; i++) assert_false(breaker_note(&b, false, 0));
    assert_false(breaker_note(&b, true, 0)); // which ends the row
    for (int i = 0; i < BREAKER_FAILURES - 1; i++) assert_false(breaker_note(&b, false, 0));
    assert_true(breaker_admits(&b, 0));
    assert_true(breaker_note(&b, false, 0));
    assert_true(b.open);
    assert_false(breaker_note(&b, false, 0)); // one that was under way
}

static void test_probes_one_at_a_time(void **state) {
    (void)state;
    struct breaker b = {0};
    for (int i = 0; i < BREAKER_FAILURES; i++) breaker_note(&b, false, 1000);
    assert_false(breaker_admits(&b, 1000 + BREAKER_REST_MS - 1));
    assert_true(breaker_admits(&b, 1000 + BREAKER_REST_MS));
    assert_false(breaker_admits(&b, 1000 + 9 * BREAKER_REST_MS)); // the probe is under way
    assert_false(breaker_note(&b, false, 5000));
    assert_false(breaker_admits(&b, 5000));
    assert_true(breaker_admits(&b, 5000 + BREAKER_REST_MS));
    assert_true(breaker_note(&b, true, 6100));
    assert_false(b.open);
    assert_true(breaker_admits(&b, 6100));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_no_answers),
        cmocka_unit_test(test_sentences_that_cannot_be_shown),
        cmocka_unit_test(test_opens_after_failures_in_a_row),
        cmocka_unit_test(test_probes_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
