#include "unit.h"

#include <limits.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/hash.h"
#include "event_reader.h"
#include "net/event_stream.h"

#define LEN(array) (sizeof(array) / sizeof *(array))

static struct buf out;

static int tear_down(void **state) {
    (void)state;
    buf_release(&out);
    return 0;
}

static void assert_event(const char *id, const char *event, const char *data, const char *bytes) {
    buf_clear(&out);
    event_stream_add_event(&out, id, event, data, strlen(data));
    assert_string_equal(buf_string(&out), bytes);
}

static void an_event_is_its_fields_and_an_empty_line(void **state) {
    (void)state;
    assert_event(NULL, NULL, "hello", "data: hello\n\n");
    assert_event("7-1", NULL, "{}", "id: 7-1\ndata: {}\n\n");
    assert_event(NULL, "viewers", "{}", "event: viewers\ndata: {}\n\n");
    assert_event("7-1", "gap", "{}", "id: 7-1\nevent: gap\ndata: {}\n\n");
    assert_event(NULL, NULL, "", "data: \n\n"); // without its data line it would be no event
    assert_event(NULL, NULL, " two spaces", "data:  two spaces\n\n");
    assert_event(NULL, NULL, ":no comment", "data: :no comment\n\n");
}

static void events_are_appended(void **state) {
    (void)state;
    buf_clear(&out);
    event_stream_add_event(&out, "1-0", NULL, "a", 1);
    event_stream_add_event(&out, "1-1", NULL, "b", 1);
    assert_string_equal(buf_string(&out), "id: 1-0\ndata: a\n\nid: 1-1\ndata: b\n\n");
}

static void times_to_retry_are_spread(void **state) {
    int least = INT_MAX, most = 0;
    (void)state;
    for (int i = 0; i < 2000; i++) {
        int retry_ms, end = 0;
        buf_clear(&out);
        event_stream_add_retry(&out, 0);
        assert_int_equal(sscanf(buf_string(&out), "retry: %d\n%n", &retry_ms, &end), 1);
        assert_int_equal(end, out.len);
        least = retry_ms < least ? retry_ms : least;
        most = retry_ms > most ? retry_ms : most;
    }
    assert_in_range(least, EVENT_STREAM_RETRY_MIN_MS, EVENT_STREAM_RETRY_MIN_MS + 100);
    assert_in_range(most, EVENT_STREAM_RETRY_MAX_MS - 100, EVENT_STREAM_RETRY_MAX_MS);
}

static void those_of_a_crowd_come_when_a_dead_server_is_known_to_be_dead(void **state) {
    (void)state;
    uint32_t least = UINT32_MAX, most = 0;
    for (int i = 0; i < 200000; i++) {
        uint32_t ms = event_stream_draw_retry(9000);
        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    assert_int_equal(least, EVENT_STREAM_RETRY_CROWD_MIN_MS);
    assert_int_equal(most - least, 9000);
}

static void data_is_split_at_every_kind_of_line_end(void **state) {
    (void)state;
    assert_event(NULL, NULL, "a\nb", "data: a\ndata: b\n\n");
    assert_event(NULL, NULL, "a\rb", "data: a\ndata: b\n\n");
    assert_event(NULL, NULL, "a\r\nb", "data: a\ndata: b\n\n");
    assert_event(NULL, NULL, "a\n\rb", "data: a\ndata: \ndata: b\n\n");
    assert_event(NULL, NULL, "a\n\nb", "data: a\ndata: \ndata: b\n\n");
    assert_event(NULL, NULL, "a\r\rb", "data: a\ndata: \ndata: b\n\n");
    assert_event(NULL, NULL, "a\r\n\r\nb", "data: a\ndata: \ndata: b\n\n");
    assert_event(NULL, NULL, "\n", "data: \ndata: \n\n");
    assert_event(NULL, NULL, "a\n", "data: a\ndata: \n\n");
    assert_event(NULL, NULL, "a\r", "data: a\ndata: \n\n");
    assert_event(NULL, NULL, "\r\na", "data: \ndata: a\n\n");
}

static void only_as_much_data_as_given_is_read(void **state) {
    (void)state;
    buf_clear(&out);
    event_stream_add_event(&out, NULL, NULL, "a\r\nb", 2); // the LF is not its own
    assert_string_equal(buf_string(&out), "data: a\ndata: \n\n");
}

// Code that splits text at Unicode's line ends must not be used here: the stream has only CR and LF.
static void other_line_separators_stay_in_the_data(void **state) {
    (void)state;
    assert_event(NULL, NULL, "a\xe2\x80\xa8 b\xe2\x80\xa9 c\xc2\x85 d\v\f",
                 "data: a\xe2\x80\xa8 b\xe2\x80\xa9 c\xc2\x85 d\v\f\n\n");
}

static void data_cannot_forge_an_event(void **state) {
    (void)state;
    static const char *const attempts[] = {"x\n\nid: 9-9\nevent: gap\ndata: forged\n\n",
                                           "x\r\rid: 9-9\revent: gap\rdata: forged\r\r",
                                           "x\r\n\r\nretry: 1\r\n:comment\r\n\r\ndata: forged"};
    for (size_t i = 0; i < LEN(attempts); i++) {
        struct event_reader r = {0};
        buf_clear(&out);
        event_stream_add_event(&out, "1-1", NULL, attempts[i], strlen(attempts[i]));
        event_reader_add(&r, out.data, out.len);
        assert_int_equal(r.count, 1);
        assert_true(event_reader_is_whole(&r));
        assert_string_equal(r.events[0].id, "1-1");
        assert_string_equal(r.events[0].type, "message");
        assert_int_equal(r.retry_ms, 0);
        assert_int_equal(r.comments, 0);
        event_reader_release(&r);
    }
}

static size_t random_data(char *data, size_t room) {
    static const char letters[] = "ab: \r\n\r\n";
    size_t len = hash_random() % room;
    for (size_t i = 0; i < len; i++) data[i] = letters[hash_random() % (sizeof letters - 1)];
    return len;
}

static void normalise(struct buf *into, const char *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\r' && i + 1 < len && data[i + 1] == '\n') continue;
        buf_add(into, data[i] == '\r' ? "\n" : &data[i], 1);
    }
}

static void any_data_survives_except_for_its_line_ends(void **state) {
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char data[24];
        size_t len = random_data(data, sizeof data);
        struct event_reader r = {0};
        struct buf wanted = {0};
        normalise(&wanted, data, len);
        buf_clear(&out);
        event_stream_add_event(&out, NULL, NULL, data, len);
        event_reader_add(&r, out.data, out.len);
        assert_int_equal(r.count, 1);
        assert_string_equal(r.events[0].data, buf_string(&wanted));
        event_reader_release(&r);
        buf_release(&wanted);
    }
}

static void a_heartbeat_is_a_comment_not_an_event(void **state) {
    (void)state;
    struct event_reader r = {0};
    assert_int_equal(strlen(event_stream_heartbeat), EVENT_STREAM_HEARTBEAT_LEN);
    event_reader_add(&r, event_stream_heartbeat, EVENT_STREAM_HEARTBEAT_LEN);
    assert_int_equal(r.count, 0);
    assert_int_equal(r.comments, 1);
    assert_true(event_reader_is_whole(&r));
    event_reader_release(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_its_fields_and_an_empty_line),
        cmocka_unit_test(events_are_appended),
        cmocka_unit_test(times_to_retry_are_spread),
        cmocka_unit_test(those_of_a_crowd_come_when_a_dead_server_is_known_to_be_dead),
        cmocka_unit_test(data_is_split_at_every_kind_of_line_end),
        cmocka_unit_test(only_as_much_data_as_given_is_read),
        cmocka_unit_test(other_line_separators_stay_in_the_data),
        cmocka_unit_test(data_cannot_forge_an_event),
        cmocka_unit_test(any_data_survives_except_for_its_line_ends),
        cmocka_unit_test(a_heartbeat_is_a_comment_not_an_event),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
