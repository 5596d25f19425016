#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "clients/event_parser.h"

// Writes an event as `<id>|<type>|<data>;`, and one without data as `<id>|<type>;`.
static void write_down(void *arg, const struct event_parsed *e) {
    struct buf *b = arg;
    buf_printf(b, "%s%s|%s", e->id, e->has_id ? "" : "~", e->type);
    if (e->data) {
        buf_add_string(b, "|");
        buf_add(b, e->data, e->data_len);
    }
    buf_add_string(b, ";");
}

// The copy is exactly as long as the piece, so that a sanitizer watches its end, and is gone afterwards.
static void feed(struct event_parser *p, const char *bytes, size_t len, struct buf *out) {
    char *copy = malloc(len + !len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    assert_true(event_parser_feed(p, copy, len, write_down, out));
    memset(copy, '#', len);
    free(copy);
}

static void check_pieces(const char *stream, size_t len, size_t first, size_t second, const char *expected) {
    struct event_parser p = {0};
    struct buf out = {0};
    feed(&p, stream, first, &out);
    feed(&p, stream + first, second - first, &out);
    feed(&p, stream + second, len - second, &out);
    assert_string_equal(buf_string(&out), expected);
    event_parser_reset(&p);
    buf_release(&out);
}

static void feed_text(struct event_parser *p, const char *text, struct buf *out) {
    feed(p, text, strlen(text), out);
}

// Whole, and cut at every pair of places.
static void check_bytes(const char *stream, size_t len, const char *expected) {
    for (size_t first = 0; first <= len; first++)
        for (size_t second = first; second <= len; second++)
            check_pieces(stream, len, first, second, expected);
    struct event_parser p = {0};
    struct buf out = {0};
    for (size_t i = 0; i < len; i++) feed(&p, stream + i, 1, &out);
    assert_string_equal(buf_string(&out), expected);
    event_parser_reset(&p);
    buf_release(&out);
}

static void check(const char *stream, const char *expected) {
    check_bytes(stream, strlen(stream), expected);
}

static void test_what_a_reader_sends(void **state) {
    (void)state;
    check("retry: 700\nid: 5-0\ndata: {\"type\":\"connected\"}\n\n:\n\nid: 5-1\ndata: {}\n\n"
          "id: 5-9\nevent: gap\ndata: g\n\n",
          "5-0||{\"type\":\"connected\"};5-1||{};5-9|gap|g;");
}

static void test_lines_end_in_three_ways(void **state) {
    (void)state;
    check("data: a\r\rdata: b\r\n\r\ndata: c\n\n", "~||a;~||b;~||c;");
    check("data: a\r\ndata: b\rdata: c\ndata: d\r\n\n", "~||a\nb\nc\nd;");
}

static void test_data_lines_are_joined(void **state) {
    (void)state;
    check("data\n\n", "~||;");
    check("data\ndata\n\n", "~||\n;");
    check("data:\ndata: x\ndata:\n\n", "~||\nx\n;");
    check("data:no space\ndata:  two\n\n", "~||no space\n two;");
}

static void test_blocks_that_are_not_events(void **state) {
    (void)state;
    check("\n\nevent: x\n\n: note\n\nretry: 5\n\nunknown: y\nDATA: z\n\n", "");
    check("data: not ended\n", "");
    check("data: not ended", "");
}

static void test_types_do_not_outlive_their_event(void **state) {
    (void)state;
    check("event: x\n\ndata: a\n\nevent: y\nevent: z\ndata: b\n\ndata: c\n\n", "~||a;~|z|b;~||c;");
}

static void test_ids_stay_until_changed(void **state) {
    (void)state;
    check("id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\nid: 2\n\ndata: d\n\n", "1||a;1~||b;||c;2|;2~||d;");
    static const char with_nul[] = "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n";
    check_bytes(with_nul, sizeof with_nul - 1, "1||a;1~||b;");
}

static void test_a_byte_order_mark_only_at_the_beginning(void **state) {
    (void)state;
    check("\xef\xbb\xbf"
          "data: a\n\n"
          "\xef\xbb\xbf"
          "data: b\n\n",
          "~||a;");
    check("\xef\xbb"
          "data: a\n\ndata: b\n\n",
          "~||b;");
}

static long retry_after(const char *stream) {
    struct event_parser p = {0};
    struct buf out = {0};
    feed_text(&p, stream, &out);
    event_parser_reset(&p);
    buf_release(&out);
    return p.retry_ms;
}

static void test_retry_is_digits(void **state) {
    (void)state;
    assert_int_equal(retry_after("retry: 700\n"), 700);
    assert_int_equal(retry_after("retry: 700\nretry: 7x\nretry: -1\nretry\nretry: 1.5\n"), 700);
    assert_int_equal(retry_after("retry: 99999999999999999999\n"), INT32_MAX);
    assert_int_equal(retry_after("retry: 70"), 0);
}

static void test_a_new_stream_keeps_only_the_last_id(void **state) {
    (void)state;
    struct event_parser p = {0};
    struct buf out = {0};
    feed_text(&p, "id: 1\ndata: a\n\nid: 2\nevent: x\ndata: half", &out);
    event_parser_reset(&p);
    feed_text(&p,
              "\xef\xbb\xbf"
              "data: b\n\n",
              &out);
    // An event counts as received only when its data has arrived, not just its id.
    assert_string_equal(buf_string(&out), "1||a;1~||b;");
    event_parser_reset(&p);
    buf_release(&out);
}

static void test_has_no_memory_between_events(void **state) {
    (void)state;
    struct event_parser p = {0};
    struct buf out = {0};
    feed_text(&p, "data: ha", &out);
    assert_non_null(p.line.data);
    feed_text(&p, "lf\ndata: more\n\n", &out);
    assert_null(p.line.data);
    assert_null(p.data.data);
    buf_release(&out);
}

static void test_exceeding_a_limit_is_an_error(void **state) {
    (void)state;
    struct event_parser p = {0};
    struct buf out = {0};
    char piece[1024];
    memset(piece, 'x', sizeof piece);
    bool fine = event_parser_feed(&p, "data: ", 6, write_down, &out);
    size_t pieces = 0;
    for (; fine && pieces < 5000; pieces++)
        fine = event_parser_feed(&p, piece, sizeof piece, write_down, &out);
    assert_in_range(pieces, 1023, 1024);
    event_parser_reset(&p);

    memcpy(piece, "data: ", 6);
    piece[sizeof piece - 1] = '\n';
    fine = true;
    for (pieces = 0; fine && pieces < 5000; pieces++)
        fine = event_parser_feed(&p, piece, sizeof piece, write_down, &out);
    assert_in_range(pieces, 1023, 1035);
    event_parser_reset(&p);
    buf_release(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_reader_sends),
        cmocka_unit_test(test_lines_end_in_three_ways),
        cmocka_unit_test(test_data_lines_are_joined),
        cmocka_unit_test(test_blocks_that_are_not_events),
        cmocka_unit_test(test_types_do_not_outlive_their_event),
        cmocka_unit_test(test_ids_stay_until_changed),
        cmocka_unit_test(test_a_byte_order_mark_only_at_the_beginning),
        cmocka_unit_test(test_retry_is_digits),
        cmocka_unit_test(test_a_new_stream_keeps_only_the_last_id),
        cmocka_unit_test(test_has_no_memory_between_events),
        cmocka_unit_test(test_exceeding_a_limit_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
