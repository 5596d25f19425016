// Each case makes pairs of one kind, and names all numbers of the ledger: a counter that is left out, or
// counts in another place as well, shows as another number.
#include "unit.h"

#include "base/budget.h"
#include "channel_crowd.h"
#include "fanout/ledger.h"
#include "reader/entry_frame.h"
#include "reader/ledgers.h"

struct row {
    uint64_t due, delivered, retracted, slow, lost, left;
    int64_t waiting;
};

static void check_row(int line, struct row wanted) {
    uint64_t p[LEDGER_PARTS];
    rig_ledger(&rig, p);
    int64_t waiting = ledger_waiting(p);
    if (p[LEDGER_DUE] == wanted.due && p[LEDGER_DELIVERED] == wanted.delivered &&
        p[LEDGER_RETRACTED] == wanted.retracted && !p[LEDGER_SAMPLED] && p[LEDGER_SLOW] == wanted.slow &&
        p[LEDGER_LOST] == wanted.lost && p[LEDGER_LEFT] == wanted.left && waiting == wanted.waiting)
        return;
    fail_msg("line %d: due %ju, delivered %ju, retracted %ju, slow %ju, lost %ju, left %ju, waiting %jd",
             line, (uintmax_t)p[LEDGER_DUE], (uintmax_t)p[LEDGER_DELIVERED], (uintmax_t)p[LEDGER_RETRACTED],
             (uintmax_t)p[LEDGER_SLOW], (uintmax_t)p[LEDGER_LOST], (uintmax_t)p[LEDGER_LEFT],
             (intmax_t)waiting);
}

#define assert_row(...) check_row(__LINE__, (struct row){__VA_ARGS__})

static size_t size_of_comment(void) {
    struct frame *f = padded_frame(1, 1, 5);
    size_t len = frame_piece(f, test_framing()).iov_len;
    frame_unref(f);
    return len;
}

// Joins with a head and these frames; the socket takes `room` bytes.
static void join_behind(int i, struct frame *const *missed, uint32_t count, long room) {
    struct frame *first[8] = {hello_frame()};
    for (uint32_t n = 0; n < count; n++) first[1 + n] = missed[n];
    struct socket_pair sockets = socket_pair_open(SOCKETPAIR, 0);
    limited_send_room(sockets.server, room);
    client_join_with(&rig, &clients[i], sockets, pending_with(first, 1 + count));
}

static void a_comment_is_due_to_each_viewer_there_is(void **state) {
    (void)state;
    rig_send_run(&rig, 1, 5);
    assert_row(0);
    join_crowd(3);
    rig_publish(&rig, 5);
    assert_row(.due = 3, .waiting = 3);
    client_join(&rig, &clients[3]); // after it: no pair
    rig_publish(&rig, 5);
    assert_row(.due = 7, .waiting = 7);
    rig_flush(&rig);
    assert_row(.due = 7, .delivered = 7);
}

static void what_a_viewer_missed_is_due_when_it_comes(void **state) {
    (void)state;
    struct frame *missed[] = {comment_frame(1, 4), comment_frame(1, 5)};
    join_behind(0, missed, 2, 0);
    assert_row(.due = 2, .waiting = 2);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_row(.due = 2, .delivered = 2);
}

static void a_replay_counts_like_frames_of_its_own(void **state) {
    (void)state;
    struct replay *r = replay_new(4);
    replay_add(r, comment_frame(1, 1));
    for (uint64_t n = 2; n <= 4; n++) replay_add(r, comment_frame(1, n));
    struct frame *head = hello_frame();
    struct pending *p = pending_with(&head, 1);
    pending_add_replay(p, r, 1);
    client_join_with(&rig, &clients[0], socket_pair_open(SOCKETPAIR, 0), p);
    assert_row(.due = 3, .delivered = 3);
}

static void a_gap_that_a_viewer_begins_with_is_lost(void **state) {
    (void)state;
    struct frame *missed[] = {frame_of_gap(pos(1, 1), pos(1, 5), GAP_EXPIRED), comment_frame(1, 6)};
    join_behind(0, missed, 2, LIMITED_SEND_MOST);
    assert_row(.due = 6, .delivered = 1, .lost = 5);
    struct frame *unknown[] = {frame_of_gap(pos(1, 6), pos(2, 3), GAP_EPOCH)};
    join_behind(1, unknown, 1, LIMITED_SEND_MOST);
    assert_row(.due = 7, .delivered = 1, .lost = 6);
}

static void without_memory_for_what_a_viewer_missed_it_is_too_slow(void **state) {
    (void)state;
    struct frame *missed[] = {frame_of_gap(pos(1, 1), pos(1, 5), GAP_SLOW)};
    join_behind(0, missed, 1, LIMITED_SEND_MOST);
    assert_row(.due = 5, .slow = 5);
}

static void a_gap_that_all_get_is_lost_to_each(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[0], 0);
    rig_publish_frame(&rig, frame_of_gap(pos(1, 1), pos(1, 5), GAP_EXPIRED));
    rig_flush(&rig);
    assert_row(.due = 15, .lost = 14, .waiting = 1); // on its way to the slow one
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_row(.due = 15, .lost = 15);
    assert_int_equal(counter_get(&rig.counters.delivered), 3); // events, gaps among them
}

static void a_viewer_that_accepts_a_part_has_the_rest_to_come(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], (long)size_of_comment() + 1);
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    rig_flush(&rig);
    assert_row(.due = 4, .delivered = 3, .waiting = 1);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_row(.due = 4, .delivered = 4);
}

// It has begun the first; three follow it, and each further one pushes one out of the ring.
static void what_a_gap_replaces_was_too_slow(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 4, 5);
    assert_row(.due = 8, .delivered = 4, .waiting = 4);
    rig_send_run(&rig, 3, 5);
    assert_row(.due = 14, .delivered = 7, .waiting = 7);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello 1-1 gap(1-2..1-7 6 slow)");
    assert_row(.due = 14, .delivered = 8, .slow = 6);
}

static void a_message_without_a_number_counts_like_a_comment(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_publish_frame(&rig, foreign_frame("one"));
    rig_send_run(&rig, 7, 5);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_row(.due = 16, .delivered = 9, .slow = 7);
}

static void a_gap_begun_when_its_viewer_falls_off_is_lost(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_publish_frame(&rig, frame_of_gap(pos(1, 1), pos(1, 5), GAP_EXPIRED));
    rig.newest = 5;
    rig_send_run(&rig, 7, 5);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello gap(1-1..1-5 5 expired) gap(1-6..1-12 7 slow)");
    assert_row(.due = 24, .delivered = 7, .lost = 10, .slow = 7);
}

static void a_backlog_that_is_dropped_was_too_slow(void **state) {
    (void)state;
    struct frame *missed[] = {frame_of_gap(pos(1, 1), pos(1, 5), GAP_EXPIRED), comment_frame(1, 6),
                              comment_frame(1, 7), comment_frame(1, 8)};
    join_behind(0, missed, 4, 0);
    assert_row(.due = 8, .lost = 5, .waiting = 3);
    run_later(rig.loop, 1000);
    assert_int_equal(channels_relieve(&rig.env, loop_now_ms(rig.loop), 1), 1);
    assert_row(.due = 8, .lost = 5, .slow = 3);
    client_room_again(&rig, &clients[0], LIMITED_SEND_MOST);
    assert_seen(0, "hello gap(1-1..1-8 8 slow)");
    assert_row(.due = 8, .lost = 5, .slow = 3);
}

static void without_memory_all_that_waits_becomes_a_gap(void **state) {
    (void)state;
    join_crowd(2);
    budget_set(0);
    for (int i = 0; i < 3 * RING_FRAMES; i++) rig_publish(&rig, 5);
    budget_set(SIZE_MAX);
    rig_flush(&rig);
    rig_turns(&rig, 2);
    uint64_t p[LEDGER_PARTS];
    rig_ledger(&rig, p);
    assert_int_equal(p[LEDGER_DUE], 2 * 3 * RING_FRAMES);
    assert_true(p[LEDGER_SLOW] > 0);
    assert_int_equal(ledger_waiting(p), 0);
}

static void a_viewer_that_goes_leaves_what_it_was_not_sent(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[0], (long)size_of_comment() + 1);
    client_room(&clients[1], 0);
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    rig_flush(&rig);
    rig_publish(&rig, 5);
    assert_row(.due = 9, .delivered = 3, .waiting = 6);
    viewer_close(clients[0].viewer, FAN_END_CLIENT);
    assert_row(.due = 9, .delivered = 3, .left = 2, .waiting = 4);
    viewer_close(clients[1].viewer, FAN_END_ERROR);
    assert_row(.due = 9, .delivered = 3, .left = 5, .waiting = 1);
    viewer_close(clients[2].viewer, FAN_END_MOVED); // up to date, but for what was not flushed
    assert_row(.due = 9, .delivered = 3, .left = 6);
}

static void a_viewer_that_goes_in_a_flush_leaves_its_frames(void **state) {
    (void)state;
    join_crowd(3);
    limited_send_fail(clients[0].server_fd, ECONNRESET);
    rig_publish(&rig, 5);
    rig_publish(&rig, 5);
    channel_flush_some(&rig.channel, loop_now_ms(rig.loop), 1); // of the last one
    viewer_close(clients[1].viewer, FAN_END_CLIENT);            // due to be served
    rig_flush(&rig);
    assert_row(.due = 6, .delivered = 2, .left = 4);
}

static void a_viewer_that_goes_before_its_first_bytes_leaves_what_it_missed(void **state) {
    (void)state;
    struct frame *missed[] = {frame_of_gap(pos(1, 1), pos(1, 5), GAP_EXPIRED), comment_frame(1, 6),
                              comment_frame(1, 7)};
    join_behind(0, missed, 3, 0);
    rig_send_run(&rig, 1, 5);
    viewer_close(clients[0].viewer, FAN_END_CLIENT);
    assert_row(.due = 8, .lost = 5, .left = 3);
}

static void a_viewer_that_fell_off_and_goes_leaves_the_gap(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 7, 5);
    viewer_close(clients[0].viewer, FAN_END_CLIENT);
    assert_row(.due = 14, .delivered = 7, .left = 7);
}

static void a_slow_consumer_that_is_disconnected_was_too_slow(void **state) {
    (void)state;
    join_crowd(2);
    client_room(&clients[0], 10);
    rig_send_run(&rig, 3, 5);
    rig_sweep_later(&rig, RIG_STALL_MS);
    assert_int_equal(rig.channel.viewers.count, 1);
    assert_row(.due = 6, .delivered = 3, .slow = 3);
}

static struct frame *retraction(uint64_t seq, uint64_t of) {
    char body[32];
    int len = snprintf(body, sizeof body, "\"target\":\"1-%u\"", (unsigned)of);
    return frame_of_entry(&(struct engine_entry){
        .at = pos(1, seq), .kind = ENTRY_RETRACT, .body = body, .body_len = (size_t)len});
}

// The first has it, the second has begun it, the third has not; the fourth comes when it is gone.
static void what_is_taken_back_before_it_is_sent_is_retracted(void **state) {
    (void)state;
    join_crowd(3);
    client_room(&clients[1], 10);
    client_room(&clients[2], 0);
    rig_send_run(&rig, 1, 5);
    assert_row(.due = 3, .delivered = 1, .waiting = 2);
    rig_publish_frame(&rig, retraction(++rig.newest, 1));
    rig_flush(&rig);
    for (int i = 1; i < 3; i++) client_room_again(&rig, &clients[i], LIMITED_SEND_MOST);
    assert_row(.due = 6, .delivered = 5, .retracted = 1);
    struct frame *missed[] = {frame_of_number(pos(1, 1)), retraction(2, 1)};
    join_behind(3, missed, 2, LIMITED_SEND_MOST);
    assert_row(.due = 8, .delivered = 6, .retracted = 2);
}

static void what_is_taken_back_before_the_flush_is_retracted_for_all(void **state) {
    (void)state;
    join_crowd(2);
    rig_publish(&rig, 5);
    rig_publish_frame(&rig, retraction(++rig.newest, 1));
    rig_flush(&rig);
    assert_row(.due = 4, .delivered = 2, .retracted = 2);
}

static void what_is_no_comment_is_no_pair(void **state) {
    (void)state;
    rig.asks = 1;
    join_crowd(2);
    channel_publish_moment(&rig.channel, 1, foreign_frame("moment"));
    rig_sweep_later(&rig, RIG_HEARTBEAT_MS);
    client_room(&clients[0], 0);
    channel_publish_moment(&rig.channel, 1, foreign_frame("moment"));
    rig_flush(&rig);
    channel_end(&rig.channel);
    rig_flush(&rig);
    assert_row(0);
    channel_release(&rig.channel, FAN_END_STOPPING);
    channel_init(&rig.channel, &rig.env, &rig.ledger, NULL);
    assert_row(0);
}

static int tear_down_with_memory(void **state) {
    budget_set(SIZE_MAX);
    return tear_down(state);
}

#define LEDGER_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down_with_memory)

// What a viewer missed is due once a worker has it, which may be after its video was closed.
static void a_video_that_is_closed_before_its_viewers_are_counted_keeps_its_ledger(void **state) {
    (void)state;
    struct ledgers *all = ledgers_new(&rig.counters);
    struct ledger *l = ledgers_open(all, "v");
    ledgers_close(all, "v", l, true);
    ledger_add(l, LEDGER_DUE, 3);
    ledger_add(l, LEDGER_LEFT, 3);
    assert_ptr_equal(ledgers_open(all, "v"), l);
    ledgers_close(all, "v", l, false);
    assert_non_null(ledgers_find(all, "v"));
    ledgers_close(all, "w", ledgers_open(all, "w"), false); // had none
    assert_null(ledgers_find(all, "w"));
    ledgers_free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LEDGER_TEST(a_comment_is_due_to_each_viewer_there_is),
        LEDGER_TEST(what_a_viewer_missed_is_due_when_it_comes),
        LEDGER_TEST(a_replay_counts_like_frames_of_its_own),
        LEDGER_TEST(a_gap_that_a_viewer_begins_with_is_lost),
        LEDGER_TEST(without_memory_for_what_a_viewer_missed_it_is_too_slow),
        LEDGER_TEST(a_gap_that_all_get_is_lost_to_each),
        LEDGER_TEST(a_viewer_that_accepts_a_part_has_the_rest_to_come),
        LEDGER_TEST(what_a_gap_replaces_was_too_slow),
        LEDGER_TEST(a_message_without_a_number_counts_like_a_comment),
        LEDGER_TEST(a_gap_begun_when_its_viewer_falls_off_is_lost),
        LEDGER_TEST(a_backlog_that_is_dropped_was_too_slow),
        LEDGER_TEST(without_memory_all_that_waits_becomes_a_gap),
        LEDGER_TEST(a_viewer_that_goes_leaves_what_it_was_not_sent),
        LEDGER_TEST(a_viewer_that_goes_in_a_flush_leaves_its_frames),
        LEDGER_TEST(a_viewer_that_goes_before_its_first_bytes_leaves_what_it_missed),
        LEDGER_TEST(a_viewer_that_fell_off_and_goes_leaves_the_gap),
        LEDGER_TEST(a_slow_consumer_that_is_disconnected_was_too_slow),
        LEDGER_TEST(what_is_taken_back_before_it_is_sent_is_retracted),
        LEDGER_TEST(what_is_taken_back_before_the_flush_is_retracted_for_all),
        LEDGER_TEST(what_is_no_comment_is_no_pair),
        LEDGER_TEST(a_video_that_is_closed_before_its_viewers_are_counted_keeps_its_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
