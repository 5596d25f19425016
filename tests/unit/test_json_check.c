// What a row of the log may hold to be streamed.
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "base/json_check.h"

static bool is_line(const char *text) {
    return json_is_object_line(text, strlen(text));
}

static void objects_on_one_line_are_taken(void **state) {
    (void)state;
    static const char *const good[] = {
        "{}",
        "{ \"a\" : 1 , \"b\":[ ]\t}",
        "{\"id\":\"1-1\",\"comment\":\"\\u00e4\\n\\\"\\\\\\/ \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\x7f\"}",
        "{\"n\":[0,-0,1,-12.50,1e9,2E-7,3.4e+10,true,false,null]}",
        "{\"a\":{\"b\":{\"c\":[[],{}]}}}",
        "{\"a\":\"\\ud800\"}", // grammar allows it
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!is_line(good[i])) fail_msg("refused: %s", good[i]);
}

static void what_is_no_object_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "1",
        "\"a\"",
        "{",
        "}",
        "{}}",
        "{} ",
        " {}",
        "{}{}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{\"a\":1 2}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1.}",
        "{\"a\":1e}",
        "{\"a\":-}",
        "{\"a\":tru}",
        "{\"a\":nul",
        "{\"a\":[1,]}",
        "{\"a\":[1}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u12",
        "{\"a\":\"\\",
        "{\"a\" 1}",
        "{\"a\":'b'}",
        "{\"a\":1e+}",
        "{\"a\":1}\x01",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (is_line(bad[i])) fail_msg("taken: %s", bad[i]);
}

static void what_would_break_a_line_is_refused(void **state) {
    (void)state;
    assert_false(is_line("{\"a\":\n1}"));
    assert_false(is_line("{\"a\":1\r}"));
    assert_false(is_line("{\"a\":\"b\nc\"}"));
    assert_false(is_line("{\"a\":\"b\rc\"}"));
    assert_false(json_is_object_line("{\"a\":\"b\0c\"}", 11));
    assert_false(json_is_object_line("{\"a\":1}\0", 8));
    assert_false(json_is_object_line("{\"a\":\"\\\0\"}", 10));
}

static void what_is_not_utf8_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xbf",
        "\xc0\x80",
        "\xc1\xbf",
        "\xc3",
        "\xc3(",
        "\xe0\x9f\xbf",
        "\xe2\x82",
        "\xe2(\xac",
        "\xed\xa0\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf0\x9f\x98",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
    };
    char text[32];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(text, sizeof text, "{\"a\":\"%s\"}", bad[i]);
        if (is_line(text)) fail_msg("taken: number %zu", i);
    }
}

static void depth_is_bounded(void **state) {
    (void)state;
    char text[2 * JSON_LINE_DEPTH + 16];
    for (int depth = JSON_LINE_DEPTH; depth <= JSON_LINE_DEPTH + 1; depth++) {
        memcpy(text, "{\"a\":", 5);
        size_t len = 5;
        for (int i = 1; i < depth; i++) text[len++] = '[';
        for (int i = 1; i < depth; i++) text[len++] = ']';
        text[len++] = '}';
        assert_int_equal(json_is_object_line(text, len), depth == JSON_LINE_DEPTH);
    }
}

// Whatever single bit is wrong: never outside of the text, and never a line break let through.
static void any_flipped_bit_is_survived(void **state) {
    (void)state;
    static const char text[] = "{\"id\":\"1-2\",\"comment\":\"\xc3\xa4\\u00e4\",\"n\":[1.5e3,null,{}]}";
    char copy[sizeof text - 1];
    for (size_t bit = 0; bit < 8 * sizeof copy; bit++) {
        memcpy(copy, text, sizeof copy);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        bool taken = json_is_object_line(copy, sizeof copy);
        if (memchr(copy, '\n', sizeof copy) || memchr(copy, '\r', sizeof copy)) assert_false(taken);
    }
    for (size_t len = 0; len < sizeof text - 1; len++) assert_false(json_is_object_line(text, len));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_on_one_line_are_taken),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(what_would_break_a_line_is_refused),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(any_flipped_bit_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
