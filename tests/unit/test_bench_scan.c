#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "bench/scan.h"

enum { SEEN_MAX = 16 };

struct seen {
    struct scan_event at[SEEN_MAX];
    size_t count;
};

static void note(void *arg, const struct scan_event *e) {
    struct seen *s = arg;
    assert_true(s->count < SEEN_MAX);
    s->at[s->count++] = *e;
}

static const char stream[] =
    "retry: 1000\nid: 5-0\ndata: {\"type\":\"connected\",\"videoid\":\"v\"}\n\n"
    ": heartbeat\n\n"
    "id: 5-1\r\ndata: {\"comment\":\"@0000000000ff.00000002---\"}\r\n\r\n"
    "event: gap\nid: 5-9\ndata: {\"type\":\"gap\",\"missed\":8,\"reason\":\"slow\"}\n\n"
    "event: viewers\ndata: {}\n\n"
    "id:abc\ndata:plain\n\n";

static void check_stream(const struct seen *s) {
    assert_int_equal(s->count, 5);
    assert_true(s->at[0].is_start && s->at[0].position.epoch == 5 && s->at[0].position.seq == 0);
    assert_true(s->at[1].is_stamped && !s->at[1].is_start && s->at[1].position.seq == 1);
    assert_int_equal(s->at[1].stamp.due_us, 255);
    assert_int_equal(s->at[1].stamp.number, 2);
    assert_true(s->at[2].is_gap && s->at[2].missed == 8 && s->at[2].position.seq == 9);
    assert_true(s->at[3].is_named && s->at[3].has_data && !s->at[3].is_gap);
    assert_true(s->at[4].has_data && !s->at[4].is_named && !s->at[4].is_stamped);
    assert_false(position_is_set(s->at[4].position));
}

static void test_reads_events(void **state) {
    (void)state;
    struct scan scan = {0};
    struct seen seen = {.count = 0};
    assert_true(scan_feed(&scan, stream, sizeof stream - 1, note, &seen));
    check_stream(&seen);
    scan_release(&scan);
}

static void test_reads_the_same_however_it_is_cut(void **state) {
    (void)state;
    for (size_t cut = 1; cut < sizeof stream - 1; cut++) {
        struct scan scan = {0};
        struct seen seen = {.count = 0};
        for (size_t i = 0; i < sizeof stream - 1; i += cut) {
            size_t left = sizeof stream - 1 - i;
            assert_true(scan_feed(&scan, stream + i, left < cut ? left : cut, note, &seen));
        }
        check_stream(&seen);
        assert_null(scan.line.data); // nothing is held at rest
        scan_release(&scan);
    }
}

static void test_a_line_that_is_too_long_is_an_error(void **state) {
    (void)state;
    struct scan scan = {0};
    struct seen seen = {.count = 0};
    static char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    size_t fed = 0;
    while (scan_feed(&scan, bytes, sizeof bytes, note, &seen)) {
        fed += sizeof bytes;
        assert_true(fed <= SCAN_LINE_MAX);
    }
    scan_release(&scan);
}

static void test_finds_the_stamp_it_wrote(void **state) {
    (void)state;
    struct bench_stamp s = {.due_us = 0x123456789abc, .number = 0xfedcba98}, found;
    char text[64];
    stamp_write(s, 40, text);
    assert_int_equal(strlen(text), 40);
    assert_true(stamp_find(text, 40, &found));
    assert_true(found.due_us == s.due_us && found.number == s.number);
    stamp_write(s, STAMP_LENGTH, text);
    assert_true(stamp_find(text, STAMP_LENGTH, &found));
    assert_false(stamp_find(text, STAMP_LENGTH - 1, &found));
}

static void test_ignores_text_that_resembles_a_stamp(void **state) {
    (void)state;
    struct bench_stamp found;
    const char text[] = "a@b.c @00000000000g.00000001 @@000000000001.00000003";
    assert_true(stamp_find(text, sizeof text - 1, &found));
    assert_int_equal(found.number, 3);
    assert_false(stamp_find("@000000000001x00000003", STAMP_LENGTH, &found));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_events),
        cmocka_unit_test(test_reads_the_same_however_it_is_cut),
        cmocka_unit_test(test_a_line_that_is_too_long_is_an_error),
        cmocka_unit_test(test_finds_the_stamp_it_wrote),
        cmocka_unit_test(test_ignores_text_that_resembles_a_stamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
