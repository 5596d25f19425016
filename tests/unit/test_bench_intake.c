#include "unit.h"

#include "bench/intake.h"

struct seen {
    size_t streams, events;
};

static void on_stream(void *arg) {
    ((struct seen *)arg)->streams++;
}

static void on_event(void *arg, const struct scan_event *e) {
    (void)e;
    ((struct seen *)arg)->events++;
}

static const struct intake_calls calls = {on_stream, on_event};

static const char plain[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\ndata: b\n\n";
static const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "b\r\ndata: a\n\nda\r\n7\r\nta: b\n\n\r\n";

// Feeds `text` in pieces of `cut` bytes.
static struct seen feed(struct intake *in, const char *text, size_t cut) {
    struct seen seen = {0, 0};
    intake_begin(in);
    for (size_t at = 0, left; (left = strlen(text) - at); at += left < cut ? left : cut)
        assert_true(intake_feed(in, text + at, left < cut ? left : cut, &calls, &seen));
    return seen;
}

static void test_reads_events_however_they_are_framed_and_cut(void **state) {
    (void)state;
    const char *const texts[] = {plain, chunked};
    for (size_t i = 0; i < 2; i++) {
        for (size_t cut = 1; cut <= strlen(texts[i]); cut++) {
            struct intake in;
            struct seen seen = feed(&in, texts[i], cut);
            assert_int_equal(seen.streams, 1);
            assert_int_equal(seen.events, 2);
            intake_release(&in);
        }
    }
}

static void test_has_no_memory_between_events(void **state) {
    (void)state;
    struct intake in;
    struct seen seen = feed(&in, plain, sizeof plain);
    assert_null(in.http);
    assert_null(in.scan);
    assert_true(intake_feed(&in, "data: c", 7, &calls, &seen));
    assert_non_null(in.scan);
    assert_true(intake_feed(&in, "\n\n", 2, &calls, &seen));
    assert_null(in.scan);
    assert_int_equal(seen.events, 3);
    seen = feed(&in, chunked, sizeof chunked); // which has to be parsed to the end
    assert_non_null(in.http);
    assert_null(in.scan);
    intake_release(&in);
    assert_null(in.http);
}

static void test_refuses_responses_that_are_not_streams(void **state) {
    (void)state;
    const char *const texts[] = {"HTTP/1.1 404 Not Found\r\n\r\n", "hello\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ndata: a\n\n"};
    for (size_t i = 0; i < 3; i++) {
        struct intake in;
        struct seen seen = {0, 0};
        intake_begin(&in);
        assert_false(intake_feed(&in, texts[i], strlen(texts[i]), &calls, &seen));
        assert_int_equal(seen.events, i == 2); // which ends with its last event
        intake_release(&in);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_events_however_they_are_framed_and_cut),
        cmocka_unit_test(test_has_no_memory_between_events),
        cmocka_unit_test(test_refuses_responses_that_are_not_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
