#include "unit.h"

#include "engine/engine.h"
#include "base/mem.h"
#include "entries.h"
#include "fanout/frame.h"
#include "reader/entry_frame.h"

static void assert_bytes(struct frame *f, const char *bytes) {
    assert_non_null(f);
    assert_int_equal(f->len, strlen(bytes));
    assert_memory_equal(frame_piece(f, SINK_RAW).iov_base, bytes, f->len);
    frame_unref(f);
}

static struct frame *frame_of_body(struct position at, const char *body) {
    return frame_of_entry(
        &(struct engine_entry){.at = at, .kind = ENTRY_COMMENT, .body = body, .body_len = strlen(body)});
}

static void a_comment_is_a_plain_event_with_its_id(void **state) {
    (void)state;
    struct frame *f = frame_of_body(pos(1763932000000, 42), "\"a\":1");
    assert_int_equal(position_compare(f->at, pos(1763932000000, 42)), 0);
    assert_bytes(f, "id: 1763932000000-42\ndata: {\"id\":\"1763932000000-42\",\"a\":1}\n\n");
}

static void a_comment_is_plain_and_what_has_a_name_is_not(void **state) {
    (void)state;
    struct frame *frames[] = {
        comment_frame(1, 1),
        frame_of_event(pos(1, 2), NULL, "event: x", 8), // what looks like a name is data
        foreign_frame("{}"),
        frame_of_event(pos(1, 3), NULL, "", 0),
        frame_of_gap(pos(1, 4), pos(1, 5), GAP_SLOW),
        frame_of_event(pos(0, 0), "viewers", "{}", 2),
    };
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        assert_int_equal(frame_is_plain(frames[i]), i < 4);
        frame_unref(frames[i]);
    }
}

static void a_message_of_another_system_has_no_id_and_moves_no_position(void **state) {
    (void)state;
    struct frame *f = frame_of_body(pos(0, 0), "\n  \"comment\": \"hi\"\r\n\r");
    assert_false(position_is_set(f->at));
    assert_bytes(f, "data: {\ndata:   \"comment\": \"hi\"\ndata: \ndata: }\n\n");
    assert_bytes(frame_of_body(pos(0, 0), "a\xe2\x80\xa8"
                                          "b"),
                 "data: {a\xe2\x80\xa8"
                 "b}\n\n");
    assert_bytes(frame_of_body(pos(0, 0), ""), "data: {}\n\n");
}

static void what_is_not_shown_has_no_frame(void **state) {
    (void)state;
    struct engine_entry e = tombstone_at(1, 5);
    assert_null(frame_of_entry(&e));
    static const int kinds[] = {77, ENTRY_KIND_MAX, ENTRY_UNREAD, -1};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        e = comment_at(1, 5);
        e.kind = (enum entry_kind)kinds[i];
        assert_null(frame_of_entry(&e));
    }
}

static void only_the_given_length_is_framed(void **state) {
    (void)state;
    assert_bytes(frame_of_entry(&(struct engine_entry){
                     .at = pos(1, 1), .kind = ENTRY_COMMENT, .body = "\"a\":1garbage", .body_len = 5}),
                 "id: 1-1\ndata: {\"id\":\"1-1\",\"a\":1}\n\n");
}

static void a_gap_names_what_is_missed_and_moves_the_position_past_it(void **state) {
    (void)state;
    struct frame *f = frame_of_gap(pos(7, 3), pos(7, 9), GAP_SLOW);
    assert_int_equal(position_compare(f->at, pos(7, 9)), 0);
    assert_bytes(f,
                 "id: 7-9\nevent: gap\ndata: "
                 "{\"type\":\"gap\",\"from\":\"7-3\",\"to\":\"7-9\",\"missed\":7,\"reason\":\"slow\"}\n\n");
    assert_bytes(
        frame_of_gap(pos(7, 3), pos(7, 3), GAP_EXPIRED),
        "id: 7-3\nevent: gap\ndata: "
        "{\"type\":\"gap\",\"from\":\"7-3\",\"to\":\"7-3\",\"missed\":1,\"reason\":\"expired\"}\n\n");
}

static void a_gap_across_epochs_has_no_number_of_missed_comments(void **state) {
    (void)state;
    assert_bytes(
        frame_of_gap(pos(7, 3), pos(8, 9), GAP_EXPIRED),
        "id: 8-9\nevent: gap\ndata: "
        "{\"type\":\"gap\",\"from\":\"7-3\",\"to\":\"8-9\",\"missed\":null,\"reason\":\"expired\"}\n\n");
    assert_bytes(
        frame_of_gap(pos(7, 3), pos(8, 0), GAP_EPOCH),
        "id: 8-0\nevent: gap\ndata: "
        "{\"type\":\"gap\",\"from\":\"7-3\",\"to\":\"8-0\",\"missed\":null,\"reason\":\"epoch\"}\n\n");
    assert_bytes(
        frame_of_gap(pos(7, 6), pos(7, 3), GAP_EPOCH), // the store went back
        "id: 7-3\nevent: gap\ndata: "
        "{\"type\":\"gap\",\"from\":\"7-6\",\"to\":\"7-3\",\"missed\":null,\"reason\":\"epoch\"}\n\n");
}

static void the_longest_gap_fits(void **state) {
    (void)state;
    assert_bytes(frame_of_gap(pos(UINT64_MAX, 1), pos(UINT64_MAX, UINT64_MAX), GAP_EXPIRED),
                 "id: 18446744073709551615-18446744073709551615\nevent: gap\ndata: {\"type\":\"gap\","
                 "\"from\":\"18446744073709551615-1\",\"to\":\"18446744073709551615-18446744073709551615\","
                 "\"missed\":18446744073709551615,\"reason\":\"expired\"}\n\n");
}

// Memory is not empty that others have had.
static void a_frame_says_nothing_that_it_was_not_told(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct frame *f = frame_of_bytes("data\n\n", 6, (struct position){0});
        assert_false(f->rides || f->is_gap || f->is_blank || f->is_fleeting);
        assert_true(f->turns == TURNS_NOTHING && f->removes == REMOVES_NOTHING && !f->more && !f->posted_ms);
        f->rides = f->is_gap = f->is_blank = f->is_fleeting = true;
        f->turns = TURNS_OFF;
        f->removes = REMOVES_OF_USER;
        f->more = 7;
        frame_unref(f);
    }
}

static void the_last_reference_frees_it(void **state) {
    (void)state;
    struct frame *f = frame_of_bytes("abc", 3, pos(1, 1));
    assert_ptr_equal(frame_ref(f), f);
    frame_unref(f);
    assert_int_equal(atomic_load(&f->refs), 1); // still there; the address sanitizer knows
    assert_memory_equal(frame_piece(f, SINK_RAW).iov_base, "abc", 3);
    frame_unref(f);
    frame_unref(NULL);
}

static void assert_piece(const struct frame *f, enum sink_framing framing, const char *wanted) {
    struct iovec piece = frame_piece(f, framing);
    assert_int_equal(piece.iov_len, strlen(wanted));
    assert_memory_equal(piece.iov_base, wanted, piece.iov_len);
}

static void one_frame_serves_both_framings(void **state) {
    (void)state;
    struct frame *f = frame_of_event(pos(7, 1), NULL, "hi", 2);
    assert_piece(f, SINK_RAW, "id: 7-1\ndata: hi\n\n");
    assert_piece(f, SINK_CHUNKED, "12\r\nid: 7-1\ndata: hi\n\n\r\n");
    frame_unref(f);
    f = frame_of_heartbeat();
    assert_piece(f, SINK_RAW, ":\n\n");
    assert_piece(f, SINK_CHUNKED, "3\r\n:\n\n\r\n");
    frame_unref(f);
}

static void the_length_of_a_chunk_has_no_leading_zeros(void **state) {
    (void)state;
    static const struct {
        size_t len;
        const char *head;
    } cases[] = {{1, "1\r\n"},    {15, "f\r\n"},    {16, "10\r\n"},
                 {255, "ff\r\n"}, {256, "100\r\n"}, {70000, "11170\r\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *bytes = mem_alloc(cases[i].len);
        memset(bytes, '.', cases[i].len);
        struct frame *f = frame_of_bytes(bytes, cases[i].len, pos(1, 1));
        struct iovec chunk = frame_piece(f, SINK_CHUNKED);
        size_t head = strlen(cases[i].head);
        assert_int_equal(chunk.iov_len, head + cases[i].len + 2);
        assert_memory_equal(chunk.iov_base, cases[i].head, head);
        assert_memory_equal((char *)chunk.iov_base + head + cases[i].len, "\r\n", 2);
        assert_int_equal(frame_piece(f, SINK_RAW).iov_len, cases[i].len);
        frame_unref(f);
        free(bytes);
    }
}

static void the_end_is_the_last_chunk_or_nothing(void **state) {
    (void)state;
    struct frame *f = frame_of_end();
    assert_piece(f, SINK_CHUNKED, "0\r\n\r\n");
    assert_piece(f, SINK_RAW, "");
    frame_unref(f);
}

static void a_head_is_no_chunk_and_the_first_event_is_one(void **state) {
    (void)state;
    struct frame *f = frame_of_head("HEAD\r\n\r\n", 8, "data: 1\n\n", 9, SINK_CHUNKED);
    assert_piece(f, SINK_CHUNKED, "HEAD\r\n\r\n9\r\ndata: 1\n\n\r\n");
    frame_unref(f);
    f = frame_of_head("HEAD\r\n\r\n", 8, "data: 1\n\n", 9, SINK_RAW);
    assert_piece(f, SINK_RAW, "HEAD\r\n\r\ndata: 1\n\n");
    frame_unref(f);
}

static void a_comment_may_say_how_many_before_it_were_left_out(void **state) {
    (void)state;
    struct frame *f = comment_frame(1, 9);
    f->posted_ms = 5;
    struct frame *with = frame_with_more(f, 3);
    assert_piece(with, SINK_RAW, "id: 1-9\ndata: {\"id\":\"1-9\",\"more\":3}\n\n");
    assert_true(frame_is_plain(with));
    assert_int_equal(with->posted_ms, 5);
    assert_int_equal(with->at.seq, 9);
    assert_int_equal(with->first.seq, 6);
    struct frame *taken = frame_of_taken(with), *number = frame_of_taken(f);
    assert_piece(taken, SINK_RAW,
                 "id: 1-9\nevent: more\ndata: {\"type\":\"more\",\"id\":\"1-9\",\"more\":3}\n\n");
    assert_true(taken->is_blank && !frame_is_plain(taken));
    assert_piece(number, SINK_RAW, "id: 1-9\n\n");
    frame_unref(f);
    frame_unref(with);
    frame_unref(taken);
    frame_unref(number);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comment_is_a_plain_event_with_its_id),
        cmocka_unit_test(a_comment_is_plain_and_what_has_a_name_is_not),
        cmocka_unit_test(a_message_of_another_system_has_no_id_and_moves_no_position),
        cmocka_unit_test(what_is_not_shown_has_no_frame),
        cmocka_unit_test(only_the_given_length_is_framed),
        cmocka_unit_test(a_gap_names_what_is_missed_and_moves_the_position_past_it),
        cmocka_unit_test(a_gap_across_epochs_has_no_number_of_missed_comments),
        cmocka_unit_test(the_longest_gap_fits),
        cmocka_unit_test(a_frame_says_nothing_that_it_was_not_told),
        cmocka_unit_test(the_last_reference_frees_it),
        cmocka_unit_test(one_frame_serves_both_framings),
        cmocka_unit_test(the_length_of_a_chunk_has_no_leading_zeros),
        cmocka_unit_test(the_end_is_the_last_chunk_or_nothing),
        cmocka_unit_test(a_comment_may_say_how_many_before_it_were_left_out),
        cmocka_unit_test(a_head_is_no_chunk_and_the_first_event_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
