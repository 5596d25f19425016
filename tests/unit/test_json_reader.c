#include "unit.h"

#include <errno.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/json_reader.h"
#include "base/json_text.h"
#include "dice.h"

static bool is_valid(const char *text, size_t len) {
    struct json_reader r;
    enum json_token token;
    json_reader_init(&r, text, len);
    do token = json_reader_next(&r);
    while (token > JSON_TOKEN_END);
    assert_int_equal(json_reader_next(&r) == JSON_TOKEN_ERROR, token == JSON_TOKEN_ERROR);
    return token == JSON_TOKEN_END;
}

#define BYTES(literal)                                                                                       \
    { literal, sizeof(literal) - 1 }

static const struct {
    const char *text;
    size_t len;
} right[] =
    {
        BYTES("0"),
        BYTES("-0"),
        BYTES("1.5e-3"),
        BYTES("1E+2"),
        BYTES("18446744073709551615"),
        BYTES("1e400"),
        BYTES("-1e-99999999999999999999"),
        BYTES("true"),
        BYTES("false"),
        BYTES("null"),
        BYTES("\"\""),
        BYTES("[]"),
        BYTES("{}"),
        BYTES(" \t\r\n1 \t\r\n"),
        BYTES("[1,[2,{\"a\":[]}]]"),
        BYTES("{\"a\":1,\"a\":2}"),
        BYTES("{\"\":0}"),
        BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
        BYTES("\"\\u0000\""),
        BYTES("{\"\\u0000\":1}"),
        BYTES("\"\\ud800\""),
        BYTES("\"\\udc00\\ud800\""),
        BYTES("\"\x7f\""),
        BYTES("\"\xc2\x80\""),
        BYTES("\"\xe0\xa0\x80\""),
        BYTES("\"\xed\x9f\xbf\""),
        BYTES("\"\xf0\x90\x80\x80\""),
        BYTES("\"\xf4\x8f\xbf\xbf\""),
},
  wrong[] = {
      BYTES(""),
      BYTES(" "),
      BYTES("01"),
      BYTES("+1"),
      BYTES(".5"),
      BYTES("1."),
      BYTES("1.e1"),
      BYTES("0x1"),
      BYTES("-"),
      BYTES("1e"),
      BYTES("1e+"),
      BYTES("--1"),
      BYTES("1 2"),
      BYTES("NaN"),
      BYTES("Infinity"),
      BYTES("tru"),
      BYTES("True"),
      BYTES("nulll"),
      BYTES("'a'"),
      BYTES("a"),
      BYTES("\""),
      BYTES("\"\\\""),
      BYTES("\"\\x41\""),
      BYTES("\"\\u12\""),
      BYTES("\"\\u12g4\""),
      BYTES("\"\\\0\""),
      BYTES("\"\t\""),
      BYTES("\"\0\""),
      BYTES("1\0"),
      BYTES("\0"),
      BYTES("[]\0"),
      BYTES("\"\x80\""),
      BYTES("\"\xc0\xaf\""),
      BYTES("\"\xc1\xbf\""),
      BYTES("\"\xe0\x9f\xbf\""),
      BYTES("\"\xed\xa0\x80\""),
      BYTES("\"\xf0\x8f\xbf\xbf\""),
      BYTES("\"\xf4\x90\x80\x80\""),
      BYTES("\"\xf5\x80\x80\x80\""),
      BYTES("\"\xff\""),
      BYTES("\"\xe2\x82\""),
      BYTES("\"\xe2\x82"),
      BYTES("\"abcdefg\xe2"),
      BYTES("\xef\xbb\xbf{}"),
      BYTES("["),
      BYTES("]"),
      BYTES("{"),
      BYTES("}"),
      BYTES("[}"),
      BYTES("{]"),
      BYTES("[1}"),
      BYTES("{\"a\":1]"),
      BYTES("[1,]"),
      BYTES("[,1]"),
      BYTES("[1,,2]"),
      BYTES("[1 2]"),
      BYTES("[1,"),
      BYTES("{\"a\"}"),
      BYTES("{\"a\":}"),
      BYTES("{\"a\" 1}"),
      BYTES("{\"a\":1,}"),
      BYTES("{,}"),
      BYTES("{a:1}"),
      BYTES("{1:1}"),
      BYTES("{\"a\":1 \"b\":2}"),
      BYTES("{\"a\":1,"),
      BYTES("{}{}"),
      BYTES("{},{}"),
      BYTES("1,2"),
      BYTES("[]]"),
      BYTES("1//"),
      BYTES("/**/1"),
      BYTES("\f1"),
      BYTES("\xc2\xa0"
            "1"),
};

static void test_the_grammar_is_rfc_8259s(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++)
        if (!is_valid(right[i].text, right[i].len)) fail_msg("refused: %s", right[i].text);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (is_valid(wrong[i].text, wrong[i].len)) fail_msg("taken: %s", wrong[i].text);
}

static char *nested(size_t depth, const char *open, const char *middle, const char *close, size_t *len) {
    struct buf b = {0};
    for (size_t i = 0; i < depth; i++) buf_add_string(&b, open);
    buf_add_string(&b, middle);
    for (size_t i = 0; i < depth; i++) buf_add_string(&b, close);
    return buf_steal(&b, len);
}

static void test_only_the_depth_of_nesting_is_limited(void **state) {
    (void)state;
    static const char *const forms[][3] = {{"[", "", "]"}, {"{\"a\":", "1", "}"}};
    for (int f = 0; f < 2; f++) {
        for (size_t depth = 1; depth <= JSON_READER_DEPTH + 1; depth = depth < 1000    ? depth * 10
                                                                       : depth == 1000 ? JSON_READER_DEPTH
                                                                                       : depth + 1) {
            size_t len;
            char *text = nested(depth, forms[f][0], forms[f][1], forms[f][2], &len);
            assert_int_equal(is_valid(text, len), depth <= JSON_READER_DEPTH);
            assert_false(is_valid(text, len - 1));
            free(text);
        }
    }
}

static void test_tokens_come_in_order(void **state) {
    (void)state;
    static const char text[] =
        " {\"k\\u0065y\" : [ 1 , \"two\" , { } ] , \"b\" : true , \"c\":false,\"d\":null} ";
    static const enum json_token expected[] = {
        JSON_TOKEN_OBJECT, JSON_TOKEN_KEY,    JSON_TOKEN_ARRAY,      JSON_TOKEN_NUMBER,
        JSON_TOKEN_STRING, JSON_TOKEN_OBJECT, JSON_TOKEN_OBJECT_END, JSON_TOKEN_ARRAY_END,
        JSON_TOKEN_KEY,    JSON_TOKEN_TRUE,   JSON_TOKEN_KEY,        JSON_TOKEN_FALSE,
        JSON_TOKEN_KEY,    JSON_TOKEN_NULL,   JSON_TOKEN_OBJECT_END, JSON_TOKEN_END,
        JSON_TOKEN_END};
    struct json_reader r;
    json_reader_init(&r, text, sizeof text - 1);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_int_equal(json_reader_next(&r), expected[i]);
        if (i == 1) assert_true(json_reader_equals(&r, "key"));
        if (i == 4) assert_true(json_reader_equals(&r, "two") && !json_reader_equals(&r, "tw"));
    }
}

static void test_unknown_values_are_skipped(void **state) {
    (void)state;
    static const char text[] = "{\"x\":{\"a\":[[1e400],{\"b\":\"\\ud800\"}]},\"y\":7,\"z\":1}";
    struct json_reader r;
    json_reader_init(&r, text, sizeof text - 1);
    json_reader_next(&r);
    assert_int_equal(json_reader_next(&r), JSON_TOKEN_KEY);
    json_reader_next(&r);
    assert_true(json_reader_skip(&r));
    assert_int_equal(json_reader_next(&r), JSON_TOKEN_KEY);
    assert_true(json_reader_equals(&r, "y"));
    assert_int_equal(json_reader_next(&r), JSON_TOKEN_NUMBER);
    assert_true(json_reader_skip(&r)); // nothing is left of it
    assert_int_equal(json_reader_next(&r), JSON_TOKEN_KEY);
    assert_true(json_reader_equals(&r, "z"));
}

static ptrdiff_t copy(const char *text, char *out, size_t size) {
    struct json_reader r;
    json_reader_init(&r, text, strlen(text));
    assert_int_equal(json_reader_next(&r), JSON_TOKEN_STRING);
    return json_reader_copy(&r, out, size);
}

static void test_strings_are_decoded_into_bounded_buffers(void **state) {
    (void)state;
    char out[16];
    assert_int_equal(copy("\"a\\n\\u00e9\\ud83d\\ude00\\/\"", out, sizeof out), 9);
    assert_string_equal(out, "a\n\xc3\xa9\xf0\x9f\x98\x80/");
    assert_int_equal(copy("\"123456789012345\"", out, sizeof out), 15);
    assert_int_equal(copy("\"1234567890123456\"", out, sizeof out), -EMSGSIZE);
    assert_int_equal(copy("\"\\u00311234567890123\\u20ac\"", out, sizeof out), -EMSGSIZE);
    assert_int_equal(copy("\"\"", out, sizeof out), 0);
    assert_int_equal(copy("\"\"", out, 0), -EMSGSIZE);
    assert_int_equal(copy("\"a\\u0000b\"", out, sizeof out), 3);
    assert_memory_equal(out, "a\0b", 4);
    static const char *const lone[] = {"\"\\ud800\"",    "\"\\udc00\"",        "\"\\ud800x\"",
                                       "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\ud800\\ud800\\udc00\""};
    for (size_t i = 0; i < sizeof lone / sizeof *lone; i++)
        assert_int_equal(copy(lone[i], out, sizeof out), -EILSEQ);
}

static void test_integers_are_read_however_they_are_written(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t number; // -1: none
    } rows[] = {{"0", 0},
                {"-0", 0},
                {"5", 5},
                {"5.0", 5},
                {"50e-1", 5},
                {"0.5e1", 5},
                {"100", 100},
                {"101", -1},
                {"1e2", 100},
                {"1e3", -1},
                {"-1", -1},
                {"5.5", -1},
                {"1e400", -1},
                {"-1e400", -1},
                {"1e-400", 0},
                {"18446744073709551615", -1},
                {"0.00000000000000000000000000005e30", 50},
                {"99999999999999999999999999", -1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct json_reader r;
        int64_t number = -1;
        json_reader_init(&r, rows[i].text, strlen(rows[i].text));
        assert_int_equal(json_reader_next(&r), JSON_TOKEN_NUMBER);
        bool is_whole = json_reader_integer(&r, 100, &number);
        if (is_whole != (rows[i].number >= 0) || (is_whole && number != rows[i].number))
            fail_msg("%s", rows[i].text);
    }
}

static void test_an_error_has_a_line_and_column(void **state) {
    (void)state;
    static const char text[] = "{\n \"a\": 1,\n \"b\": x}";
    struct json_reader r;
    size_t line, column;
    json_reader_init(&r, text, sizeof text - 1);
    while (json_reader_next(&r) > JSON_TOKEN_END) continue;
    json_reader_location(&r, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 7);
}

// Random texts: jansson is the other opinion, where it is no less strict or lenient.

static void add_random_string(struct buf *b) {
    static const char *const parts[] = {
        "a", "xyz", "\\n", "\\\"", "\\u0041", "\\ud83d\\ude00", "\xc3\xa9", "\xf0\x9f\x98\x80", "12345678"};
    buf_add_string(b, "\"");
    for (uint64_t n = dice(6); n; n--) buf_add_string(b, parts[dice(sizeof parts / sizeof *parts)]);
    buf_add_string(b, "\"");
}

static void add_random_value(struct buf *b, int depth) {
    static const char *const scalars[] = {"0", "-1", "1.5", "2e3", "true", "false", "null"};
    uint64_t kind = dice(depth ? 4 : 2);
    if (kind == 0) {
        buf_add_string(b, scalars[dice(sizeof scalars / sizeof *scalars)]);
    } else if (kind == 1) {
        add_random_string(b);
    } else {
        buf_add_string(b, kind == 2 ? "[" : "{");
        for (uint64_t n = dice(4), i = 0; i < n; i++) {
            if (i) buf_add_string(b, ", ");
            if (kind == 3) add_random_string(b);
            if (kind == 3) buf_add_string(b, ":");
            add_random_value(b, depth - 1);
        }
        buf_add_string(b, kind == 2 ? "]" : "}");
    }
}

static void mutate(struct buf *b) {
    static const char bytes[] = "{}[]\",:\\u019eE.-+tfn \n\t\x01\x80\xc3\xed\xa0\xf4\xff";
    for (uint64_t n = dice(3); n && b->len; n--) {
        size_t at = dice(b->len);
        if (dice(3) == 0) { // dropped
            memmove(b->data + at, b->data + at + 1, b->len - at - 1);
            b->len--;
        } else {
            b->data[at] = dice(2) ? bytes[dice(sizeof bytes - 1)] : b->data[dice(b->len)];
        }
    }
}

// jansson refuses what RFC 8259 lets pass: NUL, lone surrogates, and numbers that it cannot hold.
static bool jansson_may_refuse(const json_error_t *error) {
    enum json_error_code code = json_error_code(error);
    return code == json_error_null_character || code == json_error_null_byte_in_key ||
           code == json_error_numeric_overflow || strstr(error->text, "Unicode");
}

static void compare_with_jansson(const char *text, size_t len) {
    json_error_t error;
    json_t *value = json_loadb(text, len, JSON_DECODE_ANY, &error);
    bool ours = is_valid(text, len);
    if (ours != (value != NULL) && !(ours && jansson_may_refuse(&error)))
        fail_msg("%s, but jansson says \"%s\": %.*s", ours ? "taken" : "refused", value ? "" : error.text,
                 (int)len, text);
    json_decref(value);
}

static void test_mutated_texts_are_judged_as_jansson_judges_them(void **state) {
    (void)state;
    struct buf b = {0};
    dice_begin("json_reader");
    for (int i = 0; i < 30000; i++) {
        buf_clear(&b);
        add_random_value(&b, 4);
        if (i % 4) mutate(&b);
        char *exact = malloc(b.len ? b.len : 1); // so that the address sanitizer sees a byte too far
        memcpy(exact, b.data, b.len);
        compare_with_jansson(exact, b.len);
        free(exact);
    }
    buf_release(&b);
}

static void test_what_json_text_writes_is_read_back(void **state) {
    (void)state;
    struct buf b = {0};
    char text[64], back[64];
    dice_begin("json_text");
    for (int i = 0; i < 20000; i++) {
        size_t len = dice(sizeof text);
        for (size_t k = 0; k < len; k++) text[k] = dice(4) ? (char)dice(128) : "\"\\\n\t"[dice(4)];
        buf_clear(&b);
        json_text_add(&b, text, len);
        struct json_reader r;
        json_reader_init(&r, b.data, b.len);
        assert_int_equal(json_reader_next(&r), JSON_TOKEN_STRING);
        assert_int_equal(json_reader_copy(&r, back, sizeof back), len);
        assert_memory_equal(back, text, len);
        assert_int_equal(json_reader_next(&r), JSON_TOKEN_END);
    }
    buf_release(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_grammar_is_rfc_8259s),
        cmocka_unit_test(test_only_the_depth_of_nesting_is_limited),
        cmocka_unit_test(test_tokens_come_in_order),
        cmocka_unit_test(test_unknown_values_are_skipped),
        cmocka_unit_test(test_strings_are_decoded_into_bounded_buffers),
        cmocka_unit_test(test_integers_are_read_however_they_are_written),
        cmocka_unit_test(test_an_error_has_a_line_and_column),
        cmocka_unit_test(test_mutated_texts_are_judged_as_jansson_judges_them),
        cmocka_unit_test(test_what_json_text_writes_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
