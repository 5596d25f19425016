// Viewers that come back all at once: what they missed is shared, and sent in turn, behind live comments.
#include "unit.h"

#include "base/budget.h"
#include "base/clock.h"
#include "channel_crowd.h"

enum { MISSED = 1000, PADDING = 300, ONE_PORTION_MOST = 160000 };

static struct replay *missed(void) {
    struct replay *r = replay_new(MISSED);
    for (uint64_t seq = 1; seq <= MISSED; seq++) replay_add(r, padded_frame(1, seq, PADDING));
    rig.newest = MISSED;
    return r;
}

// Joins, having missed the replay from number `from` on.
static void come_back(int i, struct replay *r, uint32_t from) {
    struct frame *head = hello_frame();
    struct pending *p = pending_with(&head, 1);
    pending_add_replay(p, replay_ref(r), from);
    client_join_with(&rig, &clients[i], socket_pair_open(SOCKETPAIR, 4 << 20), p);
}

static unsigned send_behind(unsigned most) {
    return channels_send_behind(&rig.env, loop_now_ms(rig.loop), most);
}

static void live_comments_do_not_wait_for_what_others_missed(void **state) {
    (void)state;
    struct replay *r = missed();
    client_join(&rig, &clients[0]);
    for (int i = 1; i < CROWD; i++) come_back(i, r, 0);
    for (int i = 1; i < CROWD; i++) assert_seen(i, ""); // its turn has not come
    rig_publish(&rig, 5);
    rig_flush(&rig);
    assert_seen(0, "hello 1-1001");
    assert_int_equal(send_behind(1), 1);
    assert_int_equal(client_read(&clients[2], SIZE_MAX), 0);
    size_t portion = client_read(&clients[1], SIZE_MAX);
    assert_true(portion > 0 && portion < ONE_PORTION_MOST);
    rig_publish(&rig, 5);
    rig_flush(&rig);
    assert_seen(0, "hello 1-1001 1-1002");
    for (int i = 1; i < CROWD; i++) {
        client_drain(&rig, &clients[i], " 1-1001 1-1002");
        assert_int_equal(clients[i].seen.count, 1 + MISSED + 2);
    }
    assert_int_equal(counter_get(&rig.counters.gaps), 0);
    replay_unref(r);
}

static void those_that_are_behind_take_turns(void **state) {
    (void)state;
    struct replay *r = missed();
    come_back(0, r, 0);
    come_back(1, r, 0);
    limited_send_reset();
    for (unsigned turn = 1; turn <= 3; turn++) {
        assert_int_equal(send_behind(2), 2);
        assert_int_equal(limited_send_calls_to(clients[0].server_fd), turn);
        assert_int_equal(limited_send_calls_to(clients[1].server_fd), turn);
    }
    replay_unref(r);
}

// A full socket waits until it has room, and then for its turn.
static void one_that_accepts_no_more_has_no_turn(void **state) {
    (void)state;
    struct replay *r = missed();
    come_back(0, r, 0);
    client_room(&clients[0], 1000);
    assert_int_equal(send_behind(5), 1);
    assert_int_equal(send_behind(5), 0);
    assert_int_equal(counter_get(&rig.counters.slow), 1);
    client_read(&clients[0], SIZE_MAX);
    client_room(&clients[0], LIMITED_SEND_MOST);
    loop_fd_change(rig.loop, &clients[0].viewer->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    run_turns(rig.loop, 1);
    assert_int_equal(client_read(&clients[0], SIZE_MAX), 0);
    client_drain(&rig, &clients[0], " 1-1000");
    assert_int_equal(counter_get(&rig.counters.slow), 0);
    replay_unref(r);
}

static void what_they_missed_is_held_once_for_all(void **state) {
    (void)state;
    size_t before = budget_used();
    struct replay *r = missed();
    come_back(0, r, 0);
    size_t one = budget_used();
    for (int i = 1; i < CROWD; i++) come_back(i, r, (uint32_t)i * 100);
    size_t each = (budget_used() - one) / (CROWD - 1);
    assert_true(each < 512); // a viewer, and its head
    assert_int_equal(r->frames[MISSED - 1]->refs, 1);
    assert_int_equal(r->refs, CROWD + 1);
    replay_unref(r);
    for (int i = 0; i < CROWD; i++) {
        char rest[16];
        client_drain(&rig, &clients[i], " 1-1000");
        snprintf(rest, sizeof rest, "hello 1-%d ", i * 100 + 1);
        assert_memory_equal(client_text(&clients[i]), rest, strlen(rest));
    }
    for (int i = 0; i < CROWD; i++) client_close(&clients[i]);
    run_turns(rig.loop, 2);
    assert_int_equal(budget_used(), before);
}

// A viewer that is cut while it is behind leaves its turn, and its share.
static void one_that_leaves_while_it_is_behind_affects_no_other(void **state) {
    (void)state;
    struct replay *r = missed();
    for (int i = 0; i < 3; i++) come_back(i, r, 0);
    assert_int_equal(send_behind(2), 2);
    client_close(&clients[1]);
    run_turns(rig.loop, 2);
    assert_int_equal(r->refs, 3);
    client_drain(&rig, &clients[0], " 1-1000");
    client_drain(&rig, &clients[2], " 1-1000");
    replay_unref(r);
}

// Where memory is scarce, it gets a gap in place of what it shares.
static void one_that_accepts_nothing_gives_up_its_share(void **state) {
    (void)state;
    struct replay *r = missed();
    come_back(0, r, 0);
    client_room(&clients[0], (long)frame_piece(r->frames[0], test_framing()).iov_len);
    rig_turns(&rig, 2);
    run_later(rig.loop, 2000);
    assert_int_equal(channels_relieve(&rig.env, loop_now_ms(rig.loop), 10), 1);
    assert_int_equal(r->refs, 1);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    const char *text = client_text(&clients[0]), *gap = strstr(text, "gap(");
    assert_non_null(gap);
    assert_non_null(strstr(gap, "..1-1000 "));
    replay_unref(r);
}

// Otherwise a storm would make live comments wait for each other, as if there were too many of them.
static void what_it_costs_coalesces_no_comments(void **state) {
    (void)state;
    rig.env.bounds.coalesce_us = 250000;
    join_crowd(CROWD);
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1), FLUSH_UNFINISHED);
    moved_clock_work(20);
    rig.env.behind_us += 20000;
    assert_int_equal(channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 100), FLUSH_FINISHED);
    assert_true(channel_flush_due_us(&rig.channel) <= clock_monotonic_us());
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(live_comments_do_not_wait_for_what_others_missed),
        TEST(those_that_are_behind_take_turns),
        TEST(one_that_accepts_no_more_has_no_turn),
        TEST(what_they_missed_is_held_once_for_all),
        TEST(one_that_leaves_while_it_is_behind_affects_no_other),
        TEST(one_that_accepts_nothing_gives_up_its_share),
        TEST(what_it_costs_coalesces_no_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
