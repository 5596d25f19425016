// What is reported about a stream when it ends (fanout/report.h).
#include "unit.h"

#include <errno.h>

#include "channel_crowd.h"
#include "fanout/report.h"

static struct fan_report last;
static unsigned reports;

static void on_closed(const struct channel *ch, struct fan_report *r) {
    assert_ptr_equal(ch, &rig.channel);
    last = *r;
    reports++;
}

static int begin(void **state) {
    set_up(state);
    rig.env.on_closed = on_closed;
    reports = 0;
    return 0;
}

// Closes a client, and returns the events that its stream is reported to have had.
static unsigned leave(int i) {
    struct viewer *v = clients[i].viewer;
    unsigned before = reports;
    viewer_close(v, FAN_END_CLIENT);
    viewer_close(v, FAN_END_CLIENT); // is reported once
    assert_int_equal(reports, before + 1);
    assert_int_equal(last.fd, clients[i].server_fd);
    return last.events;
}

static void events_are_those_sent_to_this_viewer(void **state) {
    (void)state;
    join_crowd(1);
    rig_send_run(&rig, 3, 5);
    client_join(&rig, &clients[1]);
    rig_send_run(&rig, 2, 5);
    assert_int_equal(leave(0), 5);
    assert_int_equal(leave(1), 2);
}

static void first_frames_with_a_position_count(void **state) {
    (void)state;
    struct frame *first[] = {hello_frame(), frame_of_gap(pos(1, 1), pos(1, 5), GAP_EXPIRED),
                             padded_frame(1, 6, 5)};
    rig.newest = 6;
    client_join_with(&rig, &clients[0], socket_pair_open(SOCKETPAIR, 0), pending_with(first, 3));
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello gap(1-1..1-5 5 expired) 1-6 1-7");
    assert_int_equal(leave(0), 3);
}

static void what_waits_for_a_flush_is_not_counted(void **state) {
    (void)state;
    join_crowd(1);
    rig_publish(&rig, 5);
    client_join(&rig, &clients[1]);
    assert_int_equal(leave(0), 0);
    rig_flush(&rig);
    assert_int_equal(leave(1), 0);
}

static void a_viewer_that_lags_has_what_was_sent_whole(void **state) {
    (void)state;
    join_crowd(1);
    struct frame *f = padded_frame(1, 1, 20);
    client_room(&clients[0], (long)(2 * frame_piece(f, test_framing()).iov_len + 5));
    frame_unref(f);
    rig_send_run(&rig, 3, 20);
    assert_int_equal(leave(0), 2);
}

static void a_gap_counts_as_one_and_what_it_covers_does_not(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    client_room(&clients[1], 10);
    rig_send_run(&rig, 9, 20);
    assert_int_equal(leave(1), 0); // it has fallen off, and has part of a frame
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 2, 20);
    assert_seen(0, "hello 1-1 gap(1-2..1-9 8 slow) 1-10 1-11");
    assert_int_equal(leave(0), 4);
}

// One of three has been served when two of them leave.
static void in_the_middle_of_a_flush_only_those_served_have_it(void **state) {
    (void)state;
    join_crowd(3);
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1);
    assert_int_equal(rig.channel.viewers.due, 2);
    assert_int_equal(leave(2), 2);
    assert_int_equal(leave(0), 0);
    rig_flush(&rig);
    assert_int_equal(leave(1), 2);
}

static void assert_failure_is(int error, enum fan_end end) {
    client_join(&rig, &clients[0]);
    rig_send_run(&rig, 1, 5);
    limited_send_fail(clients[0].server_fd, error);
    rig_send_run(&rig, 1, 5);
    assert_int_equal(last.end, end);
    assert_int_equal(last.events, 1); // not the one that failed
    client_close(&clients[0]);
}

static void a_send_that_fails_says_why(void **state) {
    (void)state;
    assert_failure_is(EPIPE, FAN_END_CLIENT);
    assert_failure_is(ECONNRESET, FAN_END_CLIENT);
    assert_failure_is(ETIMEDOUT, FAN_END_STALLED);
    assert_failure_is(EHOSTUNREACH, FAN_END_ERROR);
    assert_int_equal(reports, 4);
}

static void a_client_that_hangs_up_has_closed(void **state) {
    (void)state;
    join_crowd(1);
    client_close(&clients[0]);
    run_turns(rig.loop, 2);
    assert_int_equal(reports, 1);
    assert_int_equal(last.end, FAN_END_CLIENT);
}

static void a_stalled_viewer_is_reported_with_its_time(void **state) {
    (void)state;
    join_crowd(1);
    run_later(rig.loop, 1200);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 1, 5);
    rig_sweep_later(&rig, RIG_STALL_MS + 1);
    assert_int_equal(last.end, FAN_END_STALLED);
    assert_in_range(last.duration_ds, (RIG_STALL_MS + 1200) / 100, (RIG_STALL_MS + 1400) / 100);
    assert_int_equal(last.events, 0);
}

static void the_end_of_the_video_completes(void **state) {
    (void)state;
    join_crowd(1);
    rig_send_run(&rig, 2, 5);
    channel_end(&rig.channel);
    rig_flush(&rig);
    assert_int_equal(last.end, FAN_END_COMPLETE);
    assert_int_equal(last.events, 2);
}

enum { SESSION_MS = 5000 };

static void join_for_a_session(void) {
    rig.ends_ms = loop_now_ms(rig.loop) + SESSION_MS;
    join_crowd(1);
}

static void a_session_that_is_over_ends_its_stream_with_an_event(void **state) {
    (void)state;
    join_for_a_session();
    rig.ends_ms = 0;
    client_join(&rig, &clients[1]);
    rig_send_run(&rig, 1, 5);
    run_later(rig.loop, SESSION_MS - 1);
    assert_int_equal(reports, 0);
    run_later(rig.loop, 1);
    assert_int_equal(last.end, FAN_END_EXPIRED);
    assert_int_equal(last.events, 1);
    assert_seen(0, "hello 1-1 end={\"type\":\"end\",\"reason\":\"token\"}");
    client_wait_for_end(&clients[0]);
    assert_int_equal(reports, 1);
    rig_send_run(&rig, 1, 5);
    assert_seen(1, "hello 1-1 1-2");
}

#define THE_END "end={\"type\":\"end\",\"reason\":\"token\"}"

// The stream has ended in order: nothing follows the last chunk, or the client fails (chunk_reader.h).
static void assert_over(int i, const char *text) {
    client_wait_for_end(&clients[i]);
    assert_seen(i, text);
    assert_int_equal(clients[i].chunks.over, test_framing() == SINK_CHUNKED);
    assert_true(chunk_reader_is_whole(&clients[i].chunks));
    assert_int_equal(last.end, FAN_END_EXPIRED);
}

// What it was not sent any more is accounted for.
static void assert_left(uint64_t pairs) {
    uint64_t parts[LEDGER_PARTS];
    rig_ledger(&rig, parts);
    assert_int_equal(parts[LEDGER_LEFT], pairs);
    assert_int_equal(ledger_waiting(parts), 0);
}

static void a_session_that_is_over_ends_its_stream_in_order(void **state) {
    (void)state;
    join_for_a_session();
    rig_send_run(&rig, 1, 5);
    run_later(rig.loop, SESSION_MS);
    assert_over(0, "hello 1-1 " THE_END);
}

static void the_end_comes_after_a_frame_that_is_half_sent(void **state) {
    (void)state;
    join_for_a_session();
    client_room(&clients[0], 5);
    rig_send_run(&rig, 2, 20);
    run_turns(rig.loop, 2); // of what the loop reports, only the timer is left
    run_later(rig.loop, SESSION_MS);
    rig_send_run(&rig, RING_FRAMES + 1, 20); // comes too late, and takes its place in the ring
    assert_int_equal(reports, 0);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_over(0, "hello 1-1 " THE_END);
    assert_int_equal(last.events, 1);
    assert_left(RING_FRAMES + 2);
}

static void the_end_comes_once_a_full_socket_has_room(void **state) {
    (void)state;
    join_for_a_session();
    client_room(&clients[0], 0);
    rig_send_run(&rig, 2, 20);
    run_later(rig.loop, SESSION_MS);
    viewer_drop_backlog(clients[0].viewer); // memory is scarce
    assert_int_equal(reports, 0);
    client_room_again(&rig, &clients[0], 20);
    assert_int_equal(reports, 0);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_over(0, "hello " THE_END);
    assert_int_equal(last.events, 0);
    assert_left(2);
}

static void the_end_follows_the_head_of_a_stream(void **state) {
    (void)state;
    struct frame *first[] = {hello_frame(), padded_frame(1, 1, 5)};
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    rig.ends_ms = loop_now_ms(rig.loop) + SESSION_MS;
    limited_send_room(sockets.server, 0);
    client_join_with(&rig, &clients[0], sockets, pending_with(first, 2));
    run_later(rig.loop, SESSION_MS);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_over(0, "hello " THE_END);
    assert_left(1);
}

static void a_viewer_in_the_middle_of_a_flush_ends_at_once(void **state) {
    (void)state;
    client_join(&rig, &clients[0]);
    rig.ends_ms = loop_now_ms(rig.loop) + SESSION_MS;
    for (int i = 1; i < 3; i++) client_join(&rig, &clients[i]);
    rig_publish(&rig, 5);
    channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1); // the last one has it
    run_later(rig.loop, SESSION_MS);
    assert_int_equal(reports, 2);
    assert_over(1, "hello " THE_END);
    assert_over(2, "hello 1-1 " THE_END);
    rig_flush(&rig);
    assert_seen(0, "hello 1-1");
}

static void a_viewer_that_does_not_read_its_end_is_stalled(void **state) {
    (void)state;
    join_for_a_session();
    client_room(&clients[0], 0);
    rig_send_run(&rig, 1, 5);
    run_later(rig.loop, SESSION_MS);
    rig_sweep_later(&rig, RIG_STALL_MS);
    assert_int_equal(last.end, FAN_END_STALLED);
}

static void a_session_outlives_no_viewer(void **state) {
    (void)state;
    join_for_a_session();
    leave(0);
    run_later(rig.loop, SESSION_MS);
    assert_int_equal(reports, 1);
}

static void a_release_says_why(void **state) {
    (void)state;
    static const enum fan_end ends[] = {FAN_END_MOVED, FAN_END_STOPPING, FAN_END_KILLED};
    for (unsigned i = 0; i < 3; i++) {
        client_join(&rig, &clients[i]);
        channel_release(&rig.channel, ends[i]);
        channel_init(&rig.channel, &rig.env, &rig.ledger, NULL);
        assert_int_equal(reports, i + 1);
        assert_int_equal(last.end, ends[i]);
    }
}

static void without_a_listener_nothing_is_reported(void **state) {
    (void)state;
    rig.env.on_closed = NULL;
    join_crowd(1);
    viewer_close(clients[0].viewer, FAN_END_CLIENT);
    assert_int_equal(rig.channel.viewers.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)
        TEST(events_are_those_sent_to_this_viewer),
        TEST(first_frames_with_a_position_count),
        TEST(what_waits_for_a_flush_is_not_counted),
        TEST(a_viewer_that_lags_has_what_was_sent_whole),
        TEST(a_gap_counts_as_one_and_what_it_covers_does_not),
        TEST(in_the_middle_of_a_flush_only_those_served_have_it),
        TEST(a_send_that_fails_says_why),
        TEST(a_client_that_hangs_up_has_closed),
        TEST(a_stalled_viewer_is_reported_with_its_time),
        TEST(the_end_of_the_video_completes),
        TEST(a_session_that_is_over_ends_its_stream_with_an_event),
        TEST(a_session_that_is_over_ends_its_stream_in_order),
        TEST(the_end_comes_after_a_frame_that_is_half_sent),
        TEST(the_end_comes_once_a_full_socket_has_room),
        TEST(the_end_follows_the_head_of_a_stream),
        TEST(a_viewer_in_the_middle_of_a_flush_ends_at_once),
        TEST(a_viewer_that_does_not_read_its_end_is_stalled),
        TEST(a_session_outlives_no_viewer),
        TEST(a_release_says_why),
        TEST(without_a_listener_nothing_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
