// Viewers over a sink that is no socket, blocked by credit after every byte: what has been begun is ended
// before anything else.
#include "unit.h"

#include <stdlib.h>

#include "base/budget.h"
#include "channel_crowd.h"

enum { WIRE_AROUND = SCRAMBLED_HEAD }; // bytes of a record around its content

// Publishes one comment that leaves a viewer that has read nothing `left` bytes of credit.
static void use_credit_up_to(long left) {
    struct frame *empty = padded_frame(1, 1, 0), *hello = hello_frame();
    long used = (long)frame_piece(hello, SINK_CHUNKED).iov_len + WIRE_AROUND;
    long size = (long)frame_piece(empty, SINK_CHUNKED).iov_len + WIRE_AROUND;
    frame_unref(empty);
    frame_unref(hello);
    long padding = SCRAMBLED_CREDIT - used - size - left - 1; // the chunk's length has one digit more
    rig_publish(&rig, (size_t)padding);
    rig_flush(&rig);
}

static void assert_caught_up(const char *text) {
    client_read(&clients[0], SIZE_MAX);
    run_turns(rig.loop, 2); // takes the credit, and goes on
    assert_seen(0, text);
    assert_int_equal(rig.channel.viewers.ready, 1);
}

static void a_heartbeat_cut_anywhere_is_ended_before_a_comment(void **state) {
    (void)state;
    for (long left = 0; left <= 20; left++) {
        client_join(&rig, &clients[0]);
        use_credit_up_to(left);
        assert_int_equal(rig.channel.viewers.ready, 1);
        rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
        rig_publish(&rig, 5);
        rig_flush(&rig);
        assert_caught_up("hello 1-1 1-2");
        assert_int_equal(clients[0].seen.comments, left > 0);
        rig_send_run(&rig, 1, 5);
        assert_caught_up("hello 1-1 1-2 1-3");
        tear_down(state);
        set_up(state);
    }
}

// The socket is full after any byte of the record, so that the sink has begun it and taken nothing of the
// heartbeat; while nothing waits, and while the viewer is due to be sent a run.
static void a_heartbeat_after_a_fin_cut_anywhere_is_ended_before_a_comment(void **state) {
    (void)state;
    struct frame *beat = frame_of_heartbeat();
    long record = (long)frame_piece(beat, SINK_CHUNKED).iov_len + WIRE_AROUND;
    frame_unref(beat);
    for (int is_due = 0; is_due < 2; is_due++) {
        for (long cut = 0; cut <= record; cut++) {
            join_crowd(2);
            client_read(&clients[0], SIZE_MAX);
            for (int i = 0; is_due && i < 2; i++) rig_publish(&rig, 5);
            if (is_due)
                channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1); // the last is served first
            assert_int_equal(viewer_set_is_due(&rig.channel.viewers, clients[0].viewer), is_due);
            client_room(&clients[0], cut);
            shutdown(clients[0].fd, SHUT_WR);
            run_turns(rig.loop, 1);
            rig_flush(&rig);
            rig_send_run(&rig, is_due ? 1 : 3, 5);
            client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
            assert_all_seen(2, "hello 1-1 1-2 1-3");
            assert_int_equal(clients[0].seen.comments, cut > 0); // none into a full socket
            assert_int_equal(rig.channel.viewers.ready, 2);
            tear_down(state);
            set_up(state);
        }
    }
}

static void a_record_cut_anywhere_is_ended_before_a_gap(void **state) {
    (void)state;
    for (long left = 0; left < 120; left++) {
        client_join(&rig, &clients[0]);
        use_credit_up_to(left);
        for (int i = 0; i < 3; i++) rig_publish(&rig, 5);
        rig_flush(&rig); // these leave as one record
        rig_send_run(&rig, 9, 5);
        client_read(&clients[0], SIZE_MAX);
        run_turns(rig.loop, 2);
        const char *text = client_text(&clients[0]);
        // None of them, or all of them: they were sealed together.
        assert_true(!strcmp(text, "hello 1-1 gap(1-2..1-13 12 slow)") ||
                    !strcmp(text, "hello 1-1 1-2 1-3 1-4 gap(1-5..1-13 9 slow)"));
        assert_int_equal(strstr(text, "1-4 ") != NULL, left > 0);
        assert_int_equal(rig.channel.viewers.ready, 1);
        tear_down(state);
        set_up(state);
    }
}

static void a_backlog_given_up_ends_with_the_record_begun(void **state) {
    (void)state;
    for (long left = 0; left < 60; left += 3) {
        client_join(&rig, &clients[0]);
        use_credit_up_to(left);
        for (int i = 0; i < 3; i++) rig_publish(&rig, 5);
        rig_flush(&rig);
        run_later(rig.loop, 2000);
        assert_int_equal(channels_relieve(&rig.env, loop_now_ms(rig.loop), 10), 1);
        client_read(&clients[0], SIZE_MAX);
        run_turns(rig.loop, 2);
        assert_seen(0, left ? "hello 1-1 1-2 1-3 1-4" : "hello 1-1 gap(1-2..1-4 3 slow)");
        tear_down(state);
        set_up(state);
    }
}

static void it_is_closed_in_order_unless_a_record_is_begun(void **state) {
    (void)state;
    for (long left = 0; left < 20; left++) {
        client_join(&rig, &clients[0]);
        use_credit_up_to(left);
        rig_send_run(&rig, 1, 5);
        viewer_close(clients[0].viewer, FAN_END_CLIENT);
        client_read(&clients[0], SIZE_MAX);
        assert_true(clients[0].ended);
        assert_int_equal(clients[0].scrambled.closed, !left);
        tear_down(state);
        set_up(state);
    }
}

static void the_end_comes_after_all_and_closes_in_order(void **state) {
    (void)state;
    for (long left = 0; left < 20; left++) {
        client_join(&rig, &clients[0]);
        use_credit_up_to(left);
        channel_end(&rig.channel);
        rig_flush(&rig);
        client_read(&clients[0], SIZE_MAX);
        run_turns(rig.loop, 2);
        client_read(&clients[0], SIZE_MAX);
        assert_true(clients[0].ended && clients[0].scrambled.closed && clients[0].chunks.over);
        tear_down(state);
        set_up(state);
    }
}

static void its_state_counts_in_the_budget(void **state) {
    (void)state;
    size_t before = budget_used();
    client_join(&rig, &clients[0]);
    struct sink s = scrambled_sink((struct sink){.fd = -1}, 0);
    size_t own = sizeof(struct viewer) + sizeof(struct viewer *) + sizeof(struct viewer_transport);
    assert_int_equal(budget_used() - before, own + s.ops->state_bytes);
    free(s.state);
}

int main(void) {
    setenv("CHORUS_TEST_SINK", "scrambled", 1);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_heartbeat_cut_anywhere_is_ended_before_a_comment),
        TEST(a_heartbeat_after_a_fin_cut_anywhere_is_ended_before_a_comment),
        TEST(a_record_cut_anywhere_is_ended_before_a_gap),
        TEST(a_backlog_given_up_ends_with_the_record_begun),
        TEST(it_is_closed_in_order_unless_a_record_is_begun),
        TEST(the_end_comes_after_all_and_closes_in_order),
        TEST(its_state_counts_in_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
