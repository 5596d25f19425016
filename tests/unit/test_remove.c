// What a retraction or a purge does to what viewers have not begun to receive.
#include "unit.h"

#include <stdio.h>

#include "channel_crowd.h"
#include "fanout/removal.h"
#include "reader/entry_frame.h"

static struct frame *said_by(uint64_t seq, const char *user) {
    char body[64];
    int len = snprintf(body, sizeof body, "\"userid\":\"%s\",\"comment\":\"x\"", user);
    return frame_of_entry(&(struct engine_entry){
        .at = pos(1, seq), .kind = ENTRY_COMMENT, .body = body, .body_len = (size_t)len});
}

static struct frame *retraction(uint64_t seq, uint64_t of) {
    char body[64];
    int len = snprintf(body, sizeof body, "\"target\":\"1-%d\",\"timestamp\":\"then\"", (int)of);
    return frame_of_entry(&(struct engine_entry){
        .at = pos(1, seq), .kind = ENTRY_RETRACT, .body = body, .body_len = (size_t)len});
}

static struct frame *purge(uint64_t seq, const char *user) {
    char body[64];
    int len = snprintf(body, sizeof body, "\"userid\":\"%s\",\"timestamp\":\"then\"", user);
    return frame_of_entry(&(struct engine_entry){
        .at = pos(1, seq), .kind = ENTRY_PURGE, .body = body, .body_len = (size_t)len});
}

static void publish_retraction(uint64_t of) {
    rig.newest++;
    channel_publish(&rig.channel, retraction(rig.newest, of));
}

static void open_all(int n) {
    for (int i = 0; i < n; i++) client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
    rig_flush(&rig);
    rig_turns(&rig, 2);
}

static void only_earlier_comments_are_meant(void **state) {
    (void)state;
    struct frame *by = retraction(9, 7), *of = purge(9, "ann"),
                 *frames[] = {comment_frame(1, 7), comment_frame(1, 8), comment_frame(2, 7),
                              said_by(6, "ann"),   said_by(5, "anna"),  said_by(10, "ann")};
    struct removal one = removal_of(by), user = removal_of(of);
    static const bool taken[][2] = {{true, false}, {false, false}, {false, false},
                                    {false, true}, {false, false}, {false, false}};
    for (int i = 0; i < 6; i++) {
        assert_int_equal(removal_takes(&one, frames[i]), taken[i][0]);
        assert_int_equal(removal_takes(&user, frames[i]), taken[i][1]);
        frame_unref(frames[i]);
    }
    frame_unref(by);
    frame_unref(of);
}

static void what_waits_for_a_flush_goes_out_as_a_number(void **state) {
    (void)state;
    join_crowd(CROWD);
    for (int i = 0; i < 3; i++) rig_publish(&rig, 10);
    publish_retraction(2);
    rig_flush(&rig);
    assert_all_seen(CROWD, "hello 1-1 number=1-2 1-3 retract=1-4");
    assert_ring_empty();
}

static void a_slow_viewer_gets_the_rest_of_what_it_has_begun_and_nothing_else(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[0], 30); // into the first
    client_room(&clients[1], 0);
    rig_publish(&rig, 100);
    rig_publish(&rig, 100);
    rig_flush(&rig);
    publish_retraction(1);
    publish_retraction(2);
    rig_flush(&rig);
    open_all(2);
    assert_seen(0, "hello 1-1 number=1-2 retract=1-3 retract=1-4");
    assert_seen(1, "hello number=1-1 number=1-2 retract=1-3 retract=1-4");
    assert_seen(2, "hello 1-1 1-2 retract=1-3 retract=1-4");
    assert_int_equal(counter_get(&rig.counters.delivered), 12);
    for (int i = 0; i < 3; i++) assert_int_equal(viewer_events(clients[i].viewer), 4);
    assert_ring_empty();
}

static void what_a_flush_is_sending_is_removed_when_that_ends(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[2], 0); // the first to be served
    rig_publish(&rig, 100);
    rig_publish(&rig, 100);
    assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1), FLUSH_UNFINISHED);
    publish_retraction(1);
    publish_retraction(2);
    rig_flush(&rig);
    open_all(3);
    assert_seen(0, "hello 1-1 1-2 retract=1-3 retract=1-4");
    assert_seen(1, "hello 1-1 1-2 retract=1-3 retract=1-4");
    assert_seen(2, "hello number=1-1 number=1-2 retract=1-3 retract=1-4");
}

static void viewers_that_share_a_replay_each_keep_what_they_have_begun(void **state) {
    (void)state;
    struct replay *replay = replay_new(3);
    for (uint64_t seq = 1; seq <= 3; seq++) replay_add(replay, padded_frame(1, seq, 100));
    for (int i = 0; i < 3; i++) {
        struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
        struct frame *head = hello_frame();
        struct pending *p = pending_with(&head, 1);
        pending_add_replay(p, replay_ref(replay), i == 2 ? 1 : 0);
        limited_send_room(sockets.server, i == 0 ? (long)frame_piece(head, test_framing()).iov_len + 30 : 0);
        client_join_with(&rig, &clients[i], sockets, p);
    }
    replay_unref(replay);
    rig.newest = 3;
    publish_retraction(1);
    channel_publish(&rig.channel, retraction(++rig.newest, 3));
    rig_flush(&rig);
    open_all(3);
    assert_seen(0, "hello 1-1 1-2 number=1-3 retract=1-4 retract=1-5");
    assert_seen(1, "hello number=1-1 1-2 number=1-3 retract=1-4 retract=1-5");
    assert_seen(2, "hello 1-2 number=1-3 retract=1-4 retract=1-5");
}

static void frames_of_its_own_are_removed_too(void **state) {
    (void)state;
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    struct frame *first[] = {hello_frame(), said_by(1, "ann"), said_by(2, "bob"), said_by(3, "ann")};
    limited_send_room(sockets.server, 0);
    client_join_with(&rig, &clients[0], sockets, pending_with(first, 4));
    rig.newest = 4;
    channel_publish(&rig.channel, purge(4, "ann"));
    rig_flush(&rig);
    open_all(1);
    assert_seen(0, "hello number=1-1 1-2 number=1-3 purge=1-4");
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_earlier_comments_are_meant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_waits_for_a_flush_goes_out_as_a_number, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_slow_viewer_gets_the_rest_of_what_it_has_begun_and_nothing_else,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_a_flush_is_sending_is_removed_when_that_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(viewers_that_share_a_replay_each_keep_what_they_have_begun, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(frames_of_its_own_are_removed_too, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
