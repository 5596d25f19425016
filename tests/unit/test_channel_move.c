// Viewers of a channel that leave for another reader, and what they are told about reconnecting.
#include "channel_crowd.h"

#include "base/budget.h"

enum { MOVE = 1 << 1 };

static int reports, moved;

static void on_closed(const struct channel *ch, struct fan_report *r) {
    (void)ch;
    reports++;
    moved += r->end == FAN_END_MOVED;
}

static int begin(void **state) {
    reports = moved = 0;
    set_up(state);
    rig.env.on_closed = on_closed;
    return 0;
}

static struct frame *move_frame(void) {
    static const char json[] = "{\"type\":\"move\",\"reader\":\"http://b\"}";
    return frame_of_event((struct position){0}, "move", json, sizeof json - 1);
}
#define MOVED "move={\"type\":\"move\",\"reader\":\"http://b\"}"

static void move(uint32_t count) {
    channel_move(&rig.channel, count, MOVE, move_frame(), loop_now_ms(rig.loop));
}

static void join(int i, uint8_t asks) {
    rig.asks = asks;
    client_join(&rig, &clients[i]);
}

static void expect_cut(int i, const char *text) {
    client_wait_for_end(&clients[i]);
    assert_seen(i, text);
    assert_int_equal(clients[i].chunks.over, false); // so that the client comes back
}

static void those_that_asked_are_told_and_the_others_are_cut(void **state) {
    (void)state;
    join(0, 0);
    join(1, MOVE);
    rig_send_run(&rig, 1, 5);
    move(UINT32_MAX);
    expect_cut(0, "hello 1-1");
    expect_cut(1, "hello 1-1 " MOVED);
    assert_int_equal(clients[0].seen.retry_ms, 250); // the same for all: they leave at a pace
    assert_int_equal(clients[1].seen.retry_ms, 0);
    assert_int_equal(reports, 2);
    assert_int_equal(moved, 2);
    assert_int_equal(rig.channel.viewers.count, 0);
    assert_int_equal(channel_report_left(&rig.channel), 2);
    assert_int_equal(counter_get(&rig.counters.moved), 2);
}

static void without_an_address_all_are_cut(void **state) {
    (void)state;
    join(0, MOVE);
    channel_move(&rig.channel, 1, MOVE, NULL, 0);
    expect_cut(0, "hello");
}

static void those_that_would_come_back_stay_if_they_may(void **state) {
    (void)state;
    uint8_t asks[] = {0, FAN_STAYS, 0, FAN_STAYS | MOVE};
    for (int i = 0; i < 4; i++) join(i, asks[i]);
    client_room(&clients[3], 10); // it lags
    rig_send_run(&rig, 1, 5);
    channel_move(&rig.channel, 4, MOVE | FAN_STAYS, move_frame(), loop_now_ms(rig.loop));
    expect_cut(0, "hello 1-1");
    expect_cut(2, "hello 1-1");
    assert_int_equal(rig.channel.viewers.count, 2);
    assert_int_equal(counter_get(&rig.counters.moved), 2);
    client_room_again(&rig, &clients[3], LIMITED_SEND_MOST);
    rig_send_run(&rig, 1, 5);
    assert_seen(1, "hello 1-1 1-2");
    assert_seen(3, "hello 1-1 1-2");
    move(2);
    expect_cut(1, "hello 1-1 1-2");
    expect_cut(3, "hello 1-1 1-2 " MOVED);
}

static void only_as_many_leave_and_those_that_are_up_to_date_first(void **state) {
    (void)state;
    join_crowd(4);
    client_room(&clients[3], 10); // it lags
    rig_send_run(&rig, 1, 5);
    move(3);
    assert_int_equal(rig.channel.viewers.count, 1);
    for (int i = 0; i < 3; i++) expect_cut(i, "hello 1-1");
    client_room_again(&rig, &clients[3], LIMITED_SEND_MOST);
    assert_seen(3, "hello 1-1");
    move(5);
    expect_cut(3, "hello 1-1");
    assert_int_equal(counter_get(&rig.counters.moved), 4);
}

static void one_that_leaves_is_not_told_twice(void **state) {
    (void)state;
    join(0, MOVE);
    join(1, 0);
    client_room(&clients[0], 0);
    move(1); // the last one that has become ready
    move(1);
    assert_int_equal(counter_get(&rig.counters.moved), 2);
    move(9);
    assert_int_equal(counter_get(&rig.counters.moved), 2);
    assert_int_equal(rig.channel.viewers.count, 1);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    expect_cut(0, "hello " MOVED);
}

// Whatever it has been sent of a comment, it gets the rest of it, and then nothing but the address.
static void a_comment_that_is_begun_is_ended(void **state) {
    (void)state;
    for (int room = 0; room < 60; room++) {
        join(0, MOVE);
        client_room(&clients[0], room);
        rig_send_run(&rig, 2, 5);
        move(1);
        rig_send_run(&rig, 1, 5);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        client_wait_for_end(&clients[0]);
        const char *text = client_text(&clients[0]), *end = strstr(text, MOVED);
        assert_non_null(end);
        assert_string_equal(end, MOVED);
        assert_true(chunk_reader_is_whole(&clients[0].chunks));
        client_close(&clients[0]);
        tear_down(NULL);
        begin(NULL);
    }
}

static void what_it_was_not_sent_is_accounted_for(void **state) {
    (void)state;
    uint64_t parts[LEDGER_PARTS];
    join(0, MOVE);
    join(1, 0);
    client_room(&clients[0], 20);
    rig_send_run(&rig, 3, 5);
    rig_publish(&rig, 5); // waits for a flush
    move(2);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    rig_flush(&rig);
    rig_ledger(&rig, parts);
    assert_int_equal(parts[LEDGER_DUE], 8);
    assert_int_equal(ledger_waiting(parts), 0);
    assert_true(parts[LEDGER_LEFT] >= 2);
}

static void one_may_leave_in_the_middle_of_a_flush(void **state) {
    (void)state;
    join_crowd(4);
    rig_publish(&rig, 5);
    channel_flush_some(&rig.channel, 0, 2);
    move(3);
    rig_flush(&rig);
    assert_int_equal(rig.channel.viewers.count, 1);
    unsigned seen = 0;
    for (int i = 0; i < 4; i++) seen += strstr(client_text(&clients[i]), "1-1") != NULL;
    assert_in_range(seen, 2, 3);
}

// Times to reconnect after

static void say_retry(uint32_t crowd_ms) {
    rig.env.crowd_ms = crowd_ms;
    rig.env.retries_round++;
    rig.env.retries_ms = loop_now_ms(rig.loop);
}

static long retry_of(int i) {
    client_read(&clients[i], SIZE_MAX);
    return clients[i].seen.retry_ms;
}

static void the_time_goes_with_the_next_heartbeat(void **state) {
    (void)state;
    join_crowd(2);
    say_retry(6000);
    limited_send_reset();
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS - RIG_HEARTBEAT_MS / 8 - 1);
    assert_int_equal(limited_send_calls(), 0);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS / 8 + 1);
    assert_int_equal(limited_send_calls(), 2);
    assert_in_range(retry_of(0), 4000, 10000);
    assert_in_range(retry_of(1), 4000, 10000);
    assert_all_seen(2, "hello"); // it is no event
    clients[0].seen.retry_ms = 0;
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS); // it is said once
    assert_int_equal(limited_send_calls(), 4);
    assert_int_equal(retry_of(0), 0);
}

static void comments_do_not_put_it_off(void **state) {
    (void)state;
    join_crowd(1);
    say_retry(6000);
    for (int i = 0; i < 4; i++) {
        rig_sweep_later(&rig, RIG_HEARTBEAT_MS / 8);
        rig_send_run(&rig, 1, 5);
    }
    rig_sweep_later(&rig, 250);
    assert_in_range(retry_of(0), 4000, 10000);
}

// Clients keep to it exactly.
static void viewers_of_a_crowd_are_told_different_times_and_nothing_is_kept(void **state) {
    (void)state;
    join_crowd(CROWD);
    size_t before = budget_used();
    say_retry(1000000000);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    assert_int_equal(budget_used(), before);
    for (int i = 0; i < CROWD; i++)
        for (int other = 0; other < i; other++) assert_int_not_equal(retry_of(i), retry_of(other));
}

static void a_time_may_be_cut_anywhere(void **state) {
    (void)state;
    enum { SHORTEST = sizeof "retry: 4000\n\n" - 1 };
    for (long room = 1; room < SHORTEST; room++) {
        client_join(&rig, &clients[0]);
        client_room(&clients[0], room);
        say_retry(5000);
        rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
        rig_send_run(&rig, 1, 5);
        client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
        assert_in_range(retry_of(0), 4000, 9000);
        assert_int_equal(clients[0].seen.count, 2);
        client_close(&clients[0]);
        rig_turns(&rig, 1);
    }
}

static void one_that_comes_later_has_been_told_at_its_beginning(void **state) {
    (void)state;
    say_retry(6000);
    join_crowd(1);
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    assert_int_equal(clients[0].seen.comments, 0);
    client_read(&clients[0], SIZE_MAX);
    assert_int_equal(clients[0].seen.comments, 1); // the usual heartbeat
    assert_int_equal(retry_of(0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, tear_down)
        TEST(those_that_asked_are_told_and_the_others_are_cut),
        TEST(without_an_address_all_are_cut),
        TEST(only_as_many_leave_and_those_that_are_up_to_date_first),
        TEST(those_that_would_come_back_stay_if_they_may),
        TEST(one_that_leaves_is_not_told_twice),
        TEST(a_comment_that_is_begun_is_ended),
        TEST(what_it_was_not_sent_is_accounted_for),
        TEST(one_may_leave_in_the_middle_of_a_flush),
        TEST(the_time_goes_with_the_next_heartbeat),
        TEST(comments_do_not_put_it_off),
        TEST(viewers_of_a_crowd_are_told_different_times_and_nothing_is_kept),
        TEST(a_time_may_be_cut_anywhere),
        TEST(one_that_comes_later_has_been_told_at_its_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
