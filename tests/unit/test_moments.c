// Events of the moment: only for viewers that ask, only the latest, after what has a number, never in the
// ring.
#include "unit.h"

#include "channel_crowd.h"
#include "fanout/moments.h"
#include "reader/moments.h"

enum { A = 1 << 0, B = 1 << 3 };

static void publish_moment(uint8_t kind, const char *data) {
    channel_publish_moment(&rig.channel, kind,
                           frame_of_event((struct position){0}, "now", data, strlen(data)));
}

static void join_asking(int i, uint8_t asks) {
    rig.asks = asks;
    client_join(&rig, &clients[i]);
}

static void only_viewers_that_ask_are_sent_it(void **state) {
    (void)state;
    join_asking(0, A);
    join_asking(1, 0);
    join_asking(2, A | B);
    rig_send_run(&rig, 1, 5);
    limited_send_reset();
    publish_moment(A, "a1");
    assert_true(channel_is_dirty(&rig.channel));
    rig_flush(&rig);
    assert_int_equal(limited_send_calls(), 2);
    assert_false(channel_is_dirty(&rig.channel));
    publish_moment(B, "b1");
    rig_flush(&rig);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello 1-1 now=a1 1-2");
    assert_seen(1, "hello 1-1 1-2");
    assert_seen(2, "hello 1-1 now=a1 now=b1 1-2");
    assert_int_equal(rig.channel.viewers.ready, 3);
    assert_ring_empty();
}

static void of_several_before_a_flush_only_the_latest_goes_out(void **state) {
    (void)state;
    join_asking(0, A);
    publish_moment(A, "a1");
    publish_moment(A, "a2");
    rig_publish(&rig, 5);
    publish_moment(A, "a3");
    rig_flush(&rig);
    assert_seen(0, "hello 1-1 now=a3");
}

static void a_lagging_viewer_gets_the_latest_once_it_has_caught_up(void **state) {
    (void)state;
    join_asking(0, A | B);
    join_asking(1, A);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 1, 5);
    for (int i = 0; i < 3; i++) {
        char text[] = {'a', (char)('1' + i), 0};
        publish_moment(A, text);
        rig_flush(&rig);
        rig_send_run(&rig, 1, 5);
    }
    publish_moment(B, "b1");
    rig_flush(&rig);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4 now=a3 now=b1");
    assert_seen(1, "hello 1-1 now=a1 1-2 now=a2 1-3 now=a3 1-4");
    assert_int_equal(rig.channel.viewers.ready, 2);
}

static void a_viewer_that_fell_off_gets_its_gap_first(void **state) {
    (void)state;
    join_asking(0, A);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 9, 5);
    publish_moment(A, "a1");
    rig_flush(&rig);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 gap(1-2..1-9 8 slow) now=a1");
}

static void a_viewer_that_joins_gets_the_latest_after_its_first_bytes(void **state) {
    (void)state;
    publish_moment(A, "a1");
    rig_flush(&rig);
    join_asking(0, A | B);
    assert_seen(0, "hello now=a1");
    assert_int_equal(rig.channel.viewers.ready, 1);
    join_asking(1, B);
    assert_seen(1, "hello");
}

static void a_viewer_that_joins_before_the_flush_gets_it_once(void **state) {
    (void)state;
    publish_moment(A, "a1");
    join_asking(0, A);
    rig_flush(&rig);
    assert_seen(0, "hello now=a1");
}

// Cut after each byte: what is begun is ended; what is not is replaced by the newer one.
static void it_may_be_cut_anywhere(void **state) {
    (void)state;
    struct frame *f = frame_of_event((struct position){0}, "now", "a1", 2);
    long size = (long)frame_piece(f, test_framing()).iov_len;
    frame_unref(f);
    for (long cut = 0; cut <= size; cut++) {
        join_asking(0, A);
        client_room(&clients[0], cut);
        publish_moment(A, "a1");
        rig_flush(&rig);
        publish_moment(A, "a2");
        rig_publish(&rig, 5);
        rig_flush(&rig);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        const char *text = client_text(&clients[0]);
        assert_string_equal(text, cut ? "hello now=a1 1-1 now=a2" : "hello 1-1 now=a2");
        assert_int_equal(rig.channel.viewers.ready, 1);
        tear_down(state);
        set_up(state);
    }
}

static void it_goes_with_the_frames_in_one_send(void **state) {
    (void)state;
    join_asking(0, A | B);
    join_asking(1, 0);
    join_asking(2, A); // asks for one of two: a send of its own
    publish_moment(A, "a1");
    publish_moment(B, "b1");
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    limited_send_reset();
    rig_flush(&rig);
    assert_int_equal(limited_send_calls(), 4);
    assert_false(channel_is_dirty(&rig.channel));
    assert_seen(0, "hello 1-1 1-2 now=a1 now=b1");
    assert_seen(1, "hello 1-1 1-2");
    assert_seen(2, "hello 1-1 1-2 now=a1");
    assert_int_equal(counter_get(&rig.counters.delivered), 6);
    assert_int_equal(rig.channel.viewers.ready, 3);
    assert_ring_empty();
}

// Cut after each byte of a comment and two moments, of which newer ones come meanwhile.
static void what_goes_with_frames_may_be_cut_anywhere(void **state) {
    for (long cut = 0;; cut++) {
        join_asking(0, A | B);
        client_room(&clients[0], cut);
        publish_moment(A, "a1");
        publish_moment(B, "b1");
        rig_publish(&rig, 5);
        rig_flush(&rig);
        bool is_whole = rig.channel.viewers.ready == 1;
        publish_moment(A, "a2");
        publish_moment(B, "b2");
        rig_publish(&rig, 5);
        rig_flush(&rig);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        const char *text = client_text(&clients[0]);
        bool is_fine = !strcmp(text, "hello 1-1 1-2 now=a2 now=b2") ||
                       !strcmp(text, "hello 1-1 now=a1 1-2 now=a2 now=b2") ||
                       !strcmp(text, "hello 1-1 now=a1 now=b1 1-2 now=a2 now=b2");
        if (!is_fine) fail_msg("cut after %ld: %s", cut, text);
        assert_int_equal(rig.channel.viewers.ready, 1);
        assert_int_equal(counter_get(&rig.counters.delivered) + rig.channel.delivered, 2);
        tear_down(state);
        set_up(state);
        if (is_whole) break;
    }
}

static void a_moment_may_come_while_another_goes_out(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) join_asking(i, A);
    publish_moment(A, "a1");
    rig_publish(&rig, 5);
    channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1);
    publish_moment(A, "a2");
    client_room(&clients[0], 200); // the last to be served: its first moment is begun
    rig_flush(&rig);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    for (int i = 0; i < 3; i++) assert_seen(i, "hello 1-1 now=a1 now=a2");
}

static void it_counts_as_no_delivery_and_is_freed_with_the_channel(void **state) {
    (void)state;
    join_asking(0, A);
    publish_moment(A, "a1");
    rig_flush(&rig);
    rig_send_run(&rig, 1, 5);
    assert_int_equal(counter_get(&rig.counters.delivered), 1);
}

static void unknown_names_are_ignored(void **state) {
    (void)state;
    assert_int_equal(moments_asked(NULL), 0);
    assert_int_equal(moments_asked(""), 0);
    assert_int_equal(moments_asked("viewers"), 1 << MOMENT_VIEWERS);
    assert_int_equal(moments_asked(",room,,nothing,move,"), 1 << MOMENT_ROOM | 1 << MOMENT_MOVE);
    assert_int_equal(moments_asked("view,viewersx, room"), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_viewers_that_ask_are_sent_it),
        TEST(of_several_before_a_flush_only_the_latest_goes_out),
        TEST(a_lagging_viewer_gets_the_latest_once_it_has_caught_up),
        TEST(a_viewer_that_fell_off_gets_its_gap_first),
        TEST(a_viewer_that_joins_gets_the_latest_after_its_first_bytes),
        TEST(a_viewer_that_joins_before_the_flush_gets_it_once),
        TEST(it_may_be_cut_anywhere),
        TEST(it_goes_with_the_frames_in_one_send),
        TEST(what_goes_with_frames_may_be_cut_anywhere),
        TEST(a_moment_may_come_while_another_goes_out),
        TEST(it_counts_as_no_delivery_and_is_freed_with_the_channel),
        cmocka_unit_test(unknown_names_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
