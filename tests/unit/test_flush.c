#include "unit.h"

#include "base/clock.h"
#include "channel_crowd.h"
#include "base/budget.h"

// Slices

static void begin_slice(uint32_t sends) {
    assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), sends), FLUSH_UNFINISHED);
}

static void a_flush_continues_where_it_stopped(void **state) {
    (void)state;
    join_crowd(CROWD);
    rig_publish(&rig, 5);
    for (int i = 1; i < 4; i++) {
        begin_slice(2);
        int there = 0;
        for (int c = 0; c < CROWD; c++) there += !strcmp(client_text(&clients[c]), "hello 1-1");
        assert_int_equal(there, 2 * i);
    }
    rig_publish(&rig, 5); // not of this flush
    assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 100), FLUSH_FINISHED);
    assert_all_seen(CROWD, "hello 1-1");
    assert_true(channel_is_dirty(&rig.channel));
    rig_flush(&rig);
    assert_all_seen(CROWD, "hello 1-1 1-2");
    assert_ring_empty();
}

// Whichever viewer leaves between two slices, no other gets anything twice or not at all.
static void a_viewer_that_leaves_between_two_slices_affects_no_other(void **state) {
    (void)state;
    for (int leaver = 0; leaver < CROWD; leaver++) {
        for (uint32_t served = 1; served < CROWD; served++) {
            join_crowd(CROWD);
            rig_publish(&rig, 5);
            rig_publish(&rig, 5);
            begin_slice(served);
            client_close(&clients[leaver]);
            run_turns(rig.loop, 1);
            assert_int_equal(rig.channel.viewers.count, CROWD - 1);
            rig_flush(&rig);
            for (int i = 0; i < CROWD; i++)
                if (i != leaver) assert_seen(i, "hello 1-1 1-2");
            tear_down(state);
            set_up(state);
        }
    }
}

static void a_viewer_blocked_between_two_slices_continues_where_it_was(void **state) {
    (void)state;
    join_crowd(CROWD);
    for (int i = 0; i < CROWD; i += 2) client_room(&clients[i], i * 3);
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    while (channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1) == FLUSH_UNFINISHED) continue;
    assert_int_equal(rig.channel.viewers.ready, CROWD / 2);
    for (int i = 0; i < CROWD; i += 2) client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
    assert_all_seen(CROWD, "hello 1-1 1-2");
}

static void a_viewer_that_joins_between_two_slices_gets_what_comes_after(void **state) {
    (void)state;
    join_crowd(4);
    rig_publish(&rig, 5);
    begin_slice(1);
    client_join(&rig, &clients[4]); // has 1-1 in its first bytes, if it asked for it
    rig_publish(&rig, 5);
    client_join(&rig, &clients[5]);
    begin_slice(1);
    rig_flush(&rig);
    rig_send_run(&rig, 1, 5);
    assert_all_seen(4, "hello 1-1 1-2 1-3");
    assert_seen(4, "hello 1-2 1-3");
    assert_seen(5, "hello 1-3");
}

static void a_viewer_that_catches_up_between_two_slices_gets_nothing_twice(void **state) {
    (void)state;
    join_crowd(4);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 1, 5);
    rig_publish(&rig, 5);
    begin_slice(1);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST); // gets what is being sent, too
    assert_seen(0, "hello 1-1 1-2");
    rig_flush(&rig);
    assert_all_seen(4, "hello 1-1 1-2");
}

static void heartbeats_go_in_slices_too(void **state) {
    (void)state;
    join_crowd(CROWD);
    run_later(rig.loop, RIG_HEARTBEAT_MS);
    channel_sweep(&rig.channel, loop_now_ms(rig.loop));
    begin_slice(3);
    rig_publish(&rig, 5);
    rig_flush(&rig);
    assert_all_seen(CROWD, "hello 1-1");
    for (int i = 0; i < CROWD; i++) assert_int_equal(clients[i].seen.comments, 1);
}

static void a_channel_released_in_the_middle_of_a_flush_leaves_nothing(void **state) {
    (void)state;
    size_t before = budget_used();
    join_crowd(4);
    for (int i = 0; i < 3; i++) rig_publish(&rig, 5);
    begin_slice(2);
    rig_publish(&rig, 5);
    tear_down(state);
    assert_int_equal(budget_used(), before);
    set_up(state);
}

static void one_comment_at_a_time_is_never_held_back(void **state) {
    (void)state;
    rig.env.bounds.coalesce_us = 250000;
    join_crowd(CROWD);
    rig_send_run(&rig, 20, 5);
    assert_true(channel_flush_due_us(&rig.channel) <= clock_monotonic_us());
}

// More than one run can carry goes in several, and they do not wait for each other.
static void a_run_that_did_not_hold_everything_is_followed_immediately(void **state) {
    enum { BYTES = 20000, FRAMES = 8, RUNS = 3 };
    (void)state;
    tear_down(state);
    set_up_ring(1000, RING_BYTES);
    rig.env.bounds.coalesce_us = 60000000;
    moved_clock_run();
    for (int i = 0; i < CROWD; i++) client_join(&rig, &clients[i]);
    for (int i = 0; i < FRAMES; i++) rig_publish(&rig, BYTES);
    limited_send_reset();
    for (int run = 1; run <= RUNS; run++) {
        assert_true(channel_is_dirty(&rig.channel));
        assert_true(channel_flush_due_us(&rig.channel) <= clock_monotonic_us());
        assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 100), FLUSH_FINISHED);
        assert_int_equal(limited_send_calls(), run * CROWD);
        for (int i = 0; i < CROWD; i++) client_read(&clients[i], SIZE_MAX);
    }
    assert_false(channel_is_dirty(&rig.channel));
    for (int i = 0; i < CROWD; i++) assert_int_equal(clients[i].seen.count, 1 + FRAMES);
    moved_clock_stand();
}

// A full ring costs viewers that are ready one run, not everything that waits.
static void a_full_ring_is_flushed_until_there_is_room(void **state) {
    enum { BYTES = 20000, FRAMES = 10 };
    (void)state;
    tear_down(state);
    set_up_ring(FRAMES, RING_BYTES);
    join_crowd(2);
    for (int i = 0; i < FRAMES; i++) rig_publish(&rig, BYTES);
    limited_send_reset();
    rig_publish(&rig, BYTES);
    assert_int_equal(limited_send_calls(), 2);
    assert_true(channel_is_dirty(&rig.channel));
    for (int i = 0; i < 5; i++) {
        for (int c = 0; c < 2; c++) client_read(&clients[c], SIZE_MAX);
        channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 100);
    }
    for (int i = 0; i < 2; i++) client_read(&clients[i], SIZE_MAX);
    for (int i = 0; i < 2; i++) assert_int_equal(clients[i].seen.count, 1 + FRAMES + 1);
    assert_int_equal(counter_get(&rig.counters.gaps), 0);
}

// Memory that is used up

static void without_memory_nothing_is_coalesced(void **state) {
    (void)state;
    rig.channel.pace.not_before_us = INT64_MAX;
    assert_true(channel_flush_due_us(&rig.channel) == INT64_MAX);
    budget_set(0);
    assert_true(channel_flush_due_us(&rig.channel) == 0);
    budget_set(SIZE_MAX);
}

static void without_memory_nothing_is_kept_for_slow_viewers(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 0);
    rig_send_run(&rig, 2, 5);
    budget_set(0);
    rig_send_run(&rig, 1, 5);
    assert_ring_empty();
    assert_seen(1, "hello 1-1 1-2 1-3"); // others are not affected
    budget_set(SIZE_MAX);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_seen(0, "hello gap(1-1..1-3 3 slow) 1-4");
    assert_seen(1, "hello 1-1 1-2 1-3 1-4");
}

// The worker cannot keep up: unsent frames are dropped, and each viewer gets a gap for exactly what it lacks.
static void without_memory_unsent_frames_are_dropped_with_a_gap(void **state) {
    (void)state;
    join_crowd(2);
    rig_send_run(&rig, 1, 5);
    budget_set(0);
    for (int i = 0; i < RING_FRAMES; i++) rig_publish(&rig, 5);
    client_join(&rig, &clients[2]); // has seen those
    rig_publish(&rig, 5);
    budget_set(SIZE_MAX);
    rig_flush(&rig);
    assert_all_seen(2, "hello 1-1 gap(1-2..1-5 4 slow) 1-6");
    assert_seen(2, "hello 1-6");
    assert_int_equal(counter_get(&rig.counters.gaps), 2);
}

static void a_viewer_and_a_frame_are_counted_while_they_are_there(void **state) {
    (void)state;
    size_t before = budget_used(), viewer = sizeof(struct viewer) + sizeof(struct viewer *);
    join_crowd(3);
    assert_int_equal(budget_used() - before, 3 * viewer);
    rig_publish(&rig, 500);
    assert_true(budget_used() - before > 3 * viewer + 500);
    rig_flush(&rig);
    assert_int_equal(budget_used() - before, 3 * viewer);
    for (int i = 0; i < 3; i++) client_close(&clients[i]);
    run_turns(rig.loop, 1);
    assert_int_equal(budget_used(), before);
}

// Delays

static void publish_posted_ago(int64_t ms) {
    struct frame *f = padded_frame(1, ++rig.newest, 5);
    rig.env.wall_ahead_us = 5000000;
    f->posted_ms = (clock_monotonic_us() + rig.env.wall_ahead_us) / 1000 - ms;
    rig_publish_frame(&rig, f);
}

static unsigned delayed_by(int64_t ms) {
    return (unsigned)counter_get(&rig.counters.delays[delay_bucket(ms)]);
}

static unsigned delays_counted(void) {
    unsigned sum = 0;
    for (int i = 0; i < DELAY_BUCKETS; i++) sum += (unsigned)counter_get(&rig.counters.delays[i]);
    return sum;
}

static void a_delay_is_counted_once_for_each_viewer(void **state) {
    (void)state;
    join_crowd(CROWD);
    publish_posted_ago(40);
    publish_posted_ago(3);
    rig_flush(&rig);
    assert_int_equal(delayed_by(40), CROWD);
    assert_int_equal(delayed_by(3), CROWD);
    assert_int_equal(delays_counted(), 2 * CROWD);
}

// Each by the time of its slice.
static void a_viewer_served_later_has_waited_longer(void **state) {
    (void)state;
    join_crowd(CROWD);
    publish_posted_ago(0);
    begin_slice(3);
    moved_clock.now_ms += 100;
    rig_flush(&rig);
    assert_int_equal(delayed_by(0), 3);
    assert_int_equal(delayed_by(100), CROWD - 3);
}

static void without_a_time_and_of_heartbeats_no_delay_is_counted(void **state) {
    (void)state;
    join_crowd(CROWD);
    rig_publish(&rig, 5);
    rig_flush(&rig);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    assert_int_equal(delays_counted(), 0);
}

static void a_viewer_that_is_behind_counts_as_slow_until_it_has_caught_up(void **state) {
    (void)state;
    join_crowd(CROWD);
    client_room(&clients[0], 2);
    client_room(&clients[1], 0);
    publish_posted_ago(1);
    rig_flush(&rig);
    assert_int_equal(counter_get(&rig.counters.slow), 2);
    assert_int_equal(delays_counted(), CROWD - 2);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_int_equal(counter_get(&rig.counters.slow), 1);
    client_close(&clients[1]);
    run_turns(rig.loop, 1);
    assert_int_equal(counter_get(&rig.counters.slow), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_flush_continues_where_it_stopped),
        TEST(a_viewer_that_leaves_between_two_slices_affects_no_other),
        TEST(a_viewer_blocked_between_two_slices_continues_where_it_was),
        TEST(a_viewer_that_joins_between_two_slices_gets_what_comes_after),
        TEST(a_viewer_that_catches_up_between_two_slices_gets_nothing_twice),
        TEST(heartbeats_go_in_slices_too),
        TEST(a_channel_released_in_the_middle_of_a_flush_leaves_nothing),
        TEST(one_comment_at_a_time_is_never_held_back),
        TEST(a_run_that_did_not_hold_everything_is_followed_immediately),
        TEST(a_full_ring_is_flushed_until_there_is_room),
        TEST(without_memory_nothing_is_coalesced),
        TEST(without_memory_nothing_is_kept_for_slow_viewers),
        TEST(without_memory_unsent_frames_are_dropped_with_a_gap),
        TEST(a_delay_is_counted_once_for_each_viewer),
        TEST(a_viewer_served_later_has_waited_longer),
        TEST(without_a_time_and_of_heartbeats_no_delay_is_counted),
        TEST(a_viewer_that_is_behind_counts_as_slow_until_it_has_caught_up),
        TEST(a_viewer_and_a_frame_are_counted_while_they_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
