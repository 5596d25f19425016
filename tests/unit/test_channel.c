#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>

#include "base/budget.h"
#include "channel_crowd.h"
#include "net/event_stream.h"

// What an idle viewer costs.
_Static_assert(sizeof(struct viewer) + sizeof(struct viewer *) <= 256, "a viewer costs too much");

// Returns how many bytes go out, and takes the frame.
static size_t size_out(struct frame *f) {
    size_t len = frame_piece(f, test_framing()).iov_len;
    frame_unref(f);
    return len;
}

static size_t hello_size(void) {
    return size_out(hello_frame());
}

static size_t frame_size(uint64_t seq, size_t padding_bytes) {
    return size_out(padded_frame(1, seq, padding_bytes));
}

// As a ring counts it.
static size_t event_size(uint64_t seq, size_t padding_bytes) {
    struct frame *f = padded_frame(1, seq, padding_bytes);
    size_t len = f->len;
    frame_unref(f);
    return len;
}

// Viewers that are up to date

static void a_flush_is_one_send_to_each_viewer_that_is_up_to_date(void **state) {
    (void)state;
    join_crowd(CROWD);
    rig_flush(&rig); // what the first bytes took is counted
    limited_send_reset();
    unsigned long long counted = counter_get(&rig.counters.sends);
    rig_publish(&rig, 10);
    assert_int_equal(limited_send_calls(), 0); // not before the flush
    rig_flush(&rig);
    assert_int_equal(limited_send_calls(), CROWD);
    rig_publish(&rig, 10);
    rig_publish(&rig, 10);
    rig_publish(&rig, 10);
    rig_flush(&rig);
    assert_int_equal(limited_send_calls(), 2 * CROWD); // three comments, one send
    for (int i = 0; i < CROWD; i++) assert_int_equal(limited_send_calls_to(clients[i].server_fd), 2);
    assert_int_equal(counter_get(&rig.counters.sends) - counted, 2 * CROWD);
    assert_all_seen(CROWD, "hello 1-1 1-2 1-3 1-4");
    rig_flush(&rig); // nothing new
    assert_int_equal(limited_send_calls(), 2 * CROWD);
    assert_ring_empty();
}

static void the_first_bytes_leave_immediately(void **state) {
    (void)state;
    client_join(&rig, &clients[0]);
    assert_seen(0, "hello");
}

static void deliveries_are_counted(void **state) {
    (void)state;
    join_crowd(3);
    rig_publish(&rig, 10);
    rig_publish(&rig, 10);
    rig_flush(&rig);
    assert_int_equal(counter_get(&rig.counters.delivered), 6); // the head is no delivery
    struct frame *first[] = {hello_frame(), comment_frame(1, 1), comment_frame(1, 2)};
    client_join_with(&rig, &clients[3], socket_pair_open(SOCKETPAIR, 0), pending_with(first, 3));
    rig_flush(&rig);
    assert_int_equal(counter_get(&rig.counters.delivered), 8);
    client_room(&clients[0], 30); // into the first of two
    rig_publish(&rig, 10);
    rig_publish(&rig, 10);
    rig_flush(&rig);
    assert_int_equal(counter_get(&rig.counters.delivered), 14);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_flush(&rig);
    assert_int_equal(counter_get(&rig.counters.delivered), 16);
}

// Frames that wait to be flushed are never pushed out of the ring.
static void more_than_the_ring_holds_in_one_flush_loses_nothing(void **state) {
    (void)state;
    join_crowd(3);
    for (int i = 0; i < 5 * RING_FRAMES + 1; i++) rig_publish(&rig, 10);
    rig_flush(&rig);
    assert_all_seen(3, "hello 1-1 1-2 1-3 1-4 1-5 1-6 1-7 1-8 1-9 1-10 1-11 1-12 1-13 1-14 1-15 1-16 1-17 "
                       "1-18 1-19 1-20 1-21");
    assert_int_equal(counter_get(&rig.counters.gaps), 0);
    assert_ring_empty();
}

static void many_small_frames_leave_in_one_send(void **state) {
    (void)state;
    tear_down(state);
    set_up_ring(1000, RING_BYTES);
    join_crowd(2);
    for (int i = 0; i < 150; i++) rig_publish(&rig, 10);
    limited_send_reset();
    rig_flush(&rig);
    assert_int_equal(limited_send_calls(), 2);
    for (int i = 0; i < 2; i++) {
        assert_non_null(strstr(client_text(&clients[i]), " 1-63 1-64 1-65 "));
        assert_int_equal(clients[i].seen.count, 151);
    }
}

static void more_than_one_send_can_carry_goes_in_several(void **state) {
    (void)state;
    tear_down(state);
    set_up_ring(1000, 1 << 20);
    join_crowd(2);
    for (int i = 0; i < 150; i++) rig_publish(&rig, 1000);
    limited_send_reset();
    rig_flush(&rig);
    assert_in_range(limited_send_calls(), 2 * 3, 2 * 4); // 64 KiB at a time
    for (int i = 0; i < 2; i++) {
        assert_non_null(strstr(client_text(&clients[i]), " 1-63 1-64 1-65 "));
        assert_int_equal(clients[i].seen.count, 151);
    }
}

static void a_frame_larger_than_the_ring_goes_out(void **state) {
    (void)state;
    tear_down(state);
    set_up_ring(RING_FRAMES, 1000);
    join_crowd(2);
    rig_publish(&rig, 10);
    rig_publish(&rig, 3000);
    rig_publish(&rig, 10);
    rig_flush(&rig);
    assert_all_seen(2, "hello 1-1 1-2 1-3");
    assert_ring_empty();
}

// Partial sends

// Cuts a flush of three comments after every byte.
static void a_send_cut_anywhere_goes_on_at_the_next_byte(void **state) {
    (void)state;
    long total = (long)(3 * frame_size(1, 5));
    for (long cut = 0; cut <= total; cut++) {
        join_crowd(2);
        client_room(&clients[0], cut);
        for (int i = 0; i < 3; i++) rig_publish(&rig, 5);
        rig_flush(&rig);
        assert_seen(1, "hello 1-1 1-2 1-3"); // it delays no other
        client_read(&clients[0], SIZE_MAX);
        assert_int_equal(clients[0].bytes, (long)hello_size() + cut);
        assert_int_equal(rig.channel.viewers.ready, cut == total ? 2 : 1);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        assert_seen(0, "hello 1-1 1-2 1-3");
        assert_int_equal(rig.channel.viewers.ready, 2);
        rig_send_run(&rig, 1, 5);
        assert_all_seen(2, "hello 1-1 1-2 1-3 1-4");
        assert_ring_empty();
        tear_down(state);
        set_up(state);
    }
}

static void a_socket_that_takes_a_byte_at_a_time_gets_it_all(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    for (int i = 0; i < 3; i++) rig_publish(&rig, 5);
    rig_flush(&rig);
    size_t total = 3 * frame_size(1, 5);
    for (size_t i = 0; i < total; i++) {
        assert_int_equal(rig.channel.viewers.ready, 1);
        client_room_again(&rig, &clients[0], 1);
        client_read(&clients[0], SIZE_MAX);
        assert_int_equal(clients[0].bytes, hello_size() + i + 1);
    }
    assert_seen(0, "hello 1-1 1-2 1-3");
    assert_int_equal(rig.channel.viewers.ready, 2);
    assert_int_equal(counter_get(&rig.counters.gaps), 0);
}

// The first bytes (head, and what was missed) are cut after every byte, while the channel goes on.
static void first_bytes_cut_anywhere_go_on_at_the_next_byte(void **state) {
    (void)state;
    size_t total = hello_size() + 2 * frame_size(1, 5);
    for (size_t cut = 0; cut <= total; cut++) {
        rig_send_run(&rig, 2, 5);
        struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
        struct frame *first[] = {hello_frame(), padded_frame(1, 1, 5), padded_frame(1, 2, 5)};
        limited_send_room(sockets.server, (long)cut);
        client_join_with(&rig, &clients[0], sockets, pending_with(first, 3));
        client_read(&clients[0], SIZE_MAX);
        assert_int_equal(clients[0].bytes, cut);
        rig_send_run(&rig, 1, 5);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        rig_send_run(&rig, 1, 5);
        assert_seen(0, "hello 1-1 1-2 1-3 1-4");
        assert_int_equal(rig.channel.viewers.ready, 1);
        assert_ring_empty();
        tear_down(state);
        set_up(state);
    }
}

// Slow viewers

static void a_viewer_that_lags_within_the_ring_misses_nothing(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, RING_FRAMES, 20);
    assert_seen(0, "hello ...");
    assert_seen(1, "hello 1-1 1-2 1-3 1-4");
    assert_int_equal(rig.channel.ring.next - rig.channel.ring.first, RING_FRAMES); // held for it
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4");
    assert_int_equal(rig.channel.viewers.ready, 2);
    rig_send_run(&rig, 1, 20);
    assert_all_seen(2, "hello 1-1 1-2 1-3 1-4 1-5");
    assert_int_equal(counter_get(&rig.counters.gaps), 0);
    assert_ring_empty();
}

static void a_lagging_viewer_costs_no_send_until_its_socket_has_room(void **state) {
    (void)state;
    join_crowd(4);
    client_room(&clients[1], 10);
    rig_send_run(&rig, 1, 20);
    rig_turns(&rig, 1); // epoll reports it as writable once, as it does at first
    limited_send_reset();
    client_room(&clients[1], 0);
    rig_send_run(&rig, 20, 20);
    rig_turns(&rig, 3);
    assert_int_equal(limited_send_calls_to(clients[1].server_fd), 0);
    for (int i = 0; i < 4; i++)
        if (i != 1) assert_int_equal(limited_send_calls_to(clients[i].server_fd), 20);
}

static void a_viewer_that_falls_off_the_ring_gets_the_rest_of_its_frame_a_gap_and_the_newest(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], (long)frame_size(1, 20) + 10); // into 1-2
    rig_send_run(&rig, 9, 20);
    assert_seen(0, "hello 1-1 ...");
    assert_int_equal(counter_get(&rig.counters.gaps), 0); // nothing said yet
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 gap(1-3..1-9 7 slow)");
    rig_send_run(&rig, 1, 20);
    assert_seen(0, "hello 1-1 1-2 gap(1-3..1-9 7 slow) 1-10");
    assert_seen(1, "hello 1-1 1-2 1-3 1-4 1-5 1-6 1-7 1-8 1-9 1-10");
    assert_int_equal(counter_get(&rig.counters.gaps), 1);
    assert_ring_empty();
}

static void a_viewer_that_falls_off_between_two_frames_gets_a_gap_and_the_newest(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], (long)frame_size(1, 20));
    rig_send_run(&rig, 9, 20);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 20);
    assert_seen(0, "hello 1-1 gap(1-2..1-9 8 slow) 1-10");
}

static void a_viewer_that_falls_off_by_bytes_gets_a_gap_too(void **state) {
    (void)state;
    tear_down(state);
    set_up_ring(1000, (uint32_t)(4 * event_size(1, 200)));
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 4, 200);
    assert_int_equal(rig.channel.ring.first, 0);
    rig_send_run(&rig, 4, 200);
    assert_true(rig.channel.ring.bytes <= rig.env.bounds.ring_bytes);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 gap(1-2..1-8 7 slow)");
}

// Cuts it at every byte of what it gets once it has fallen off, while the channel goes on.
static void what_follows_a_fall_may_be_cut_anywhere(void **state) {
    (void)state;
    for (long cut = 0; cut < 300; cut++) {
        char wanted[80] = "hello 1-1 gap(1-2..1-9 8 slow) 1-10 1-11";
        join_crowd(2);
        client_room(&clients[0], 10);
        rig_send_run(&rig, 9, 20);
        client_room_again(&rig, &clients[0], cut);
        bool announced = counter_get(&rig.counters.gaps) > 0;
        rig_send_run(&rig, 1, 20);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        rig_send_run(&rig, 1, 20);
        if (!announced) snprintf(wanted, sizeof wanted, "hello 1-1 gap(1-2..1-10 9 slow) 1-11");
        assert_seen(0, wanted);
        assert_int_equal(rig.channel.viewers.ready, 2);
        tear_down(state);
        set_up(state);
    }
}

static void a_viewer_that_falls_off_again_gets_another_gap(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 9, 20);
    client_room_again(&rig, &clients[0], 20); // into the gap itself
    rig_send_run(&rig, 9, 20);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 20);
    assert_seen(0, "hello gap(1-1..1-9 9 slow) gap(1-10..1-18 9 slow) 1-19");
    assert_int_equal(counter_get(&rig.counters.gaps), 2);
}

static void a_viewer_that_falls_off_before_its_first_bytes_gets_them_and_a_gap(void **state) {
    (void)state;
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *first[] = {hello_frame(), padded_frame(1, 1, 5), padded_frame(1, 2, 5)};
    rig_send_run(&rig, 2, 5);
    limited_send_room(sockets.server, (long)hello_size() + 7);
    client_join_with(&rig, &clients[0], sockets, pending_with(first, 3));
    rig_send_run(&rig, 9, 5);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello 1-1 1-2 gap(1-3..1-11 9 slow) 1-12");
}

static void a_gap_across_epochs_has_no_count(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 5, 20);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        rig_publish_frame(&rig, comment_frame(2, seq));
        rig_flush(&rig);
    }
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello gap(1-1..2-5 null slow)");
}

// A gap of the feed that a viewer falls off with is part of what it misses.
static void a_gap_frame_that_is_missed_is_announced_from_its_beginning(void **state) {
    (void)state;
    join_crowd(2);
    rig_send_run(&rig, 1, 20);
    client_room(&clients[0], 0);
    rig_publish_frame(&rig, frame_of_gap(pos(1, 2), pos(1, 6), GAP_EXPIRED));
    rig_flush(&rig);
    rig.newest = 6;
    rig_send_run(&rig, 6, 20);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(1, "hello 1-1 gap(1-2..1-6 5 expired) 1-7 1-8 1-9 1-10 1-11 1-12");
    assert_seen(0, "hello 1-1 gap(1-2..1-12 11 slow)");
}

static void missed_messages_without_a_number_are_no_missed_comments(void **state) {
    (void)state;
    join_crowd(2);
    rig_send_run(&rig, 3, 20);
    client_room(&clients[0], 0);
    for (int i = 0; i < 9; i++) {
        rig_publish_frame(&rig, foreign_frame("x"));
        rig_flush(&rig);
    }
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 20);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4"); // it stood at 1-3, and has missed no number
    client_room(&clients[0], 0);
    rig_publish_frame(&rig, foreign_frame("x"));
    rig_send_run(&rig, 9, 20);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4 gap(1-5..1-13 9 slow)");
}

static void comments_missed_after_messages_without_a_number_are_announced(void **state) {
    (void)state;
    join_crowd(2);
    rig_send_run(&rig, 3, 20);
    client_room(&clients[0], 0);
    for (int i = 0; i < 2 * RING_FRAMES; i++) { // nothing else is in the ring when it falls off
        rig_publish_frame(&rig, foreign_frame("x"));
        rig_flush(&rig);
    }
    rig_send_run(&rig, 2, 20);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 1-3 gap(1-4..1-5 2 slow)");
}

// Slow viewers on real sockets, small buffers

static void fill_until_it_lags(struct client *c) {
    for (int i = 0; i < 1000 && c->viewer->slot < rig.channel.viewers.ready; i++) rig_send_run(&rig, 1, 700);
    assert_true(c->viewer->slot >= rig.channel.viewers.ready);
}

static void a_real_slow_viewer(enum transport transport) {
    struct frame *head = hello_frame();
    client_join_with(&rig, &clients[0], socket_pair_open(transport, 4096), pending_with(&head, 1));
    client_join(&rig, &clients[1]);
    fill_until_it_lags(&clients[0]);
    uint64_t begun = rig.newest; // at the latest
    rig_send_run(&rig, 3 * RING_FRAMES, 700);
    uint64_t newest = rig.newest;
    // It reads, and gets: what was in its socket, the rest of its frame, the gap.
    client_drain(&rig, &clients[0], " slow)");
    rig_send_run(&rig, 1, 700);
    char end[64];
    snprintf(end, sizeof end, "slow) 1-%u", (unsigned)rig.newest);
    client_drain(&rig, &clients[0], end);
    const char *text = client_text(&clients[0]);
    unsigned from_epoch, from, to_epoch, to, missed, n = 0;
    const char *gap = strstr(text, "gap(");
    assert_int_equal(sscanf(gap, "gap(%u-%u..%u-%u %u slow)", &from_epoch, &from, &to_epoch, &to, &missed),
                     5);
    for (const char *at = text; at < gap; at++) n += *at == ' ';
    assert_int_equal(from, n); // hello 1-1 ... 1-(from-1) came whole
    assert_true(from <= begun + 1 && from > 1);
    assert_int_equal(to, newest);
    assert_int_equal(missed, to - from + 1);
    assert_null(strstr(gap + 1, "gap("));
    assert_int_equal(clients[1].seen.count, 0);
    assert_int_equal(counter_get(&rig.counters.gaps), 1);
    client_read(&clients[1], SIZE_MAX);
    assert_int_equal(clients[1].seen.count, rig.newest + 1); // with all of them
    assert_ring_empty();
}

static void a_slow_viewer_on_a_socketpair(void **state) {
    (void)state;
    a_real_slow_viewer(SOCKETPAIR);
}

static void a_slow_viewer_on_tcp(void **state) {
    (void)state;
    a_real_slow_viewer(LOOPBACK);
}

// No viewer delays another: with some that take nothing at all, the others have everything at every flush.
static void viewers_that_accept_no_data_delay_no_other(void **state) {
    (void)state;
    for (int i = 0; i < CROWD; i++) {
        struct frame *head = hello_frame();
        client_join_with(&rig, &clients[i], socket_pair_open(i % 2 ? LOOPBACK : SOCKETPAIR, i < 4 ? 4096 : 0),
                         pending_with(&head, 1));
    }
    for (int i = 0; i < 4; i++) fill_until_it_lags(&clients[i]);
    for (int i = 4; i < CROWD; i++) client_read(&clients[i], SIZE_MAX);
    limited_send_reset();
    for (unsigned n = 1; n <= 50; n++) {
        rig_send_run(&rig, 1, 700);
        assert_int_equal(limited_send_calls(), n * 4);
        for (int i = 4; i < CROWD; i++) assert_int_equal(limited_send_calls_to(clients[i].server_fd), n);
        client_read(&clients[4], SIZE_MAX); // on a socketpair it is there immediately
        assert_int_equal(clients[4].seen.count, rig.newest + 1);
    }
}

// Joining

static void a_viewer_that_joins_gets_what_is_published_from_then_on(void **state) {
    (void)state;
    client_join(&rig, &clients[0]);
    rig_send_run(&rig, 2, 5);
    client_join(&rig, &clients[1]);
    rig_send_run(&rig, 2, 5);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4");
    assert_seen(1, "hello 1-3 1-4");
}

// The frames that wait are in its first bytes already; what comes after them is not.
static void a_viewer_that_joins_while_frames_wait_gets_no_duplicate_and_no_hole(void **state) {
    (void)state;
    for (unsigned waiting = 0; waiting <= 3; waiting++) {
        for (unsigned after = 0; after <= 3; after++) {
            for (int turn = 0; turn < 2; turn++) {
                char wanted[80] = "hello";
                client_join(&rig, &clients[0]);
                for (unsigned i = 0; i < waiting; i++) rig_publish(&rig, 5);
                client_join(&rig, &clients[1]);
                if (turn) rig_turns(&rig, 2); // the flush is kept back by coalescing
                for (unsigned i = 0; i < after; i++) {
                    rig_publish(&rig, 5);
                    snprintf(wanted + strlen(wanted), 16, " 1-%u", (unsigned)rig.newest);
                }
                rig_flush(&rig);
                rig_turns(&rig, 2);
                assert_seen(1, wanted);
                assert_int_equal(rig.channel.viewers.ready, 2);
                rig_send_run(&rig, 1, 5);
                snprintf(wanted + strlen(wanted), 16, " 1-%u", (unsigned)rig.newest);
                assert_seen(1, wanted);
                assert_ring_empty();
                tear_down(state);
                set_up(state);
            }
        }
    }
}

static void a_viewer_that_joins_among_many_waiting_frames_gets_the_right_ones(void **state) {
    (void)state;
    tear_down(state);
    set_up_ring(1000, RING_BYTES);
    join_crowd(1);
    for (int i = 1; i < CROWD; i++) { // at every place of a flush of several sends
        for (int n = 0; n < 25; n++) rig_publish(&rig, 5);
        client_join(&rig, &clients[i]);
        rig_turns(&rig, 1);
    }
    for (int n = 0; n < 5; n++) rig_publish(&rig, 5);
    rig_flush(&rig);
    rig_turns(&rig, 1);
    for (int i = 0; i < CROWD; i++) {
        client_read(&clients[i], SIZE_MAX);
        assert_int_equal(clients[i].seen.count, 1 + (CROWD - 1 - i) * 25 + 5);
        char id[32];
        snprintf(id, sizeof id, "1-%d", i * 25 + 1);
        assert_string_equal(clients[i].seen.events[1].id, id);
        assert_string_equal(clients[i].seen.events[clients[i].seen.count - 1].id, "1-180");
    }
    assert_int_equal(rig.channel.viewers.ready, CROWD);
    assert_ring_empty();
}

static void a_viewer_that_cannot_be_watched_is_counted_as_gone(void **state) {
    (void)state;
    int regular = memfd_create("regular", MFD_CLOEXEC); // epoll refuses files
    struct frame *head = hello_frame();
    channel_add(&rig.channel, &(struct sink){.fd = regular}, 0, pending_with(&head, 1), 0);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_int_equal(rig.channel.left, 1);
    assert_int_equal(fcntl(regular, F_GETFD), -1); // closed
}

// Heartbeats

static void assert_heartbeats(int i, unsigned n) {
    client_read(&clients[i], SIZE_MAX);
    assert_int_equal(clients[i].seen.comments, n);
}

static void a_heartbeat_comes_after_silence_and_not_earlier(void **state) {
    (void)state;
    join_crowd(2);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS - RIG_HEARTBEAT_MS / 8 - 1);
    assert_heartbeats(0, 0);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS / 8 + 1);
    assert_heartbeats(0, 1);
    assert_heartbeats(1, 1);
    assert_all_seen(2, "hello"); // it is no event
    assert_int_equal(counter_get(&rig.counters.delivered), 0);
    for (int i = 0; i < 59; i++) rig_sweep_later(&rig, RIG_HEARTBEAT_MS / 60);
    assert_true(clients[0].seen.comments <= 2);
}

static void comments_put_the_heartbeat_off(void **state) {
    (void)state;
    join_crowd(2);
    for (int i = 0; i < 10; i++) {
        rig_sweep_later(&rig, RIG_HEARTBEAT_MS / 2);
        rig_send_run(&rig, 1, 5);
    }
    assert_heartbeats(0, 0);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS - RIG_HEARTBEAT_MS / 8 - 1);
    assert_heartbeats(0, 0);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS / 8 + 1);
    assert_heartbeats(0, 1);
}

static void heartbeats_of_many_channels_are_spread(void **state) {
    (void)state;
    int64_t earliest = INT64_MAX, latest = 0;
    for (int n = 0; n < 40; n++) {
        join_crowd(1);
        int64_t begun = loop_now_ms(rig.loop);
        while (!clients[0].seen.comments) {
            rig_sweep_later(&rig, 100);
            client_read(&clients[0], SIZE_MAX);
        }
        int64_t took = loop_now_ms(rig.loop) - begun;
        if (took < earliest) earliest = took;
        if (took > latest) latest = took;
        tear_down(state);
        set_up(state);
    }
    assert_true(latest - earliest > RIG_HEARTBEAT_MS / 30); // of an eighth; 40 equal ones are no chance
    assert_true(latest <= RIG_HEARTBEAT_MS + 100);
}

static void a_partly_sent_heartbeat_is_finished_before_anything_else(void **state) {
    (void)state;
    for (long cut = 1; cut < EVENT_STREAM_HEARTBEAT_LEN; cut++) {
        for (int published = 0; published < 2; published++) { // before there is room again, or after
            join_crowd(2);
            client_room(&clients[0], cut);
            rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
            if (published) rig_send_run(&rig, 1, 5);
            client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
            if (!published) rig_send_run(&rig, 1, 5);
            assert_all_seen(2, "hello 1-1");
            assert_heartbeats(0, 1);
            assert_heartbeats(1, 1);
            assert_int_equal(rig.channel.viewers.ready, 2);
            tear_down(state);
            set_up(state);
        }
    }
}

static void a_partly_sent_heartbeat_is_finished_after_a_fall_too(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 1);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    rig_send_run(&rig, 9, 5);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello gap(1-1..1-9 9 slow)");
    assert_heartbeats(0, 1);
}

static void a_full_socket_needs_no_heartbeat(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    assert_int_equal(rig.channel.viewers.ready, 2);
    client_room(&clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_all_seen(2, "hello 1-1");
    assert_heartbeats(0, 0);
    assert_heartbeats(1, 1);
}

// A heartbeat while frames wait to be flushed (coalescing) leaves their order alone.
static void a_heartbeat_partly_sent_while_frames_wait_loses_none(void **state) {
    (void)state;
    join_crowd(2);
    rig_publish(&rig, 5);
    client_room(&clients[0], 2);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    rig_flush(&rig);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_all_seen(2, "hello 1-1");
    assert_int_equal(rig.channel.viewers.ready, 2);
    rig_sweep_later(&rig, 0);
    assert_ring_empty(); // with the next sweep at the latest
}

// Viewers that take nothing

static void a_stalled_viewer_is_closed_and_counted(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[1], 5);
    rig_send_run(&rig, 1, 5);
    rig_sweep_later(&rig, RIG_STALL_MS - 1);
    assert_int_equal(rig.channel.viewers.count, 3);
    rig_sweep_later(&rig, 1);
    assert_int_equal(rig.channel.viewers.count, 2);
    assert_int_equal(rig.channel.left, 1);
    assert_int_equal(counter_get(&rig.counters.stalled), 1);
    assert_seen(1, "hello ...");
    assert_true(clients[1].ended);
    assert_ring_empty(); // what was held for it is released
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello 1-1 1-2");
    assert_seen(2, "hello 1-1 1-2");
}

static void a_viewer_that_accepts_a_little_is_not_closed(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 9, 5); // it has even fallen off
    for (int i = 0; i < 10; i++) {
        rig_sweep_later(&rig, RIG_STALL_MS - 1);
        client_room_again(&rig, &clients[0], 1);
    }
    assert_int_equal(rig.channel.viewers.count, 2);
    assert_int_equal(counter_get(&rig.counters.stalled), 0);
    rig_sweep_later(&rig, RIG_STALL_MS);
    assert_int_equal(counter_get(&rig.counters.stalled), 1);
}

static void a_viewer_that_never_accepts_its_first_bytes_is_closed(void **state) {
    (void)state;
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *head = hello_frame();
    limited_send_room(sockets.server, 0);
    client_join_with(&rig, &clients[0], sockets, pending_with(&head, 1));
    rig_sweep_later(&rig, RIG_STALL_MS - 1);
    assert_int_equal(rig.channel.viewers.count, 1);
    rig_sweep_later(&rig, 1);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_int_equal(counter_get(&rig.counters.stalled), 1);
}

static void a_stalled_viewer_that_fell_off_is_closed(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 9, 5);
    rig_sweep_later(&rig, RIG_STALL_MS);
    assert_int_equal(rig.channel.viewers.count, 1);
    assert_int_equal(counter_get(&rig.counters.stalled), 1);
}

static void a_quiet_video_closes_no_viewer(void **state) {
    (void)state;
    join_crowd(2);
    rig_publish(&rig, 5);
    client_join(&rig, &clients[2]); // waits for the flush
    for (int i = 0; i < 5; i++) rig_sweep_later(&rig, RIG_STALL_MS);
    assert_int_equal(rig.channel.viewers.count, 3);
    assert_int_equal(counter_get(&rig.counters.stalled), 0);
    rig_send_run(&rig, 1, 5);
    assert_seen(2, "hello 1-2");
}

// The kernel drops what it holds for a stalled viewer: the other end sees a reset.
static void a_stalled_viewer_is_reset(void **state) {
    (void)state;
    char bytes[256];
    ssize_t n;
    struct frame *head = hello_frame();
    client_join_with(&rig, &clients[0], socket_pair_open(LOOPBACK, 0), pending_with(&head, 1));
    client_room(&clients[0], 5);
    rig_send_run(&rig, 1, 5);
    rig_sweep_later(&rig, RIG_STALL_MS);
    assert_int_equal(rig.channel.viewers.count, 0);
    alarm(HANG_S);
    do {
        poll(&(struct pollfd){.fd = clients[0].fd, .events = POLLIN}, 1, -1);
        n = recv(clients[0].fd, bytes, sizeof bytes, 0);
    } while (n > 0);
    assert_int_equal(n, -1); // and no orderly end
    assert_int_equal(errno, ECONNRESET);
    alarm(0);
}

static void many_stalled_viewers_are_closed_in_portions(void **state) {
    enum { MANY = 150, AT_ONCE = 64 };
    (void)state;
    static struct client many[MANY];
    for (int i = 0; i < MANY; i++) {
        client_join(&rig, &many[i]);
        client_room(&many[i], 0);
    }
    rig_send_run(&rig, 1, 5);
    run_later(rig.loop, RIG_STALL_MS);
    for (int left = MANY - AT_ONCE; left > 0; left -= AT_ONCE) {
        assert_int_equal(channels_close_stalled(&rig.env, loop_now_ms(rig.loop), AT_ONCE), AT_ONCE);
        assert_int_equal(rig.channel.viewers.count, left);
    }
    assert_int_equal(channels_close_stalled(&rig.env, loop_now_ms(rig.loop), AT_ONCE), MANY % AT_ONCE);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_int_equal(counter_get(&rig.counters.stalled), MANY);
    for (int i = 0; i < MANY; i++) client_close(&many[i]);
}

// Memory is wanted (fanout_relieve)

// Joins with a head and the comments 1-1 to 1-3, of which the socket accepts `room` bytes.
static void join_with_backlog(int i, long room) {
    struct frame *first[] = {hello_frame(), padded_frame(1, 1, 5), padded_frame(1, 2, 5),
                             padded_frame(1, 3, 5)};
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    limited_send_room(sockets.server, room);
    client_join_with(&rig, &clients[i], sockets, pending_with(first, 4));
}

static unsigned relieve_later(int64_t ms) {
    run_later(rig.loop, ms);
    return channels_relieve(&rig.env, loop_now_ms(rig.loop), 100);
}

static void the_backlog_of_a_stalled_viewer_is_replaced_by_a_gap(void **state) {
    (void)state;
    long size = (long)frame_size(1, 5);
    static const char *const seen[] = {"hello gap(1-1..1-3 3 slow) 1-4", "hello gap(1-1..1-3 3 slow) 1-4",
                                       "hello 1-1 gap(1-2..1-3 2 slow) 1-4", "hello 1-1 1-2 1-3 1-4"};
    long hello = (long)hello_size();
    const long rooms[] = {0, hello, hello + 1, hello + 2 * size + 1};
    rig_send_run(&rig, 3, 5); // what the backlogs hold
    for (int i = 0; i < 4; i++) join_with_backlog(i, rooms[i]);
    size_t before = budget_used();
    assert_int_equal(relieve_later(999), 0);
    assert_int_equal(relieve_later(1), 4);
    assert_true(budget_used() < before);
    assert_int_equal(relieve_later(1000), 0); // once
    for (int i = 0; i < 4; i++) client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    for (int i = 0; i < 4; i++) assert_seen(i, seen[i]);
    assert_int_equal(rig.channel.viewers.ready, 4);
}

// What they have is from the log: this channel has sent nothing yet.
static void a_gap_from_before_anything_was_sent_begins_with_the_first_that_is(void **state) {
    (void)state;
    long hello = (long)hello_size();
    const long rooms[] = {0, hello + 1};
    rig.newest = 3;
    for (int i = 0; i < 2; i++) join_with_backlog(i, rooms[i]);
    assert_int_equal(relieve_later(1000), 2);
    rig_publish_frame(&rig, frame_of_bytes("data: message\n\n", 15, (struct position){0}));
    rig_send_run(&rig, 2, 5);
    for (int i = 0; i < 2; i++) client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello gap(1-1..1-3 3 slow) gap(1-4..1-5 2 slow) 1-6");
    assert_seen(1, "hello 1-1 gap(1-2..1-3 2 slow) gap(1-4..1-5 2 slow) 1-6");
}

static void a_viewer_that_accepts_data_keeps_its_backlog(void **state) {
    (void)state;
    rig_send_run(&rig, 3, 5);
    join_with_backlog(0, 5);
    for (int i = 0; i < 5; i++) {
        run_later(rig.loop, 900);
        client_room_again(&rig, &clients[0], 1);
        assert_int_equal(relieve_later(99), 0);
    }
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 1-3");
}

static void a_stalled_viewer_in_the_ring_gives_up_its_place(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 3, 5);
    assert_true(rig.channel.ring.bytes > 0);
    assert_int_equal(relieve_later(1000), 1);
    assert_ring_empty();
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello 1-1 gap(1-2..1-3 2 slow) 1-4");
    assert_seen(1, "hello 1-1 1-2 1-3 1-4");
}

// Places are wanted (fanout_evict): descriptors, or memory for another viewer. The first has a backlog and
// its socket is full, the second as well but it reads a little now and then, the third has nothing to read.
static void those_that_stand_still_give_up_their_places_and_those_that_read_never(void **state) {
    (void)state;
    enum { FULL, READS, IDLE, SINCE_LATER };
    rig_send_run(&rig, 3, 5);
    for (int i = FULL; i <= READS; i++) join_with_backlog(i, 5);
    client_join(&rig, &clients[IDLE]);
    for (int s = 0; s < 4; s++) {
        run_later(rig.loop, 1000);
        client_room_again(&rig, &clients[READS], 1);
    }
    join_with_backlog(SINCE_LATER, 5);
    run_later(rig.loop, 999);
    assert_int_equal(channels_evict(&rig.env, loop_now_ms(rig.loop), 100), 0);
    run_later(rig.loop, 1);
    assert_int_equal(channels_evict(&rig.env, loop_now_ms(rig.loop), 100), 1);
    rig_turns(&rig, 1);
    assert_int_equal(rig.channel.viewers.count, 3);
    assert_int_equal(counter_get(&rig.counters.stalled), 1);
    client_room_again(&rig, &clients[READS], LIMITED_SEND_MOST);
    client_room_again(&rig, &clients[SINCE_LATER], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_seen(READS, "hello 1-1 1-2 1-3 1-4");
    assert_seen(IDLE, "hello 1-4");
    assert_seen(SINCE_LATER, "hello 1-1 1-2 1-3 1-4");
}

static void the_one_that_has_stood_still_for_longest_gives_up_its_place_first(void **state) {
    (void)state;
    rig_send_run(&rig, 3, 5);
    for (int i = 0; i < 3; i++) {
        join_with_backlog(i, 5);
        run_later(rig.loop, 10);
    }
    client_room_again(&rig, &clients[0], 1);
    run_later(rig.loop, 6000);
    assert_int_equal(channels_evict(&rig.env, loop_now_ms(rig.loop), 2), 2);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2 1-3");
}

// The kernel may have noticed before us.
static void a_connection_that_the_kernel_gave_up_counts_as_stalled(void **state) {
    (void)state;
    join_crowd(3);
    limited_send_fail(clients[0].server_fd, ETIMEDOUT);
    limited_send_fail(clients[1].server_fd, ECONNRESET);
    rig_send_run(&rig, 1, 5);
    assert_int_equal(rig.channel.viewers.count, 1);
    assert_int_equal(counter_get(&rig.counters.stalled), 1);
    assert_seen(2, "hello 1-1");
}

// Viewers that leave

static void a_viewer_that_hangs_up_is_gone(void **state) {
    (void)state;
    join_crowd(4);
    client_close(&clients[1]);
    client_close(&clients[2]);
    rig_turns(&rig, 1);
    assert_int_equal(rig.channel.viewers.count, 2);
    assert_int_equal(rig.channel.left, 2);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello 1-1");
    assert_seen(3, "hello 1-1");
}

// Half-closed viewers

static void half_close(int i) {
    shutdown(clients[i].fd, SHUT_WR);
    rig_turns(&rig, 1);
}

static void a_half_closed_viewer_gets_a_heartbeat_immediately_and_keeps_its_stream(void **state) {
    (void)state;
    join_crowd(2);
    half_close(0);
    assert_seen(0, "hello");
    assert_heartbeats(0, 1);
    assert_heartbeats(1, 0);
    unsigned sends = limited_send_calls();
    rig_turns(&rig, 3); // reported once
    assert_int_equal(limited_send_calls(), sends);
    rig_send_run(&rig, 2, 5);
    assert_all_seen(2, "hello 1-1 1-2");
    assert_int_equal(rig.channel.viewers.ready, 2);
    assert_int_equal(rig.channel.left, 0);
    client_room(&clients[0], 7); // its later events report the half-close too
    rig_send_run(&rig, 1, 5);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_all_seen(2, "hello 1-1 1-2 1-3");
    assert_heartbeats(0, 1);
}

// The heartbeat is cut after any byte, while a run of two comments waits, is being sent, or has been sent.
static void the_heartbeat_for_a_half_closed_viewer_may_be_cut_anywhere(void **state) {
    (void)state;
    enum { QUIET, WAITING, DUE, SERVED, MOMENTS };
    for (int moment = QUIET; moment < MOMENTS; moment++) {
        for (long cut = 0; cut <= EVENT_STREAM_HEARTBEAT_LEN; cut++) {
            join_crowd(3);
            for (int i = 0; moment != QUIET && i < 2; i++) rig_publish(&rig, 5);
            if (moment > WAITING) channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1);
            int i = moment == SERVED ? 2 : 0; // the last is served first
            assert_int_equal(viewer_set_is_due(&rig.channel.viewers, clients[i].viewer), moment == DUE);
            client_room(&clients[i], cut);
            half_close(i);
            rig_flush(&rig);
            client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
            rig_send_run(&rig, moment == QUIET ? 3 : 1, 5);
            assert_all_seen(3, "hello 1-1 1-2 1-3");
            assert_heartbeats(i, cut ? 1 : 0); // none into a full socket
            assert_int_equal(rig.channel.viewers.ready, 3);
            rig_sweep_later(&rig, 0);
            assert_ring_empty();
            tear_down(state);
            set_up(state);
        }
    }
}

static void a_half_closed_viewer_that_lags_is_sent_nothing_within_a_frame(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 2, 5);
    half_close(0);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_all_seen(2, "hello 1-1 1-2");
    assert_heartbeats(0, 0);
}

static void a_viewer_that_half_closed_before_it_was_added_is_served(void **state) {
    (void)state;
    struct socket_pair sockets = socket_pair_open(LOOPBACK, 0);
    struct frame *head = hello_frame();
    shutdown(sockets.client, SHUT_WR);
    client_join_with(&rig, &clients[0], sockets, pending_with(&head, 1));
    rig_turns(&rig, 2);
    rig_send_run(&rig, 1, 5);
    client_drain(&rig, &clients[0], "hello 1-1");
    assert_int_equal(rig.channel.viewers.count, 1);
}

// A closed socket answers the heartbeat with a reset.
static void a_closed_viewer_is_gone_within_a_round_trip(void **state) {
    (void)state;
    struct frame *head = hello_frame();
    client_join_with(&rig, &clients[0], socket_pair_open(LOOPBACK, 0), pending_with(&head, 1));
    client_wait_for_bytes(&clients[0]);
    client_read(&clients[0], SIZE_MAX);
    client_close(&clients[0]);
    alarm(HANG_S);
    while (rig.channel.viewers.count) rig_turns(&rig, 1);
    alarm(0);
    assert_int_equal(counter_get(&rig.counters.stalled), 0);
}

// Wherever in the array a connection breaks, the other viewers get everything once.
static void a_broken_connection_during_a_flush_affects_no_other_viewer(void **state) {
    (void)state;
    for (unsigned broken = 0; broken < 1u << 5; broken++) {
        join_crowd(5);
        for (int i = 0; i < 5; i++) {
            if (!(broken >> i & 1)) continue;
            if (i % 2)
                limited_send_fail(clients[i].server_fd, ECONNRESET);
            else
                client_close(&clients[i]); // EPIPE
        }
        rig_publish(&rig, 5);
        rig_flush(&rig);
        assert_int_equal(rig.channel.viewers.count, 5 - __builtin_popcount(broken));
        assert_int_equal(rig.channel.viewers.ready, rig.channel.viewers.count);
        assert_int_equal(rig.channel.left, __builtin_popcount(broken));
        rig_turns(&rig, 1);
        rig_send_run(&rig, 1, 5);
        for (int i = 0; i < 5; i++) {
            if (!(broken >> i & 1)) assert_seen(i, "hello 1-1 1-2");
            if (broken >> i & 1 && i % 2) assert_seen(i, "hello");
        }
        assert_ring_empty();
        tear_down(state);
        set_up(state);
    }
}

// Viewers that wait for a flush are served at its end, whichever of them break then.
static void a_broken_connection_at_admission_affects_no_other_viewer(void **state) {
    (void)state;
    for (unsigned broken = 0; broken < 1u << 4; broken++) {
        client_join(&rig, &clients[4]);
        rig_publish(&rig, 5);
        for (int i = 0; i < 4; i++) client_join(&rig, &clients[i]);
        run_turns(rig.loop,
                  1); // epoll reports them as writable once: from here on nothing else wakes them
        for (int i = 0; i < 4; i++)
            if (broken >> i & 1) limited_send_fail(clients[i].server_fd, ECONNRESET);
        rig_publish(&rig, 5);
        rig_flush(&rig);
        assert_seen(4, "hello 1-1 1-2");
        for (int i = 0; i < 4; i++) assert_seen(i, broken >> i & 1 ? "hello" : "hello 1-2");
        assert_int_equal(rig.channel.viewers.count, 5 - __builtin_popcount(broken));
        assert_int_equal(rig.channel.viewers.ready, rig.channel.viewers.count);
        tear_down(state);
        set_up(state);
    }
}

// Some break, some are cut, some wait, some are fine, in every mixture.
static void any_mixture_of_states_in_one_flush_works(void **state) {
    (void)state;
    enum kind { FINE, CUT, FULL, BROKEN, KINDS };
    enum { N = 4 };
    for (unsigned mix = 0; mix < 256; mix++) {
        join_crowd(N);
        for (int i = 0; i < N; i++) {
            switch ((enum kind)(mix >> 2 * i & 3)) {
            case CUT: client_room(&clients[i], 9); break;
            case FULL: client_room(&clients[i], 0); break;
            case BROKEN: limited_send_fail(clients[i].server_fd, ECONNRESET); break;
            default: break;
            }
        }
        rig_publish(&rig, 5);
        client_join(&rig, &clients[N]); // waits
        rig_publish(&rig, 5);
        rig_flush(&rig);
        rig_turns(&rig, 1);
        for (int i = 0; i < N; i++) {
            enum kind kind = mix >> 2 * i & 3;
            if (kind == CUT || kind == FULL) client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
            assert_seen(i, kind == BROKEN ? "hello" : "hello 1-1 1-2");
        }
        assert_seen(N, "hello 1-2");
        assert_int_equal(rig.channel.viewers.ready, rig.channel.viewers.count);
        rig_flush(&rig);
        assert_ring_empty();
        tear_down(state);
        set_up(state);
    }
}

static void a_connection_that_breaks_while_catching_up_is_gone(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[0], 10);
    client_room(&clients[1], 10);
    rig_send_run(&rig, 2, 5);
    limited_send_fail(clients[0].server_fd, EPIPE);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_int_equal(rig.channel.viewers.count, 2);
    client_room_again(&rig, &clients[1], LIMITED_SEND_MOST);
    assert_seen(1, "hello 1-1 1-2");
    assert_seen(2, "hello 1-1 1-2");
    rig_flush(&rig);
    assert_ring_empty();
}

static void a_connection_that_breaks_on_a_heartbeat_is_gone(void **state) {
    (void)state;
    join_crowd(3);
    limited_send_fail(clients[1].server_fd, EPIPE);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    assert_int_equal(rig.channel.viewers.count, 2);
    assert_int_equal(rig.channel.left, 1);
    assert_heartbeats(0, 1);
    assert_heartbeats(2, 1);
}

static void a_connection_that_breaks_on_its_first_bytes_is_gone(void **state) {
    (void)state;
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *head = hello_frame();
    close(sockets.client);
    channel_add(&rig.channel, &(struct sink){.fd = sockets.server}, 0, pending_with(&head, 1), 0);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_int_equal(rig.channel.left, 1);
}

static void interrupted_sends_are_repeated(void **state) {
    (void)state;
    join_crowd(1);
    limited_send_fail(clients[0].server_fd, EINTR);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello 1-1");
}

static void a_release_closes_viewers_in_every_state(void **state) {
    (void)state;
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *first[] = {hello_frame(), padded_frame(1, 1, 5)};
    join_crowd(4);
    client_room(&clients[1], 0);
    rig_send_run(&rig, 9, 5); // fallen off
    client_room(&clients[2], 10);
    rig_send_run(&rig, 1, 5); // cut
    limited_send_room(sockets.server, 3);
    client_join_with(&rig, &clients[4], sockets, pending_with(first, 2)); // in its first bytes
    rig_publish(&rig, 5);
    client_join(&rig, &clients[5]); // waits
    channel_release(&rig.channel, FAN_END_STOPPING);
    assert_null(rig.env.left_unreported);
    assert_int_equal(rig.channel.viewers.count, 0);
    for (int i = 0; i < 6; i++) {
        client_read(&clients[i], SIZE_MAX);
        assert_true(clients[i].ended);
    }
}

// The end of a stream

static void assert_ended(int i, bool in_order) {
    client_read(&clients[i], SIZE_MAX);
    assert_true(clients[i].ended);
    assert_int_equal(clients[i].chunks.over, in_order && test_framing() == SINK_CHUNKED);
    assert_true(chunk_reader_is_whole(&clients[i].chunks));
}

static void a_stream_ends_after_everything_published_was_sent(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[0], (long)frame_size(1, 5) + 3); // into 1-2
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    channel_end(&rig.channel);
    assert_true(channel_is_dirty(&rig.channel));
    rig_flush(&rig);
    assert_int_equal(rig.channel.viewers.count, 1); // one lags
    for (int i = 1; i < 3; i++) {
        assert_seen(i, "hello 1-1 1-2");
        assert_ended(i, true);
    }
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 1-2");
    assert_ended(0, true);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_false(channel_is_dirty(&rig.channel));
    assert_int_equal(channel_report_left(&rig.channel), 3);
}

static void the_end_may_be_cut_anywhere(void **state) {
    (void)state;
    for (long cut = 0; cut <= 5; cut++) {
        join_crowd(1);
        client_room(&clients[0], cut);
        channel_end(&rig.channel);
        rig_flush(&rig);
        if (rig.channel.viewers.count) client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        assert_seen(0, "hello");
        assert_ended(0, true);
        tear_down(state);
        set_up(state);
    }
}

static void a_viewer_added_after_the_end_gets_its_first_bytes_and_the_end(void **state) {
    (void)state;
    channel_end(&rig.channel);
    client_join(&rig, &clients[0]);
    assert_seen(0, "hello");
    assert_ended(0, true);
    assert_int_equal(rig.channel.viewers.count, 0);
}

static void a_viewer_that_fell_off_gets_its_gap_before_the_end(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 9, 20);
    channel_end(&rig.channel);
    rig_flush(&rig);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 gap(1-2..1-9 8 slow)");
    assert_ended(0, true);
}

static void every_other_close_leaves_the_end_out(void **state) {
    (void)state;
    join_crowd(3);
    rig_send_run(&rig, 1, 5);
    viewer_close(viewer_with(&rig, clients[0].server_fd), FAN_END_CLIENT);
    assert_seen(0, "hello 1-1");
    assert_ended(0, false);
    client_room(&clients[1], 0);
    rig_send_run(&rig, 1, 5);
    rig_sweep_later(&rig, RIG_STALL_MS + 1); // a slow consumer
    assert_ended(1, false);
    channel_release(&rig.channel, FAN_END_STOPPING); // the program stops, the video moves
    channel_init(&rig.channel, &rig.env, &rig.ledger, NULL);
    client_text(&clients[2]);
    assert_ended(2, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_flush_is_one_send_to_each_viewer_that_is_up_to_date),
        TEST(the_first_bytes_leave_immediately),
        TEST(deliveries_are_counted),
        TEST(more_than_the_ring_holds_in_one_flush_loses_nothing),
        TEST(many_small_frames_leave_in_one_send),
        TEST(more_than_one_send_can_carry_goes_in_several),
        TEST(a_frame_larger_than_the_ring_goes_out),
        TEST(a_send_cut_anywhere_goes_on_at_the_next_byte),
        TEST(a_socket_that_takes_a_byte_at_a_time_gets_it_all),
        TEST(first_bytes_cut_anywhere_go_on_at_the_next_byte),
        TEST(a_viewer_that_lags_within_the_ring_misses_nothing),
        TEST(a_lagging_viewer_costs_no_send_until_its_socket_has_room),
        TEST(a_viewer_that_falls_off_the_ring_gets_the_rest_of_its_frame_a_gap_and_the_newest),
        TEST(a_viewer_that_falls_off_between_two_frames_gets_a_gap_and_the_newest),
        TEST(a_viewer_that_falls_off_by_bytes_gets_a_gap_too),
        TEST(what_follows_a_fall_may_be_cut_anywhere),
        TEST(a_viewer_that_falls_off_again_gets_another_gap),
        TEST(a_viewer_that_falls_off_before_its_first_bytes_gets_them_and_a_gap),
        TEST(a_gap_across_epochs_has_no_count),
        TEST(a_gap_frame_that_is_missed_is_announced_from_its_beginning),
        TEST(missed_messages_without_a_number_are_no_missed_comments),
        TEST(comments_missed_after_messages_without_a_number_are_announced),
        TEST(a_slow_viewer_on_a_socketpair),
        TEST(a_slow_viewer_on_tcp),
        TEST(viewers_that_accept_no_data_delay_no_other),
        TEST(a_viewer_that_joins_gets_what_is_published_from_then_on),
        TEST(a_viewer_that_joins_while_frames_wait_gets_no_duplicate_and_no_hole),
        TEST(a_viewer_that_joins_among_many_waiting_frames_gets_the_right_ones),
        TEST(a_viewer_that_cannot_be_watched_is_counted_as_gone),
        TEST(a_heartbeat_comes_after_silence_and_not_earlier),
        TEST(comments_put_the_heartbeat_off),
        TEST(heartbeats_of_many_channels_are_spread),
        TEST(a_partly_sent_heartbeat_is_finished_before_anything_else),
        TEST(a_partly_sent_heartbeat_is_finished_after_a_fall_too),
        TEST(a_full_socket_needs_no_heartbeat),
        TEST(a_heartbeat_partly_sent_while_frames_wait_loses_none),
        TEST(a_stalled_viewer_is_closed_and_counted),
        TEST(a_viewer_that_accepts_a_little_is_not_closed),
        TEST(a_viewer_that_never_accepts_its_first_bytes_is_closed),
        TEST(a_stalled_viewer_that_fell_off_is_closed),
        TEST(a_quiet_video_closes_no_viewer),
        TEST(a_stalled_viewer_is_reset),
        TEST(many_stalled_viewers_are_closed_in_portions),
        TEST(the_backlog_of_a_stalled_viewer_is_replaced_by_a_gap),
        TEST(a_gap_from_before_anything_was_sent_begins_with_the_first_that_is),
        TEST(a_viewer_that_accepts_data_keeps_its_backlog),
        TEST(a_stalled_viewer_in_the_ring_gives_up_its_place),
        TEST(those_that_stand_still_give_up_their_places_and_those_that_read_never),
        TEST(the_one_that_has_stood_still_for_longest_gives_up_its_place_first),
        TEST(a_connection_that_the_kernel_gave_up_counts_as_stalled),
        TEST(a_viewer_that_hangs_up_is_gone),
        TEST(a_half_closed_viewer_gets_a_heartbeat_immediately_and_keeps_its_stream),
        TEST(the_heartbeat_for_a_half_closed_viewer_may_be_cut_anywhere),
        TEST(a_half_closed_viewer_that_lags_is_sent_nothing_within_a_frame),
        TEST(a_viewer_that_half_closed_before_it_was_added_is_served),
        TEST(a_closed_viewer_is_gone_within_a_round_trip),
        TEST(a_broken_connection_during_a_flush_affects_no_other_viewer),
        TEST(a_broken_connection_at_admission_affects_no_other_viewer),
        TEST(any_mixture_of_states_in_one_flush_works),
        TEST(a_connection_that_breaks_while_catching_up_is_gone),
        TEST(a_connection_that_breaks_on_a_heartbeat_is_gone),
        TEST(a_connection_that_breaks_on_its_first_bytes_is_gone),
        TEST(interrupted_sends_are_repeated),
        TEST(a_release_closes_viewers_in_every_state),
        TEST(a_stream_ends_after_everything_published_was_sent),
        TEST(the_end_may_be_cut_anywhere),
        TEST(a_viewer_added_after_the_end_gets_its_first_bytes_and_the_end),
        TEST(a_viewer_that_fell_off_gets_its_gap_before_the_end),
        TEST(every_other_close_leaves_the_end_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
