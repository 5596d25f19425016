#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void test_zero_is_empty(void **state) {
    (void)state;
    struct buf b = {0};
    assert_string_equal(buf_string(&b), "");
    assert_int_equal(b.len, 0);
    buf_release(&b);
    buf_release(&b); // released twice is released
    buf_consume(&b, 0);
    buf_add(&b, NULL, 0);
    assert_null(b.data);
    assert_null(buf_steal(&b, NULL));
}

static void test_keeps_what_was_added_while_it_grows(void **state) {
    (void)state;
    struct buf b = {0};
    for (unsigned i = 0; i < 100000; i++) buf_add(&b, &(char){(char)(i * 7)}, 1);
    assert_int_equal(b.len, 100000);
    for (unsigned i = 0; i < 100000; i++) assert_int_equal(b.data[i], (char)(i * 7));
    assert_true(b.cap >= b.len && b.cap < 4 * b.len);
    buf_release(&b);
}

static void test_reserve_leaves_room_for_all_of_it(void **state) {
    (void)state;
    for (size_t have = 0; have < 130; have += 13)
        for (size_t extra = 1; extra < 300; extra++) {
            struct buf b = {0};
            if (have) memset(buf_reserve(&b, have), 'a', have);
            b.len = have;
            memset(buf_reserve(&b, extra), 'b', extra); // a sanitizer sees one byte too many
            b.len += extra;
            assert_true(b.cap >= have + extra);
            if (have) assert_int_equal(b.data[have - 1], 'a');
            buf_release(&b);
        }
}

static void test_string_is_terminated_and_not_longer(void **state) {
    (void)state;
    struct buf b = {0};
    for (size_t len = 0; len < 300; len++) {
        assert_int_equal(strlen(buf_string(&b)), len);
        assert_int_equal(b.len, len);
        buf_add_string(&b, "x");
    }
    buf_release(&b);
}

static void test_printf_of_any_length(void **state) {
    (void)state;
    char text[600];
    for (size_t len = 0; len < sizeof text; len++) {
        struct buf b = {0};
        memset(text, 'x', len);
        text[len] = 0;
        buf_add_string(&b, "before ");
        buf_printf(&b, "%s|%d", text, 42);
        assert_int_equal(b.len, 7 + len + 3);
        assert_memory_equal(b.data, "before ", 7);
        assert_memory_equal(b.data + 7, text, len);
        assert_memory_equal(b.data + 7 + len, "|42", 3);
        buf_release(&b);
    }
}

static void test_consume_drops_from_the_front(void **state) {
    (void)state;
    struct buf b = {0};
    buf_add_string(&b, "abcdef");
    buf_consume(&b, 0);
    assert_string_equal(buf_string(&b), "abcdef");
    buf_consume(&b, 2);
    assert_string_equal(buf_string(&b), "cdef");
    buf_consume(&b, 4);
    assert_int_equal(b.len, 0);
    buf_add_string(&b, "g");
    assert_string_equal(buf_string(&b), "g");
    buf_release(&b);
}

static void test_clear_keeps_the_memory(void **state) {
    (void)state;
    struct buf b = {0};
    buf_add_string(&b, "something");
    char *data = b.data;
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    buf_add_string(&b, "else");
    assert_ptr_equal(b.data, data);
    buf_release(&b);
}

static void test_stolen_bytes_are_the_callers(void **state) {
    (void)state;
    struct buf b = {0};
    buf_add(&b, "a\0b", 3);
    size_t len;
    char *bytes = buf_steal(&b, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(bytes, "a\0b", 3);
    assert_null(b.data);
    assert_int_equal(b.len + b.cap, 0);
    buf_add_string(&b, "new");
    assert_memory_equal(bytes, "a\0b", 3);
    free(bytes);
    buf_release(&b);
}

static void test_copies_of_strings(void **state) {
    (void)state;
    char *whole = mem_strdup("video"), *part = mem_strndup("video", 3), *none = mem_strndup("video", 0);
    assert_string_equal(whole, "video");
    assert_string_equal(part, "vid");
    assert_string_equal(none, "");
    free(whole);
    free(part);
    free(none);
    char *zeroed = mem_zalloc(100);
    for (int i = 0; i < 100; i++) assert_int_equal(zeroed[i], 0);
    zeroed = mem_realloc(zeroed, 200);
    free(zeroed);
    void *nothing = mem_alloc(0); // a place all the same
    assert_non_null(nothing);
    free(nothing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero_is_empty),
        cmocka_unit_test(test_keeps_what_was_added_while_it_grows),
        cmocka_unit_test(test_reserve_leaves_room_for_all_of_it),
        cmocka_unit_test(test_string_is_terminated_and_not_longer),
        cmocka_unit_test(test_printf_of_any_length),
        cmocka_unit_test(test_consume_drops_from_the_front),
        cmocka_unit_test(test_clear_keeps_the_memory),
        cmocka_unit_test(test_stolen_bytes_are_the_callers),
        cmocka_unit_test(test_copies_of_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
