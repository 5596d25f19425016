#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "clients/stamps.h"

static int64_t find(const struct stamps *s, const char *comment) {
    char data[256];
    int len =
        snprintf(data, sizeof data,
                 "{\"id\":\"1-1\",\"comment\":\"%s\",\"timestamp\":\"2026-11-24T02:08:19.123Z\"}", comment);
    return stamps_find(s, data, (size_t)len);
}

static int64_t find_stamp(const struct stamps *s, const char *stamp) {
    char comment[128];
    snprintf(comment, sizeof comment, "Hello from client-7 at %.30s", stamp);
    return find(s, comment);
}

static void test_finds_each_of_its_own(void **state) {
    (void)state;
    enum { COUNT = 40 };
    struct stamps *s = stamps_new(65536);
    char text[COUNT][STAMP_TEXT_SIZE];
    unsigned found = 0;
    for (int i = 0; i < COUNT; i++) stamps_add(s, 1000 + i, text[i]);
    for (int i = 0; i < COUNT; i++) {
        int64_t posted = find_stamp(s, text[i]);
        assert_true(posted == 1000 + i || posted == -1); // -1: its place was taken
        found += posted >= 0;
    }
    assert_in_range(found, COUNT - 2, COUNT);
    stamps_free(s);
}

static void test_other_texts_are_not_found(void **state) {
    (void)state;
    struct stamps *s = stamps_new(16);
    char text[STAMP_TEXT_SIZE];
    stamps_add(s, 5, text);
    assert_int_equal(find_stamp(s, text), 5);
    assert_int_equal(find(s, "Hello!"), -1);
    assert_int_equal(find(s, text), -1);
    assert_int_equal(find(s, "Hello from me"), -1);
    assert_int_equal(find_stamp(s, "2026-11-24T02:08:19.123Z"), -1);
    assert_int_equal(find_stamp(s, "1999-01-02T03:04:05.123456Z"), -1);
    assert_int_equal(stamps_find(s, "\"comment\":\"Hello from x", 23), -1);
    stamps_free(s);
}

static void test_looks_like_a_time(void **state) {
    (void)state;
    struct stamps *s = stamps_new(16);
    char text[STAMP_TEXT_SIZE];
    stamps_add(s, 5, text);
    assert_int_equal(strlen(text), STAMP_TEXT_SIZE - 1);
    assert_true(text[10] == 'T' && text[19] == '.' && text[26] == 'Z');
    stamps_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_each_of_its_own),
        cmocka_unit_test(test_other_texts_are_not_found),
        cmocka_unit_test(test_looks_like_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
