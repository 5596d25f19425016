// Comments that a readable rate leaves out: whom they are sent to, after what, and what becomes of the pairs.
#include "unit.h"

#include "channel_crowd.h"
#include "fanout/replay.h"
#include "reader/entry_frame.h"

enum { ANN = 7, BOB = 8 };

// The others are of no user.
static void join_users(int n, int anns) {
    for (int i = 0; i < n; i++) {
        client_join(&rig, &clients[i]);
        clients[i].viewer->watch.tag = i < anns ? ANN : 0;
    }
}

static void leave_out_after(uint32_t more, uint32_t user) {
    channel_skip(&rig.channel, comment_frame(1, ++rig.newest), user, more, loop_now_ms(rig.loop));
}

static void leave_out(uint32_t user) {
    leave_out_after(0, user);
}

static void show(uint32_t more) {
    struct frame *f = comment_frame(1, ++rig.newest);
    channel_publish(&rig.channel, more ? frame_with_more(f, more) : frame_ref(f));
    frame_unref(f);
}

static void open_up(int i) {
    client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
    rig_flush(&rig);
    rig_turns(&rig, 2);
}

static void assert_closes(uint64_t due, uint64_t sampled) {
    uint64_t p[LEDGER_PARTS];
    rig_ledger(&rig, p);
    assert_int_equal(p[LEDGER_DUE], due);
    assert_int_equal(p[LEDGER_SAMPLED], sampled);
    assert_int_equal(ledger_waiting(p), 0);
}

static void only_the_authors_viewers_get_it_and_the_next_one_says_so_to_all(void **state) {
    (void)state;
    join_users(4, 2);
    show(0);
    rig_flush(&rig);
    leave_out(BOB);
    leave_out_after(1, ANN);
    leave_out_after(2, 0);
    show(3);
    rig_flush(&rig);
    for (int i = 0; i < 2; i++) assert_seen(i, "hello 1-1 1-3+1 1-5+3");
    for (int i = 2; i < 4; i++) assert_seen(i, "hello 1-1 1-5+3");
    for (int i = 0; i < 4; i++) assert_int_equal(viewer_events(clients[i].viewer), i < 2 ? 3 : 2);
    assert_int_equal(rig.channel.viewers.ready, 4);
    assert_closes(5 * 4, 3 * 4 - 2);
    assert_ring_empty();
}

static void it_comes_after_what_waits_for_a_flush(void **state) {
    (void)state;
    join_users(3, 1);
    show(0);
    show(0);
    leave_out(ANN);
    assert_seen(0, "hello 1-1 1-2 1-3");
    assert_seen(1, "hello");
    show(1);
    leave_out(ANN);
    show(1);
    rig_flush(&rig);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4+1 1-5 1-6+1");
    assert_seen(1, "hello 1-1 1-2 1-4+1 1-6+1");
    rig_send_run(&rig, 1, 10);
    assert_seen(0, "hello 1-1 1-2 1-3 1-4+1 1-5 1-6+1 1-7");
    assert_int_equal(viewer_events(clients[0].viewer), 7);
    assert_closes(7 * 3, 2 * 2);
    assert_ring_empty();
}

static void it_comes_in_the_middle_of_a_flush_too(void **state) {
    (void)state;
    join_users(4, 4);
    show(0);
    assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 2), FLUSH_UNFINISHED);
    leave_out(ANN);
    rig_flush(&rig);
    show(1);
    rig_flush(&rig);
    assert_all_seen(4, "hello 1-1 1-2 1-3+1");
    assert_closes(3 * 4, 0);
    assert_ring_empty();
}

static void a_slow_author_gets_it_in_its_place(void **state) {
    (void)state;
    join_users(2, 1);
    client_room(&clients[0], 10); // into the first
    show(0);
    rig_flush(&rig);
    leave_out(ANN);
    show(1);
    rig_flush(&rig);
    leave_out(ANN);
    show(1);
    rig_flush(&rig);
    open_up(0);
    assert_seen(0, "hello 1-1 1-2 1-3+1 1-4 1-5+1");
    assert_seen(1, "hello 1-1 1-3+1 1-5+1");
    assert_int_equal(viewer_events(clients[0].viewer), 5);
    assert_closes(5 * 2, 2);
    assert_ring_empty();
}

static void one_that_has_fallen_off_the_ring_gets_it_in_the_gap(void **state) {
    (void)state;
    join_users(2, 1);
    client_room(&clients[0], 0);
    for (int i = 0; i < 2 * RING_FRAMES; i++) {
        show(0);
        rig_flush(&rig);
    }
    leave_out(ANN);
    show(1);
    rig_flush(&rig);
    open_up(0);
    assert_seen(0, "hello gap(1-1..1-10 10 slow)");
    assert_closes(10 * 2, 1);
}

// However slowly it reads, and whatever it posts: it is not what it posts that keeps frames in memory.
static void a_slow_author_is_owed_no_more_than_a_ring_holds(void **state) {
    (void)state;
    join_users(2, 1);
    client_room(&clients[0], 10); // into the first
    for (int i = 0; i < 10 * RING_FRAMES; i++) {
        show(0);
        rig_flush(&rig);
        leave_out(ANN);
        const struct pending *p = clients[0].viewer->pending;
        assert_true(!p || pending_left(p) <= RING_FRAMES);
    }
    show(1);
    rig_flush(&rig);
    open_up(0);
    assert_seen(0, "hello 1-1 gap(1-2..1-78 77 slow) 1-79 1-80 1-81+1");
    assert_closes(81 * 2, 40);
    assert_ring_empty();
}

// It has had what the others are still to be sent: no second gap goes back over that.
static void what_a_slow_author_loses_is_said_once(void **state) {
    (void)state;
    join_users(2, 1);
    client_room(&clients[0], 10); // into the first
    show(0);
    rig_flush(&rig);
    moved_clock.now_ms += 2000;
    rig_turns(&rig, 1);
    show(0);
    leave_out(ANN);
    assert_int_equal(channels_relieve(&rig.env, loop_now_ms(rig.loop), 1), 1);
    open_up(0);
    show(1);
    rig_flush(&rig);
    assert_seen(0, "hello 1-1 gap(1-2..1-3 2 slow) 1-4+1");
    assert_closes(4 * 2, 1);
    assert_ring_empty();
}

// So the gap tells of all that it has not had.
static void a_gap_reaches_back_over_what_was_left_out(void **state) {
    (void)state;
    join_users(1, 0);
    show(0);
    rig_flush(&rig);
    client_room(&clients[0], 0);
    for (int i = 0; i < 2 * RING_FRAMES; i++) {
        leave_out(0);
        show(1);
        rig_flush(&rig);
    }
    open_up(0);
    assert_seen(0, "hello 1-1 gap(1-2..1-17 16 slow)");
    assert_closes(17, 2 * RING_FRAMES);
}

static void first_frames_that_are_shared_come_before_it(void **state) {
    (void)state;
    struct replay *replay = replay_new(2);
    for (uint64_t seq = 1; seq <= 2; seq++) replay_add(replay, comment_frame(1, seq));
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *head = hello_frame();
    struct pending *p = pending_with(&head, 1);
    pending_add_replay(p, replay, 0);
    limited_send_room(sockets.server, 0);
    client_join_with(&rig, &clients[0], sockets, p);
    clients[0].viewer->watch.tag = ANN;
    rig.newest = 2;
    leave_out(ANN);
    open_up(0);
    assert_seen(0, "hello 1-1 1-2 1-3");
    assert_closes(3, 0);
}

static void one_that_leaves_before_it_came_has_left(void **state) {
    (void)state;
    join_users(1, 1);
    client_room(&clients[0], 0);
    leave_out(ANN);
    client_close(&clients[0]);
    rig_turns(&rig, 2);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_closes(1, 0);
}

static void what_was_left_out_is_said_though_the_comment_that_says_it_is_taken_out(void **state) {
    (void)state;
    join_users(2, 0);
    leave_out(0);
    leave_out(0);
    show(2);
    static const char body[] = "\"target\":\"1-3\"";
    channel_publish(
        &rig.channel,
        frame_of_entry(&(struct engine_entry){
            .at = pos(1, ++rig.newest), .kind = ENTRY_RETRACT, .body = body, .body_len = sizeof body - 1}));
    rig_flush(&rig);
    assert_all_seen(2, "hello more=1-3+2 retract=1-4");
    assert_closes(4 * 2, 2 * 2);
}

// As of an author under a shadow ban.
static void leave_out_private(void) {
    static const char json[] = "{\"id\":\"1-77\",\"userid\":\"ann\"}";
    struct frame *f = frame_of_event((struct position){0}, NULL, json, sizeof json - 1);
    f->is_private = true;
    channel_skip(&rig.channel, f, ANN, 0, loop_now_ms(rig.loop));
}

static void what_is_private_has_no_number_and_is_due_to_nobody(void **state) {
    (void)state;
    join_users(4, 2);
    show(0);
    rig_flush(&rig);
    client_room(&clients[0], 0);
    for (int i = 0; i < 2; i++) {
        leave_out_private();
        show(0);
        rig_flush(&rig);
    }
    open_up(0);
    for (int i = 0; i < 2; i++) assert_seen(i, "hello 1-1 1-77!id=1-1 1-2 1-77!id=1-2 1-3");
    for (int i = 2; i < 4; i++) assert_seen(i, "hello 1-1 1-2 1-3");
    assert_closes(3 * 4, 0);
    assert_ring_empty();
}

static void what_is_private_is_no_pair_where_a_viewer_gets_a_gap(void **state) {
    (void)state;
    join_users(1, 1);
    show(0);
    rig_flush(&rig);
    client_room(&clients[0], 0);
    for (int i = 0; i < 2 * RING_FRAMES; i++) {
        show(0);
        rig_flush(&rig);
    }
    leave_out_private();
    open_up(0);
    assert_closes(1 + 2 * RING_FRAMES, 0);
    assert_ring_empty();
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(only_the_authors_viewers_get_it_and_the_next_one_says_so_to_all),
        CASE(it_comes_after_what_waits_for_a_flush),
        CASE(it_comes_in_the_middle_of_a_flush_too),
        CASE(a_slow_author_gets_it_in_its_place),
        CASE(one_that_has_fallen_off_the_ring_gets_it_in_the_gap),
        CASE(a_slow_author_is_owed_no_more_than_a_ring_holds),
        CASE(what_a_slow_author_loses_is_said_once),
        CASE(a_gap_reaches_back_over_what_was_left_out),
        CASE(first_frames_that_are_shared_come_before_it),
        CASE(one_that_leaves_before_it_came_has_left),
        CASE(what_was_left_out_is_said_though_the_comment_that_says_it_is_taken_out),
        CASE(what_is_private_has_no_number_and_is_due_to_nobody),
        CASE(what_is_private_is_no_pair_where_a_viewer_gets_a_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
