#include "unit.h"

#include "base/budget.h"
#include "base/log.h"
#include "base/mem.h"
#include "dice.h"
#include "entries.h"
#include "fake_engine.h"
#include "fake_fanout.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"
#include "net/sink.h"
#include "not_inside.h"
#include "reader/broadcast.h"
#include "run_loop.h"

enum { PATIENCE_MS = 5000, SWEEP_MS = 250, BACKFILL_BATCH = 200, ARRIVAL_PATIENCE_MS = 3000 };

static struct loop *loop;
static struct fake_engine *engine;
static struct history_budget budget;
static struct fan_counters counters;
static struct ledger ledger = {.counters = &counters, .refs = 1};
static struct log_sampler sampler;
static struct broadcast_env env;
static struct broadcast the_broadcast, *broadcast; // NULL: closed

// A viewer; its number takes the place of its socket.
struct guest {
    struct join_request join; // first
    int number;
    bool whole;       // it asked for everything
    const char *user; // NULL: none
    bool joined, given_up;
    uint64_t least; // how many comments there were when it arrived
};

enum { GUESTS_MAX = 4000 };
static struct guest guests[GUESTS_MAX];
static int guest_count;

static struct frame *first_event(struct position start) {
    char id[POSITION_TEXT_SIZE], text[80];
    position_format(start, id);
    int len = snprintf(text, sizeof text, "data: from:%s\n\n", id);
    return frame_of_bytes(text, (size_t)len, (struct position){0});
}

static void on_joined(struct join_request *j, struct broadcast *s, struct position start,
                      struct pending *frames) {
    struct guest *g = (struct guest *)j;
    assert_not_inside();
    assert_false(g->joined || g->given_up); // once
    g->joined = frames != NULL;
    g->given_up = !frames;
    if (!frames) return;
    pending_set_head(frames, first_event(start));
    assert_ptr_equal(s, broadcast);
    struct sink sink = {.fd = g->number,
                        .worker = SINK_ANY_WORKER,
                        .user = g->user ? outlet_user(g->user, strlen(g->user)) : 0};
    assert_true(broadcast_add(s, &sink, 0, g->whole, frames));
}

// Joins, having seen everything up to `last`; returns its number. The turn goes on.
static int join_in_this_turn(uint64_t epoch, uint64_t seq) {
    assert_true(guest_count < GUESTS_MAX);
    struct guest *g = &guests[guest_count];
    *g = (struct guest){.join = {.last = pos(epoch, seq),
                                 .deadline_ms = loop_now_ms(loop) + PATIENCE_MS,
                                 .on_joined = on_joined},
                        .number = guest_count};
    INSIDE(broadcast_join(broadcast, &g->join));
    return guest_count++;
}

static int join(uint64_t epoch, uint64_t seq) {
    int number = join_in_this_turn(epoch, seq);
    loop_drain(loop);
    return number;
}

static int join_live(void) {
    return join(0, 0);
}

static int join_whole(void) {
    int number = join_in_this_turn(0, 0);
    guests[number].whole = true;
    loop_drain(loop);
    return number;
}

static int join_as(const char *user) {
    int number = join_in_this_turn(0, 0);
    guests[number].user = user;
    loop_drain(loop);
    return number;
}

static struct engine_entry said_by(uint64_t seq, const char *user) {
    static char body[64];
    struct engine_entry e = comment_at(1, seq);
    e.body = body;
    e.body_len = (size_t)snprintf(body, sizeof body, "\"userid\":\"%s\"", user);
    return e;
}

// Arrives, to see the newest comments first.
static int arrive(uint32_t history) {
    int number = join_in_this_turn(0, 0);
    guests[number].join.history = history;
    guests[number].join.patience_ms = loop_now_ms(loop) + ARRIVAL_PATIENCE_MS;
    loop_drain(loop);
    return number;
}

static void open_broadcast(void) {
    env = (struct broadcast_env){.loop = loop,
                                 .engine = fake_engine(engine),
                                 .counters = &counters,
                                 .budget = &budget,
                                 .instance_id = "reader-1",
                                 .sampler = &sampler};
    broadcast_env_init(&env);
    broadcast = &the_broadcast;
    broadcast_open(broadcast, &env, FAKE_VIDEO, &ledger);
}

static void close_broadcast(void) {
    if (broadcast) broadcast_close(broadcast);
    broadcast = NULL;
}

static int set_up(void **state) {
    (void)state;
    loop = loop_new();
    engine = fake_engine_new();
    budget = (struct history_budget){.max = 64 << 20};
    guest_count = 0;
    open_broadcast();
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    close_broadcast();
    fake_engine_free(engine);
    loop_free(loop);
    return budget.bytes || fake_fanout_videos() || counter_get(&counters.viewers) || env.queues ||
           env.idle_entries;
}

static void sweep_later(int64_t ms) {
    run_later(loop, ms);
    broadcast_sweep(&env);
}

// Answers the feed's first query.
static void go_live(void) {
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 3);
    assert_int_equal(fake_waiting(engine), 0);
}

// Live with a log of 1-1 to 1-`seq`, written before the stream was opened.
static void go_live_at(uint64_t seq) {
    fake_log_run(engine, 1, 1, seq);
    if (!seq) fake_set_head(engine, pos(1, 0));
    go_live();
}

static void assert_given(int number, const char *text) {
    assert_string_equal(fake_fanout_text(number), text);
}

static void assert_exact_after(const char *text, uint64_t from, uint64_t to) {
    char wanted[32];
    const char *at = strchr(text, ')');
    for (uint64_t seq = from + 1; seq <= to; seq++) {
        int len = snprintf(wanted, sizeof wanted, " 1-%u", (unsigned)seq);
        assert_non_null(at = strchr(at, ' '));
        assert_memory_equal(at++, wanted, (size_t)len);
    }
    assert_null(strchr(at, ' '));
}

static int joined_count;

static void count_joined(struct join_request *j, struct broadcast *s, struct position start,
                         struct pending *frames) {
    (void)j, (void)s, (void)start;
    joined_count++;
    if (!frames) return;
    pending_free(frames);
}

static void go_live_all(int streams) {
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 2 * (unsigned)streams);
    assert_int_equal(fake_waiting(engine), 0);
}

static void assert_waits(int number) {
    assert_false(guests[number].joined || guests[number].given_up);
}

static void assert_waiting_for_range(uint64_t epoch, uint64_t seq) {
    assert_int_equal(fake_waiting(engine), 1);
    assert_int_equal(fake_query(engine, 0).kind, FAKE_RANGE);
    assert_int_equal(fake_query(engine, 0).after.epoch, epoch);
    assert_int_equal(fake_query(engine, 0).after.seq, seq);
}

// Joining live

static void a_viewer_that_joins_before_the_feed_is_live_waits_and_misses_nothing(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 7);
    int a = join_live();
    assert_waits(a);
    assert_null(broadcast_idle_for(&env, 0)); // it has a viewer
    fake_notify_subscribed(engine);
    fake_take_effect(engine);
    fake_append_run(engine, 1, 8, 8);
    assert_waits(a);
    fake_answer(engine, 0);
    assert_given(a, "from:1-7");
    fake_answer_all(engine, 3);
    assert_given(a, "from:1-7 1-8");
}

static void a_viewer_that_joins_live_gets_what_is_published_from_then_on(void **state) {
    (void)state;
    go_live_at(7);
    int a = join_live();
    fake_append_run(engine, 1, 8, 9);
    int b = join_live();
    fake_append_run(engine, 1, 10, 10);
    fake_append(engine, comment_after(2, 1, pos(1, 10)));
    fake_publish(engine, foreign_message("{\"n\":1}"));
    assert_given(a, "from:1-7 1-8 1-9 1-10 2-1 {\"n\":1}");
    assert_given(b, "from:1-9 1-10 2-1 {\"n\":1}");
    assert_int_equal(broadcast_viewers(broadcast), 2);
    assert_int_equal(fake_waiting(engine), 0); // the log was not needed
}

static void a_video_without_a_comment_starts_at_0(void **state) {
    (void)state;
    go_live_at(0);
    int a = join_live();
    assert_given(a, "from:1-0");
    int b = join(1, 0);
    assert_given(b, "from:1-0");
    assert_int_equal(fake_waiting(engine), 0);
}

// Resuming from the history

static void a_viewer_that_reconnects_gets_what_it_missed_from_the_history(void **state) {
    (void)state;
    go_live_at(7);
    fake_append_run(engine, 1, 8, 10);
    assert_given(join(1, 7), "from:1-7 1-8 1-9 1-10");
    assert_given(join(1, 9), "from:1-9 1-10");
    assert_given(join(1, 10), "from:1-10");
    assert_int_equal(fake_waiting(engine), 0);
    fake_append_run(engine, 1, 11, 11);
    assert_given(0, "from:1-7 1-8 1-9 1-10 1-11");
    assert_given(1, "from:1-9 1-10 1-11");
    assert_given(2, "from:1-10 1-11");
}

static void a_viewer_that_reconnects_in_a_later_epoch_continues(void **state) {
    (void)state;
    go_live_at(7);
    fake_append(engine, comment_after(2, 1, pos(1, 7)));
    fake_append_run(engine, 2, 2, 2);
    assert_given(join(1, 7), "from:1-7 2-1 2-2");
}

static void a_gap_of_the_feed_is_history_too(void **state) {
    (void)state;
    go_live_at(7);
    fake_append(engine, comment_after(2, 1, pos(1, 5))); // 1-6 and 1-7 are lost
    fake_answer_all(engine, 10);
    assert_given(join(1, 7), "from:1-7 gap(1-8..2-0 null epoch) 2-1");
    assert_given(join(2, 0), "from:2-0 2-1");
}

static void a_message_without_number_is_not_given_to_viewers_that_resume(void **state) {
    (void)state;
    go_live_at(7);
    fake_append_run(engine, 1, 8, 8);
    fake_publish(engine, foreign_message("{\"foreign\":1}"));
    fake_append_run(engine, 1, 9, 9);
    assert_given(join(1, 8), "from:1-8 1-9"); // it may have seen it
    assert_given(join(1, 7), "from:1-7 1-8 1-9");
    fake_publish(engine, foreign_message("{\"foreign\":2}"));
    assert_given(join(1, 9), "from:1-9");
}

static void history_starts_again_where_the_store_has_gone_back(void **state) {
    (void)state;
    fake_log_run(engine, 5, 1, 7);
    go_live();
    fake_append_run(engine, 5, 8, 8);
    fake_lose(engine, pos(0, 0));
    fake_append_run(engine, 3, 1, 2);
    fake_answer_all(engine, 10);
    int a = join(5, 8), b = join(3, 1);
    fake_answer_all(engine, 10);
    assert_given(a, "from:5-8 gap(5-9..3-0 null epoch) 3-1 3-2 gap(3-3..6-1 null epoch)");
    assert_given(b, "from:3-1 3-2 gap(3-3..6-1 null epoch)");
}

static void a_viewer_that_resumes_before_the_feed_is_live_is_served_once_it_is(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 7);
    int a = join(1, 7), b = join(1, 5), c = join_live();
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_given(a, "from:1-7");
    assert_given(c, "from:1-7");
    assert_waiting_for_range(1, 5);
    fake_answer(engine, 0);
    assert_given(b, "from:1-5 1-6 1-7");
}

// Resuming from the log

static void what_the_history_lacks_is_read_from_the_log(void **state) {
    (void)state;
    go_live_at(7);
    int a = join(1, 4);
    assert_waits(a);
    assert_waiting_for_range(1, 4);
    fake_answer(engine, 0);
    assert_given(a, "from:1-4 1-5 1-6 1-7");
    fake_append_run(engine, 1, 8, 8);
    assert_given(a, "from:1-4 1-5 1-6 1-7 1-8");
}

static void one_backfill_serves_many(void **state) {
    (void)state;
    go_live_at(7);
    for (int i = 0; i < 50; i++) join(1, 2 + (uint64_t)i % 5);
    assert_int_equal(fake_waiting(engine), 1);
    // The first one asked from where it stood; the rest takes one more reading, from the oldest.
    fake_answer_all(engine, 10);
    assert_int_equal(fake_asked(engine), 2); // the head, and one range
    for (int i = 0; i < 50; i++) assert_true(guests[i].joined);
    assert_given(0, "from:1-2 1-3 1-4 1-5 1-6 1-7");
    assert_given(1, "from:1-3 1-4 1-5 1-6 1-7");
    assert_given(4, "from:1-6 1-7");
}

static int guests_joined(void) {
    int joined = 0;
    for (int i = 0; i < guest_count; i++) joined += guests[i].joined;
    return joined;
}

// The loop has other things to do in between, such as publishing.
static void a_storm_is_served_in_portions_from_one_reading(void **state) {
    (void)state;
    enum { STORM = 500, AT_ONCE = 64 };
    go_live_at(90);
    for (int i = 0; i < STORM; i++) join(1, 10);
    assert_int_equal(fake_waiting(engine), 1);
    fake_answer_all(engine, 10);
    assert_int_equal(guests_joined(), AT_ONCE);
    fake_append_run(engine, 1, 91, 91);
    for (int joined = 2 * AT_ONCE; joined < STORM; joined += AT_ONCE) {
        run_later(loop, 1);
        assert_int_equal(guests_joined(), joined);
    }
    run_later(loop, 1);
    assert_int_equal(guests_joined(), STORM);
    assert_int_equal(fake_asked(engine), 2); // the head, and one range
    char wanted[1024] = "from:1-10";
    for (unsigned seq = 11; seq <= 91; seq++)
        snprintf(wanted + strlen(wanted), sizeof wanted - strlen(wanted), " 1-%u", seq);
    for (int i = 0; i < STORM; i++) assert_given(i, wanted);
}

static void assert_given_run(int number, unsigned from, unsigned to) {
    char wanted[16384];
    int len = snprintf(wanted, sizeof wanted, "from:1-%u", from);
    while (from < to) len += snprintf(wanted + len, sizeof wanted - (size_t)len, " 1-%u", ++from);
    assert_given(number, wanted);
}

// Each reads on until it meets what another has read.
static void overlapping_ranges_are_read_once(void **state) {
    (void)state;
    enum { NEWEST = 5 * BACKFILL_BATCH };
    go_live_at(NEWEST);
    int a = join(1, 3 * BACKFILL_BATCH);
    assert_int_equal(fake_answer_all(engine, 100), 2);
    int b = join(1, 2 * BACKFILL_BATCH);
    assert_int_equal(fake_answer_all(engine, 100), 1);
    int c = join(1, BACKFILL_BATCH / 2);
    assert_int_equal(fake_answer_all(engine, 100), 2);
    assert_given_run(a, 3 * BACKFILL_BATCH, NEWEST);
    assert_given_run(b, 2 * BACKFILL_BATCH, NEWEST);
    assert_given_run(c, BACKFILL_BATCH / 2, NEWEST);
}

static void closed_while_a_storm_is_served(void **state) {
    (void)state;
    go_live_at(90);
    for (int i = 0; i < 200; i++) join(1, 10);
    fake_answer_all(engine, 10);
    close_broadcast();
    assert_int_equal(env.serve_more.slot, 0);
    for (int i = 0; i < 200; i++) assert_true(guests[i].joined || guests[i].given_up);
}

static void a_second_backfill_reaches_further_back_for_all_that_wait(void **state) {
    (void)state;
    go_live_at(9);
    int a = join(1, 6), b = join(1, 3), c = join(1, 2), d = join(1, 4);
    assert_waiting_for_range(1, 6);
    fake_answer(engine, 0);
    assert_given(a, "from:1-6 1-7 1-8 1-9");
    assert_waiting_for_range(1, 2); // the oldest
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 0);
    assert_given(b, "from:1-3 1-4 1-5 1-6 1-7 1-8 1-9");
    assert_given(c, "from:1-2 1-3 1-4 1-5 1-6 1-7 1-8 1-9");
    assert_given(d, "from:1-4 1-5 1-6 1-7 1-8 1-9");
    assert_given(join(1, 2), "from:1-2 1-3 1-4 1-5 1-6 1-7 1-8 1-9"); // remembered
}

static void what_is_published_while_the_log_is_read_is_neither_lost_nor_doubled(void **state) {
    (void)state;
    go_live_at(7);
    int a = join(1, 4);
    fake_append_run(engine, 1, 8, 8); // the answer holds it
    fake_take_effect(engine);
    fake_append_run(engine, 1, 9, 10); // and these not
    fake_answer(engine, 0);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-4 1-5 1-6 1-7 1-8 1-9 1-10");
    fake_append_run(engine, 1, 11, 11);
    assert_given(a, "from:1-4 1-5 1-6 1-7 1-8 1-9 1-10 1-11");
    assert_given(join(1, 4), "from:1-4 1-5 1-6 1-7 1-8 1-9 1-10 1-11");
}

static void a_long_absence_is_read_in_pieces(void **state) {
    (void)state;
    enum { MISSED = 10 * BACKFILL_BATCH + 10 }; // more than the history holds
    char last[32];
    go_live_at(MISSED);
    int a = join(1, 0);
    assert_int_equal(fake_answer_all(engine, 100), 11);
    assert_int_equal(fake_waiting(engine), 0);
    assert_true(guests[a].joined);
    const char *text = fake_fanout_text(a);
    assert_memory_equal(text, "from:1-0 1-1 1-2 1-3 ", 21);
    snprintf(last, sizeof last, " 1-%d", MISSED);
    assert_string_equal(strrchr(text, ' '), last);
    unsigned shown = 0;
    for (const char *at = text; (at = strchr(at, ' ')); at++) shown++;
    assert_int_equal(shown, MISSED);
}

#define NOTICE(missed, reason)                                                                               \
    "{\"kind\":\"gap\",\"video\":\"" FAKE_VIDEO "\",\"missed\":" missed ",\"reason\":\"" reason "\"}"

static void a_gap_of_the_feed_is_announced_even_if_it_is_a_single_number(void **state) {
    (void)state;
    go_live_at(7);
    int a = join_live();
    fake_log_run(engine, 1, 8, 8);
    fake_expire(engine, pos(1, 8));
    fake_append(engine, comment_at(1, 9));
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-7 gap(1-8..1-8 1 expired) 1-9");
    assert_string_equal(fake_notified(engine), NOTICE("1", "expired"));
}

static void what_the_store_lost_within_an_epoch_is_announced_without_a_number(void **state) {
    (void)state;
    go_live_at(5);
    int a = join_live();
    fake_append_run(engine, 1, 6, 9);
    fake_lose(engine, pos(1, 7));
    fake_append_run(engine, 1, 8, 8); // the number of another comment before
    fake_answer_all(engine, 1);
    assert_given(a, "from:1-5 1-6 1-7 1-8 1-9 gap(1-10..1-7 null epoch)");
    assert_string_equal(fake_notified(engine), NOTICE("null", "epoch"));
}

static void what_has_expired_is_a_gap(void **state) {
    (void)state;
    go_live_at(9);
    fake_expire(engine, pos(1, 6));
    int a = join(1, 4), b = join(1, 6);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-4 gap(1-5..1-6 2 expired) 1-7 1-8 1-9");
    assert_given(b, "from:1-6 1-7 1-8 1-9");
}

static void if_all_has_expired_the_gap_reaches_up_to_now(void **state) {
    (void)state;
    go_live_at(9);
    fake_expire(engine, pos(1, 9));
    int a = join(1, 4);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-4 gap(1-5..1-9 5 expired)");
    fake_append_run(engine, 1, 10, 10);
    assert_given(a, "from:1-4 gap(1-5..1-9 5 expired) 1-10");
}

static void a_number_of_an_older_epoch_that_is_gone_is_a_gap(void **state) {
    (void)state;
    fake_log_run(engine, 5, 1, 3);
    go_live();
    int a = join(4, 17);
    fake_answer_all(engine, 10);
    assert_given(a, "from:4-17 gap(4-18..5-0 null epoch) 5-1 5-2 5-3");
}

static void a_viewer_at_a_tombstone_resumes(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 5);
    fake_log(engine, tombstone_at(1, 6));
    go_live();
    int a = join_live();
    assert_given(a, "from:1-6");
    fake_append_run(engine, 1, 7, 7);
    fake_append(engine, tombstone_at(1, 8));
    fake_append_run(engine, 1, 9, 9);
    int b = join(1, 6), c = join(1, 8);
    fake_answer_all(engine, 10);
    assert_given(b, "from:1-6 1-7 1-9");
    assert_given(c, "from:1-8 1-9");
}

static void what_is_read_for_one_never_shortens_what_others_can_have(void **state) {
    (void)state;
    go_live_at(3);
    fake_append_run(engine, 1, 4, 4);
    fake_append(engine, tombstone_at(1, 5));
    fake_append_run(engine, 1, 6, 9);
    join(1, 5); // the history has no frame that ends there: read from the log
    fake_answer_all(engine, 10);
    assert_given(0, "from:1-5 1-6 1-7 1-8 1-9");
    assert_given(join(1, 3), "from:1-3 1-4 1-6 1-7 1-8 1-9"); // still from the history
}

// The newest comments

static void assert_waiting_for_newest(uint64_t epoch, uint64_t before, size_t limit) {
    assert_int_equal(fake_waiting(engine), 1);
    assert_int_equal(fake_query(engine, 0).kind, FAKE_BEFORE);
    assert_int_equal(fake_query(engine, 0).before.epoch, epoch);
    assert_int_equal(fake_query(engine, 0).before.seq, before);
    assert_int_equal(fake_query(engine, 0).limit, limit);
}

static void a_viewer_that_arrives_sees_the_newest_comments(void **state) {
    (void)state;
    go_live_at(9);
    int a = arrive(3);
    assert_waiting_for_newest(1, 10, 3);
    fake_answer(engine, 0);
    assert_given(a, "from:1-6 1-7 1-8 1-9");
    fake_append_run(engine, 1, 10, 10);
    assert_given(a, "from:1-6 1-7 1-8 1-9 1-10");
    assert_int_equal(fake_waiting(engine), 0); // one query was enough
}

static void of_fewer_comments_it_sees_all(void **state) {
    (void)state;
    go_live_at(0);
    int none = arrive(3);
    fake_answer_all(engine, 10);
    assert_given(none, "from:1-0");
    fake_append_run(engine, 1, 1, 2);
    assert_given(arrive(3), "from:1-0 1-1 1-2");
    assert_given(arrive(1000), "from:1-0 1-1 1-2");
    assert_given(none, "from:1-0 1-1 1-2");
    assert_int_equal(fake_waiting(engine), 0);
}

static void one_query_serves_all_that_arrive(void **state) {
    (void)state;
    enum { MANY = 100 };
    go_live_at(9);
    unsigned asked = fake_asked(engine);
    int many[MANY];
    for (int i = 0; i < MANY; i++) many[i] = arrive(i % 2 ? 4 : 2);
    fake_answer_all(engine, 10);
    for (int i = 0; i < MANY; i++)
        assert_given(many[i], i % 2 ? "from:1-5 1-6 1-7 1-8 1-9" : "from:1-7 1-8 1-9");
    assert_int_equal(fake_asked(engine) - asked, 2); // for the first, and for the most that others asked for
    fake_append_run(engine, 1, 10, 10);
    for (int i = 0; i < MANY; i++) assert_given(arrive(2), "from:1-8 1-9 1-10");
    assert_int_equal(fake_asked(engine) - asked, 2);
    int more = arrive(6);
    fake_answer_all(engine, 10);
    assert_given(more, "from:1-4 1-5 1-6 1-7 1-8 1-9 1-10");
    assert_int_equal(fake_asked(engine) - asked, 3);
}

static const struct replay *given_replay;

static void note_replay(struct join_request *j, struct broadcast *s, struct position start,
                        struct pending *frames) {
    (void)j, (void)s, (void)start;
    given_replay = frames->replay;
    pending_free(frames);
}

static const struct replay *replay_given_to(struct join_request j) {
    j.on_joined = note_replay;
    j.deadline_ms = INT64_MAX;
    given_replay = NULL;
    broadcast_join(broadcast, &j);
    loop_drain(loop);
    return given_replay;
}

// Whatever each of them is to be shown: a place in one run, until the next comment.
static void those_that_arrive_and_those_that_resume_share_one_run(void **state) {
    (void)state;
    go_live_at(100);
    arrive(90);
    fake_answer_all(engine, 10);
    const struct replay *r = replay_given_to((struct join_request){.history = 50});
    assert_non_null(r);
    assert_ptr_equal(replay_given_to((struct join_request){.history = 90}), r);
    assert_ptr_equal(replay_given_to((struct join_request){.last = pos(1, 40)}), r);
    assert_int_equal(r->refs, 1);
}

static void those_that_wait_for_the_feed_share_the_largest_query(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 9);
    int a = arrive(2), b = arrive(4), c = join_live();
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_given(c, "from:1-9");
    assert_waiting_for_newest(1, 10, 4);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-7 1-8 1-9");
    assert_given(b, "from:1-5 1-6 1-7 1-8 1-9");
}

static void what_has_expired_is_not_shown(void **state) {
    (void)state;
    go_live_at(9);
    int a = arrive(9);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-0 1-1 1-2 1-3 1-4 1-5 1-6 1-7 1-8 1-9");
    fake_expire(engine, pos(1, 6));
    unsigned asked = fake_asked(engine);
    run_later(loop, HISTORY_CHECKED_MS);
    arrive(9);
    assert_int_equal(fake_asked(engine), asked); // read lately
    run_later(loop, 1);
    int b = arrive(9), c = arrive(2);
    assert_int_equal(fake_asked(engine), asked + 1);
    fake_answer_all(engine, 10);
    assert_given(b, "from:1-6 1-7 1-8 1-9");
    assert_given(c, "from:1-7 1-8 1-9");
    assert_given(arrive(1000), "from:1-6 1-7 1-8 1-9");
    assert_given(join(1, 3), "from:1-3 1-4 1-5 1-6 1-7 1-8 1-9"); // but to those that missed it
    assert_int_equal(fake_asked(engine), asked + 1);
}

static void only_comments_count(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 5);
    fake_log(engine, tombstone_at(1, 6));
    fake_log_run(engine, 1, 7, 7);
    go_live();
    int a = arrive(3);
    assert_waiting_for_newest(1, 8, 3);
    fake_answer(engine, 0);
    assert_waiting_for_newest(1, 5, BACKFILL_BATCH);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-3 1-4 1-5 1-7");
    fake_append(engine, tombstone_at(1, 8));
    assert_given(arrive(3), "from:1-3 1-4 1-5 1-7");
    assert_given(arrive(1), "from:1-5 1-7");
    assert_int_equal(fake_waiting(engine), 0);
}

static void entries_that_are_no_comments_are_passed_over_up_to_a_bound(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 5);
    for (uint64_t seq = 6; seq <= 2000; seq++) fake_log(engine, tombstone_at(1, seq));
    go_live();
    int a = arrive(3);
    unsigned asked = fake_answer_all(engine, 200);
    assert_in_range(asked, 2, 4); // beyond 203 no more
    assert_given(a, "from:1-2000");
}

static void many_comments_are_read_in_pieces(void **state) {
    (void)state;
    go_live_at(1000);
    int a = arrive(2 * BACKFILL_BATCH + 50);
    assert_int_equal(fake_answer_all(engine, 100), 6);
    const char *text = fake_fanout_text(a);
    assert_memory_equal(text, "from:1-550 1-551 1-552 ", 23);
    assert_string_equal(strrchr(text, ' '), " 1-1000");
    unsigned shown = 0;
    for (const char *at = text; (at = strchr(at, ' ')); at++) shown++;
    assert_int_equal(shown, 2 * BACKFILL_BATCH + 50);
}

static void what_expires_while_it_is_read_is_no_gap(void **state) {
    (void)state;
    go_live_at(300);
    int a = arrive(250);
    fake_answer(engine, 0);
    fake_answer(engine, 0);
    assert_waiting_for_range(1, 50);
    fake_expire(engine, pos(1, 298));
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-298 1-299 1-300");
}

static void what_is_published_while_the_newest_are_read_comes_once(void **state) {
    (void)state;
    go_live_at(9);
    int a = arrive(2);
    fake_append_run(engine, 1, 10, 10);
    fake_take_effect(engine);
    fake_log_run(engine, 1, 11, 11);
    fake_answer(engine, 0);
    assert_given(a, "from:1-8 1-9 1-10");
    fake_publish(engine, comment_at(1, 11));
    assert_given(a, "from:1-8 1-9 1-10 1-11");
}

static void the_newest_comments_may_be_of_several_epochs(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 3);
    fake_log(engine, comment_after(2, 1, pos(1, 3)));
    fake_log_run(engine, 2, 2, 2);
    go_live();
    int a = arrive(2), b = arrive(4);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-3 2-1 2-2");
    assert_given(b, "from:1-1 1-2 1-3 2-1 2-2");
    assert_given(arrive(1), "from:2-1 2-2");
}

static void a_viewer_that_resumes_gets_what_it_missed_and_not_the_newest(void **state) {
    (void)state;
    go_live_at(9);
    int a = join_in_this_turn(1, 8);
    guests[a].join.history = 5;
    loop_drain(loop);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-8 1-9");
}

static void while_the_store_is_away_it_starts_live(void **state) {
    (void)state;
    go_live_at(9);
    int a = arrive(3);
    for (int ms = 0; ms < ARRIVAL_PATIENCE_MS; ms += SWEEP_MS) {
        assert_waits(a);
        fake_fail(engine, 0, ENGINE_UNAVAILABLE);
        sweep_later(SWEEP_MS);
    }
    assert_given(a, "from:1-9");
    fake_append_run(engine, 1, 10, 10);
    assert_given(a, "from:1-9 1-10");
}

static void without_memory_it_starts_live(void **state) {
    (void)state;
    go_live_at(9);
    budget_set(1 << 20);
    budget_take(1 << 20);
    int a = arrive(3);
    sweep_later(ARRIVAL_PATIENCE_MS - 1);
    assert_waits(a);
    sweep_later(1);
    budget_give_back(1 << 20);
    budget_set(SIZE_MAX);
    assert_given(a, "from:1-9");
}

static void closed_while_the_newest_are_read(void **state) {
    (void)state;
    go_live_at(9);
    int a = arrive(3);
    close_broadcast();
    assert_true(guests[a].given_up);
    fake_answer_all(engine, 10);
    assert_int_equal(fake_waiting(engine), 0);
}

// Beyond the feed

static void a_viewer_that_has_seen_more_than_the_feed_waits_for_it(void **state) {
    (void)state;
    go_live_at(7);
    fake_log_run(engine, 1, 8, 10); // other readers have received them
    int a = join(1, 9);
    assert_waiting_for_range(1, 9);
    fake_answer(engine, 0); // the log ends at 1-10: the feed is behind, and looks
    fake_answer_all(engine, 10);
    sweep_later(SWEEP_MS);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-9 1-10");
    int b = join(1, 8);
    fake_answer_all(engine, 10);
    assert_given(b, "from:1-8 1-9 1-10");
}

static void a_viewer_that_has_seen_what_the_log_does_not_have_gets_a_gap(void **state) {
    (void)state;
    go_live_at(5);
    int a = join(1, 9);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-9 gap(1-10..1-5 null epoch)");
    fake_append(engine, comment_after(2, 1, pos(1, 5)));
    assert_given(a, "from:1-9 gap(1-10..1-5 null epoch) 2-1");
}

// Anybody may claim to have seen anything: it must not be remembered as history for others.
static void a_claim_to_have_seen_the_future_does_not_affect_other_viewers(void **state) {
    (void)state;
    go_live_at(3);
    fake_append_run(engine, 1, 4, 5);
    join(1, 9);
    fake_answer_all(engine, 10);
    assert_given(join(1, 3), "from:1-3 1-4 1-5"); // the history is still there
    fake_append_run(engine, 1, 6, 10);
    int honest = join(1, 9);
    fake_answer_all(engine, 10);
    assert_given(honest, "from:1-9 1-10");
}

// The log answers before the subscription: what lies beyond the feed comes by the feed.
static void a_log_that_is_always_ahead_of_the_feed_does_not_keep_viewers_out(void **state) {
    (void)state;
    go_live_at(9);
    uint64_t seq = 9;
    int a = join(1, 4);
    for (int i = 0; i < 8; i++) { // two seconds
        fake_log_run(engine, 1, seq + 1, seq + 1);
        fake_answer_all(engine, 1);
        fake_publish(engine, comment_at(1, seq + 1));
        seq++;
        fake_answer_all(engine, 10);
        sweep_later(SWEEP_MS);
    }
    assert_true(guests[a].joined);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-4 1-5 1-6 1-7 1-8 1-9 1-10 1-11 1-12 1-13 1-14 1-15 1-16 1-17");
}

// A store that has lost what the feed has seen

static void a_store_that_went_back_still_serves_what_it_has(void **state) {
    (void)state;
    go_live_at(9);
    fake_lose(engine, pos(1, 7)); // 1-8 and 1-9 are gone, and we never held them
    int a = join(1, 5);
    unsigned asked = fake_answer_all(engine, 100);
    assert_true(asked < 10); // it does not repeat the query endlessly
    assert_given(a, "from:1-5 1-6 1-7 gap(1-8..1-9 2 expired)");
    fake_append(engine, comment_after(2, 1, pos(1, 7)));
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-5 1-6 1-7 gap(1-8..1-9 2 expired) gap(1-10..2-0 null epoch) 2-1");
}

// The answer of an empty store has no head.
static void a_store_that_came_back_empty_leaves_a_gap_up_to_the_feed(void **state) {
    (void)state;
    go_live_at(9);
    fake_lose(engine, pos(0, 0));
    int a = join(1, 5);
    unsigned asked = fake_answer_all(engine, 100);
    assert_true(asked < 10);
    assert_given(a, "from:1-5 gap(1-6..1-9 4 expired)");
}

static void what_the_store_lost_is_taken_from_the_history_if_it_is_there(void **state) {
    (void)state;
    go_live_at(7);
    fake_append_run(engine, 1, 8, 9);
    fake_lose(engine, pos(1, 8));
    int a = join(1, 5);
    assert_true(fake_answer_all(engine, 100) < 10);
    assert_given(a, "from:1-5 1-6 1-7 1-8 1-9");
}

static void a_viewer_that_has_seen_more_of_what_was_lost_than_the_feed_gets_none_of_it_again(void **state) {
    (void)state;
    go_live_at(7);
    fake_append_run(engine, 1, 8, 9);
    fake_lose(engine, pos(1, 8));
    int a = join(1, 10); // another reader has sent it 1-9 and 1-10
    assert_true(fake_answer_all(engine, 100) < 10);
    assert_waits(a);
    struct engine_entry loss = tombstone_at(2, 1);
    loss.prev = pos(1, 8);
    fake_append(engine, loss);
    sweep_later(SWEEP_MS);
    assert_true(fake_answer_all(engine, 100) < 10);
    assert_given(a, "from:1-10 gap(1-11..2-1 null epoch)");
}

// The feed will show it, too.
static void what_was_appended_below_the_feed_is_not_history_yet(void **state) {
    (void)state;
    go_live_at(7);
    fake_append(engine, comment_after(5, 1, pos(1, 7)));
    fake_lose(engine, pos(1, 7));
    fake_log(engine, comment_after(4, 1, pos(1, 7)));
    int a = join(1, 6); // the history does not reach that far
    assert_true(fake_answer_all(engine, 100) < 10);
    assert_waits(a);
    sweep_later(SWEEP_MS);
    assert_true(fake_answer_all(engine, 100) < 20);
    assert_given(a, "from:1-6 1-7 4-1 gap(4-2..6-1 null epoch)");
}

// Failures

static void a_backfill_that_fails_is_retried_with_the_next_sweep(void **state) {
    (void)state;
    go_live_at(7);
    int a = join(1, 4);
    fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    assert_int_equal(fake_waiting(engine), 0);
    sweep_later(SWEEP_MS);
    assert_waiting_for_range(1, 4);
    fake_fail(engine, 0, ENGINE_BUSY);
    sweep_later(SWEEP_MS);
    fake_answer(engine, 0);
    assert_given(a, "from:1-4 1-5 1-6 1-7");
}

static void a_backfill_that_fails_half_way_sends_nothing_twice(void **state) {
    (void)state;
    go_live_at(BACKFILL_BATCH + 5);
    int a = join(1, 0);
    fake_answer(engine, 0);
    fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    sweep_later(SWEEP_MS);
    fake_answer_all(engine, 10);
    assert_memory_equal(fake_fanout_text(a), "from:1-0 1-1 1-2 ", 17);
    char last[64];
    snprintf(last, sizeof last, " 1-%d 1-%d", BACKFILL_BATCH + 4, BACKFILL_BATCH + 5);
    const char *text = fake_fanout_text(a);
    assert_string_equal(text + strlen(text) - strlen(last), last);
    assert_null(strstr(strstr(text, " 1-2 ") + 1, " 1-2 "));
}

static void a_viewer_that_waits_too_long_is_refused(void **state) {
    (void)state;
    int a = join_live();
    run_later(loop, 100);
    int b = join_live();
    sweep_later(PATIENCE_MS - 101);
    assert_waits(a);
    sweep_later(1);
    assert_true(guests[a].given_up);
    assert_int_equal(guests[a].join.outcome, JOIN_STORE_AWAY);
    assert_waits(b);
    sweep_later(100);
    assert_true(guests[b].given_up);
    go_live_at(3); // and the stream goes on
    assert_given(join_live(), "from:1-3");
    assert_int_equal(broadcast_viewers(broadcast), 1);
}

static bool other_job_ran;

static void on_other_job(struct loop_job *job) {
    (void)job;
    other_job_ran = true;
}

// The job that takes joins was queued twice: whatever else was to be done at the end of the turn was lost,
// such as what a connection to Redis had to send.
static void a_join_after_one_that_was_refused_in_the_same_turn_loses_no_other_job(void **state) {
    (void)state;
    struct loop_job other = {.run = on_other_job};
    other_job_ran = false;
    int refused = join_in_this_turn(0, 0);
    broadcast_close(broadcast);
    loop_defer(loop, &other);
    broadcast_open(broadcast, &env, FAKE_VIDEO, &ledger);
    join_in_this_turn(0, 0);
    loop_drain(loop);
    assert_true(guests[refused].given_up);
    assert_true(other_job_ran);
}

static void refused_because_the_store_has_no_room_for_the_video(void **state) {
    (void)state;
    int a = join_live();
    fake_notify_subscribed(engine);
    fake_fail(engine, 0, ENGINE_FULL);
    sweep_later(PATIENCE_MS);
    assert_true(guests[a].given_up);
    assert_int_equal(guests[a].join.outcome, JOIN_TOO_MANY_VIDEOS);
}

static void refused_while_the_log_is_read(void **state) {
    (void)state;
    go_live_at(7);
    int a = join(1, 4);
    sweep_later(PATIENCE_MS);
    assert_true(guests[a].given_up);
    fake_answer_all(engine, 10);
    assert_false(fake_fanout_has(a));
    int b = join(1, 4);
    fake_answer_all(engine, 10);
    assert_given(b, "from:1-4 1-5 1-6 1-7");
}

// Memory

static void with_no_budget_it_is_served_from_the_log_alone(void **state) {
    (void)state;
    budget.max = 0;
    go_live_at(7);
    int a = join(1, 4), b = join(1, 2), c = join(1, 4);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-4 1-5 1-6 1-7");
    assert_given(b, "from:1-2 1-3 1-4 1-5 1-6 1-7");
    assert_given(c, "from:1-4 1-5 1-6 1-7");
    assert_int_equal(budget.bytes, 0);
}

static void with_little_budget_on_a_busy_video_it_is_served_too(void **state) {
    (void)state;
    go_live_at(50);
    fake_append_run(engine, 1, 51, 51);
    budget.max = 4 * budget.bytes; // room for a few, not for what was missed
    int a = join(1, 10);
    uint64_t seq = 51;
    for (int i = 0; i < 10 && !guests[a].joined; i++) { // the feed always moves on before the answer comes
        fake_take_effect(engine);
        seq++;
        fake_append_run(engine, 1, seq, seq);
        fake_answer_all(engine, 1);
    }
    assert_true(guests[a].joined);
    char last[32];
    snprintf(last, sizeof last, " 1-%u", (unsigned)seq);
    assert_string_equal(strrchr(fake_fanout_text(a), ' '), last);
}

// Memory

static int join_with_patience(uint64_t epoch, uint64_t seq, int64_t ms) {
    assert_true(guest_count < GUESTS_MAX);
    struct guest *g = &guests[guest_count];
    *g = (struct guest){.join = {.last = pos(epoch, seq),
                                 .deadline_ms = loop_now_ms(loop) + PATIENCE_MS,
                                 .patience_ms = loop_now_ms(loop) + ms,
                                 .on_joined = on_joined},
                        .number = guest_count};
    INSIDE(broadcast_join(broadcast, &g->join));
    loop_drain(loop);
    return guest_count++;
}

static void without_memory_a_viewer_waits_for_some_and_then_gets_a_gap(void **state) {
    (void)state;
    enum { PATIENCE = 1000 };
    go_live_at(9);
    budget_set(1);
    unsigned relieved = fake_fanout_relieved();
    int a = join_with_patience(1, 4, PATIENCE), b = join_with_patience(1, 6, PATIENCE), c = join_live();
    assert_true(fake_fanout_relieved() > relieved);
    assert_given(c, "from:1-9"); // it needs none
    sweep_later(PATIENCE - 1);
    assert_waits(a);
    assert_waits(b);
    assert_int_equal(fake_waiting(engine), 0);
    sweep_later(1);
    assert_given(a, "from:1-4 gap(1-5..1-9 5 slow)");
    assert_given(b, "from:1-6 gap(1-7..1-9 3 slow)");
    fake_append_run(engine, 1, 10, 10);
    assert_given(a, "from:1-4 gap(1-5..1-9 5 slow) 1-10");
    budget_set(SIZE_MAX);
}

static void memory_that_comes_in_time_is_used(void **state) {
    (void)state;
    go_live_at(9);
    budget_set(1);
    int a = join_with_patience(1, 4, 1000);
    assert_int_equal(fake_waiting(engine), 0);
    budget_set(SIZE_MAX);
    run_later(loop, 25);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-4 1-5 1-6 1-7 1-8 1-9");
}

// The log was read up to where the feed had been when the viewer came: what came while it waited counted as
// lost.
static void the_newest_are_those_when_there_is_room_to_read_them(void **state) {
    (void)state;
    go_live_at(9);
    budget_set(1);
    int a = arrive(2);
    assert_int_equal(fake_waiting(engine), 0);
    fake_append_run(engine, 1, 10, 12);
    budget_set(SIZE_MAX);
    run_later(loop, 25);
    assert_waiting_for_newest(1, 13, 2);
    fake_answer_all(engine, 10);
    assert_given(a, "from:1-10 1-11 1-12");
}

static void a_viewer_gets_the_newest_of_what_there_is_no_room_for(void **state) {
    (void)state;
    enum { NEWEST = 3000 };
    go_live_at(NEWEST);
    size_t before = budget_used();
    budget_set(before + 150000);
    int a = join_with_patience(1, 0, 1000);
    while (!guests[a].joined) {
        fake_answer_all(engine, 1);
        assert_true(budget_used() <= budget_max());
        if (!fake_waiting(engine)) sweep_later(25);
    }
    const char *text = fake_fanout_text(a);
    unsigned missed;
    if (sscanf(text, "from:1-0 gap(1-1..1-%u", &missed) != 1) fail_msg("%.80s", text);
    assert_in_range(missed, 1, NEWEST - 100);
    assert_exact_after(text, missed, NEWEST);
    budget_set(SIZE_MAX);
}

static void what_is_in_the_history_needs_memory_for_each_viewer(void **state) {
    (void)state;
    go_live_at(0);
    history_use(&broadcast->history, loop_now_ms(loop));
    fake_append_run(engine, 1, 1, 30);
    budget_set(1);
    int a = join_with_patience(1, 1, 1000), b = join_with_patience(1, 20, 1000);
    assert_waits(a);
    assert_memory_equal(fake_fanout_text(b), "from:1-20 1-21 1-22", 19); // so few are always there
    assert_int_equal(fake_waiting(engine), 0);
    sweep_later(1000);
    assert_given(a, "from:1-1 gap(1-2..1-30 29 slow)");
    budget_set(SIZE_MAX);
}

static void a_limited_number_of_backfills_run_at_a_time(void **state) {
    (void)state;
    enum { MANY = 40, AT_ONCE = 4 };
    static struct broadcast many[MANY];
    static struct guest some[MANY];
    close_broadcast();
    fake_log_run(engine, 1, 1, 9);
    for (int i = 0; i < MANY; i++) broadcast_open(&many[i], &env, FAKE_VIDEO, &ledger);
    go_live_all(MANY);
    for (int i = 0; i < MANY; i++) {
        some[i].join = (struct join_request){
            .last = pos(1, 1), .deadline_ms = INT64_MAX, .patience_ms = INT64_MAX, .on_joined = count_joined};
        broadcast_join(&many[i], &some[i].join);
    }
    loop_drain(loop);
    joined_count = 0;
    assert_int_equal(fake_waiting(engine), AT_ONCE);
    fake_answer(engine, 0);
    assert_int_equal(joined_count, 1);
    assert_int_equal(fake_waiting(engine), AT_ONCE); // the next one's turn
    broadcast_close(&many[AT_ONCE + 1]);             // in line
    broadcast_close(&many[3]);                       // asking
    fake_answer_all(engine, 2 * MANY);
    assert_int_equal(joined_count, MANY); // two of them in vain
    for (int i = 0; i < MANY; i++)
        if (i != 3 && i != AT_ONCE + 1) broadcast_close(&many[i]);
    assert_int_equal(env.backfills.running_count, 0);
    assert_null(env.backfills.running);
    assert_null(env.backfills.line);
}

static struct broadcast some_broadcasts[40];
static struct guest some_guests[40];

// Of each from number `first` to `last` a viewer comes back that has missed all but the first comment.
static void come_back_to_cold_broadcasts(int first, int last) {
    for (int i = first; i <= last; i++) {
        some_guests[i].join = (struct join_request){
            .last = pos(1, 1), .deadline_ms = INT64_MAX, .patience_ms = INT64_MAX, .on_joined = count_joined};
        broadcast_join(&some_broadcasts[i], &some_guests[i].join);
    }
    joined_count = 0;
    loop_drain(loop);
}

static void open_cold_broadcasts(int count, uint64_t newest) {
    close_broadcast();
    fake_log_run(engine, 1, 1, newest);
    for (int i = 0; i < count; i++) broadcast_open(&some_broadcasts[i], &env, FAKE_VIDEO, &ledger);
    go_live_all(count);
}

static void close_cold_broadcasts(int count) {
    budget_set(SIZE_MAX);
    for (int i = 0; i < count; i++) broadcast_close(&some_broadcasts[i]);
}

// While the first backfill runs, the others must leave room for it. Once history had what was left, they
// waited, until their viewers got a gap.
static void history_yields_to_what_is_read_for_others(void **state) {
    (void)state;
    enum { MANY = 3, HELD = 1000 };
    open_cold_broadcasts(MANY, HELD);
    come_back_to_cold_broadcasts(0, 0);
    fake_answer_all(engine, 100);
    assert_int_equal(joined_count, 1);
    assert_true(budget.bytes > 100 * (size_t)HELD);
    budget_set(budget_used() / 5 * 11); // not so little that caches may not grow
    come_back_to_cold_broadcasts(1, 2);
    assert_int_equal(fake_waiting(engine), 2);
    assert_int_equal(budget.bytes, 0);
    close_cold_broadcasts(MANY);
}

// The next in line made the history give up what had just been read, so that it was read again, without end.
static void what_was_read_is_given_out_before_others_need_its_memory(void **state) {
    (void)state;
    enum { MANY = 40, ROOM = 64 << 20, HELD = 20 << 20 };
    open_cold_broadcasts(MANY, 9);
    budget_set(budget_used() + ROOM);
    budget_take(HELD); // for viewers
    come_back_to_cold_broadcasts(0, MANY - 1);
    for (int i = 1; i <= MANY; i++) {
        fake_answer(engine, 0);
        assert_int_equal(joined_count, i);
    }
    assert_int_equal(fake_waiting(engine), 0);
    budget_give_back(HELD);
    close_cold_broadcasts(MANY);
}

static void history_that_is_not_used_is_dropped(void **state) {
    (void)state;
    go_live_at(0);
    join_live();
    fake_append_run(engine, 1, 1, 200);
    int b = join(1, 190);
    assert_memory_equal(fake_fanout_text(b), "from:1-190 1-191 1-192", 22); // the newest are kept
    int c = join(1, 2);                                                     // and the others are in the log
    fake_answer_all(engine, 10);
    assert_memory_equal(fake_fanout_text(c), "from:1-2 1-3 1-4", 16);
    assert_given(join(1, 199), "from:1-199 1-200");
    sweep_later(HISTORY_COLD_MS);
    assert_true(budget.bytes > 0);
    sweep_later(1);
    assert_int_equal(budget.bytes, 0);
    int d = join(1, 198), e = join(1, 200);
    assert_given(e, "from:1-200");
    assert_waiting_for_range(1, 198);
    fake_answer_all(engine, 10);
    assert_given(d, "from:1-198 1-199 1-200");
}

// Life

static void a_broadcast_without_viewers_is_idle_from_then_on(void **state) {
    (void)state;
    assert_null(broadcast_idle_for(&env, 0)); // it was opened for a viewer
    run_later(loop, 1);
    assert_ptr_equal(broadcast_idle_for(&env, 0), broadcast);
    assert_null(broadcast_idle_for(&env, 2));
    go_live_at(3);
    int a = join_live(), b = join_live();
    run_later(loop, 5000);
    assert_null(broadcast_idle_for(&env, 1));
    fake_fanout_leave(a);
    run_later(loop, 1000);
    assert_null(broadcast_idle_for(&env, 1));
    fake_fanout_leave(b);
    run_later(loop, 999);
    assert_null(broadcast_idle_for(&env, 1000));
    run_later(loop, 1);
    assert_ptr_equal(broadcast_idle_for(&env, 1000), broadcast);
    assert_ptr_equal(broadcast_idle_for(&env, 1000), broadcast); // it stays so
    join_live();
    assert_null(broadcast_idle_for(&env, 1000));
}

static void a_broadcast_is_not_idle_while_a_viewer_waits(void **state) {
    (void)state;
    run_later(loop, 1000);
    int a = join_live();
    assert_null(broadcast_idle_for(&env, 1000));
    sweep_later(PATIENCE_MS);
    assert_true(guests[a].given_up);
    assert_ptr_equal(broadcast_idle_for(&env, 1000), broadcast);
}

static void the_viewers_of_all_broadcasts_are_counted(void **state) {
    (void)state;
    struct broadcast other;
    broadcast_open(&other, &env, FAKE_VIDEO, &ledger);
    go_live_at(3);
    int a = join_live();
    join_live();
    broadcast_add(&other, &(struct sink){.fd = 1000}, 0, false, pending_new(0));
    assert_int_equal(counter_get(&counters.viewers), 3);
    fake_fanout_leave(a);
    assert_int_equal(counter_get(&counters.viewers), 2);
    broadcast_close(&other);
    assert_int_equal(counter_get(&counters.viewers), 1);
}

// The longest idle one comes first; those with viewers are skipped.
static void the_idle_ones_of_many_are_found(void **state) {
    (void)state;
    enum { MANY = 5 };
    static struct broadcast many[MANY];
    close_broadcast();
    for (int i = 0; i < MANY; i++) {
        broadcast_open(&many[i], &env, FAKE_VIDEO, &ledger);
        run_later(loop, 100);
    }
    broadcast_add(&many[1], &(struct sink){.fd = 1001}, 0, false, pending_new(0));
    assert_ptr_equal(broadcast_idle_for(&env, 300), &many[0]);
    broadcast_close(&many[0]);
    assert_ptr_equal(broadcast_idle_for(&env, 300), &many[2]);
    broadcast_close(&many[2]);
    assert_null(broadcast_idle_for(&env, 300));
    fake_fanout_leave(1001);
    run_later(loop, 200);
    assert_ptr_equal(broadcast_idle_for(&env, 100), &many[3]);
    for (int i = 1; i < MANY; i++)
        if (i != 2) broadcast_close(&many[i]);
    assert_null(broadcast_idle_for(&env, 0));
}

static void closed_while_viewers_wait(void **state) {
    (void)state;
    int a = join_live(), b = join(1, 3);
    int c = join_in_this_turn(0, 0);
    close_broadcast();
    assert_true(guests[a].given_up && guests[b].given_up && guests[c].given_up);
    assert_int_equal(guests[a].join.outcome, JOIN_BROADCAST_CLOSED);
    assert_int_equal(guests[c].join.outcome, JOIN_BROADCAST_CLOSED);
    assert_int_equal(fake_subscriptions(engine), 0);
}

// A range of each in turn: a video of which much was missed keeps no other waiting.
static void backfills_of_several_videos_take_turns(void **state) {
    (void)state;
    enum { MANY = 3 };
    static struct broadcast many[MANY];
    static struct guest some[MANY];
    close_broadcast();
    fake_log_run(engine, 1, 1, 3 * BACKFILL_BATCH);
    for (int i = 0; i < MANY; i++) broadcast_open(&many[i], &env, FAKE_VIDEO, &ledger);
    go_live_all(MANY);
    joined_count = 0;
    for (int i = 0; i < MANY; i++) {
        unsigned missed = i ? BACKFILL_BATCH / 2 : 3 * BACKFILL_BATCH;
        some[i].join = (struct join_request){.last = pos(1, 3 * BACKFILL_BATCH - missed),
                                             .deadline_ms = INT64_MAX,
                                             .patience_ms = INT64_MAX,
                                             .on_joined = count_joined};
        broadcast_join(&many[i], &some[i].join);
    }
    loop_drain(loop);
    fake_answer(engine, 0);
    assert_int_equal(joined_count, 0);
    for (int i = 1; i < MANY; i++) fake_answer(engine, 0);
    assert_int_equal(joined_count, MANY - 1);
    fake_answer_all(engine, 10);
    assert_int_equal(joined_count, MANY);
    for (int i = 0; i < MANY; i++) broadcast_close(&many[i]);
}

static void viewers_that_join_in_one_turn_start_at_its_end(void **state) {
    (void)state;
    go_live_at(3);
    int a = join_in_this_turn(0, 0), b = join_in_this_turn(1, 3), c = join_in_this_turn(0, 0);
    assert_waits(a);
    loop_drain(loop);
    assert_given(a, "from:1-3");
    assert_given(b, "from:1-3");
    assert_given(c, "from:1-3");
    assert_int_equal(broadcast_viewers(broadcast), 3);
}

// As many as arrive in one turn of a storm; comments are published between the portions.
static void those_that_arrive_together_start_in_portions(void **state) {
    (void)state;
    enum { STORM = 200, AT_ONCE = 64 };
    go_live_at(3);
    for (int i = 0; i < STORM; i++) join_in_this_turn(0, 0);
    loop_drain(loop);
    assert_int_equal(guests_joined(), AT_ONCE);
    fake_append_run(engine, 1, 4, 4);
    for (int turns = 0; turns < 3; turns++) loop_drain(loop);
    assert_int_equal(guests_joined(), STORM);
    for (int i = 0; i < STORM; i++) assert_given(i, i < AT_ONCE ? "from:1-3 1-4" : "from:1-4");
}

static void a_broadcast_is_not_idle_while_a_viewer_waits_for_its_turn(void **state) {
    (void)state;
    static struct broadcast other;
    enum { AT_ONCE = 64 };
    fake_set_head(engine, pos(1, 0));
    broadcast_open(&other, &env, FAKE_VIDEO, &ledger);
    go_live_all(2);
    run_later(loop, 10);
    for (int i = 0; i < AT_ONCE; i++) join_in_this_turn(0, 0);
    struct guest last = {
        .join = {.deadline_ms = INT64_MAX, .patience_ms = INT64_MAX, .on_joined = count_joined}};
    broadcast_join(&other, &last.join);
    joined_count = 0;
    loop_drain(loop);
    assert_int_equal(joined_count, 0);
    assert_null(broadcast_idle_for(&env, 5));
    loop_drain(loop);
    assert_int_equal(joined_count, 1);
    broadcast_close(&other);
}

static void closed_while_the_log_is_read(void **state) {
    (void)state;
    for (int failing = 0; failing < 2; failing++) {
        go_live_at(7);
        int a = join(1, 4);
        close_broadcast();
        assert_true(guests[a].given_up);
        fake_fail(engine, 0, failing ? ENGINE_CLOSED : ENGINE_OK);
        assert_int_equal(fake_waiting(engine), 0);
        tear_down(state);
        set_up(state);
    }
}

static void closed_between_two_pieces(void **state) {
    (void)state;
    go_live_at(BACKFILL_BATCH + 5);
    join(1, 0);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 1);
    close_broadcast();
    fake_answer_all(engine, 10);
    assert_int_equal(fake_waiting(engine), 0);
}

static void closed_with_viewers_and_history(void **state) {
    (void)state;
    go_live_at(7);
    join_live();
    fake_append_run(engine, 1, 8, 9);
    close_broadcast();
    assert_false(fake_fanout_has(0));
    assert_int_equal(budget.bytes, 0);
}

// Whenever answers come and whatever fails, every viewer that starts gets the whole log from its position.

static void assert_exact(int number, uint64_t from, uint64_t to) {
    static char wanted[65536];
    size_t len = (size_t)snprintf(wanted, sizeof wanted, "from:1-%u", (unsigned)from);
    for (uint64_t seq = from + 1; seq <= to; seq++)
        len += (size_t)snprintf(wanted + len, sizeof wanted - len, " 1-%u", (unsigned)seq);
    assert_string_equal(fake_fanout_text(number), wanted);
}

static void do_something(uint64_t *seq) {
    switch (dice(8)) {
    case 0:
    case 1: ++*seq, fake_append_run(engine, 1, *seq, *seq); break;
    case 2: ++*seq, fake_log_run(engine, 1, *seq, *seq); break; // not received
    case 3:
        if (guest_count >= GUESTS_MAX / 2) break;
        if (dice_one_in(3))
            guests[arrive(1 + (uint32_t)dice(50))].least = feed_position(&broadcast->feed).seq;
        else
            join(1, *seq - dice(*seq < 50 ? *seq : 50));
        break;
    case 4: fake_take_effect(engine); break;
    case 5:
        if (fake_waiting(engine)) fake_answer(engine, (unsigned)dice(fake_waiting(engine)));
        break;
    case 6:
        if (fake_waiting(engine) && dice_one_in(3)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
        if (dice_one_in(10)) fake_notify_subscribed(engine);
        break;
    case 7:
        if (guest_count > 4 && fake_fanout_has(guest_count - 4)) fake_fanout_leave(guest_count - 4);
        sweep_later((int64_t)dice(500));
        break;
    }
}

static void settle(void) {
    fake_notify_subscribed(engine);
    for (int i = 0; i < 6; i++) {
        fake_answer_all(engine, 100);
        sweep_later(SWEEP_MS);
    }
    assert_int_equal(fake_waiting(engine), 0);
}

static void every_viewer_gets_exactly_what_it_missed(void **state) {
    (void)state;
    dice_begin(__func__);
    for (int round = 0; round < 10; round++) {
        unsigned joined = 0;
        uint64_t seq = 20;
        budget.max = round % 2 ? 3000 : 64 << 20;
        go_live_at(20);
        for (int i = 0; i < 1000; i++) do_something(&seq);
        settle();
        for (int i = 0; i < guest_count; i++) {
            assert_true(guests[i].joined || guests[i].given_up);
            if (!fake_fanout_has(i)) continue;
            uint64_t from = guests[i].join.last.seq;
            if (guests[i].join.history) {
                from = strtoull(fake_fanout_text(i) + strlen("from:1-"), NULL, 10);
                assert_true(from + guests[i].join.history >= guests[i].least);
            }
            assert_exact(i, from, seq);
            joined++;
        }
        assert_true(joined > 10);
        assert_int_equal(tear_down(state), 0);
        set_up(state);
    }
}

// The end of a video

static struct engine_entry turn_at(enum entry_kind kind, uint64_t seq) {
    struct engine_entry e = comment_at(1, seq);
    e.kind = kind;
    return e;
}

static void confirm_over(void) {
    fake_answer_all(engine, 1);
    sweep_later(SWEEP_MS);
    fake_answer_all(engine, 1);
}

static void assert_over(int number) {
    confirm_over();
    assert_false(guests[number].joined);
    assert_true(guests[number].given_up);
    assert_int_equal(guests[number].join.outcome, JOIN_OVER);
}

static void after_the_end_only_those_join_that_have_missed_something(void **state) {
    (void)state;
    go_live_at(7);
    int a = join_live();
    fake_append(engine, turn_at(ENTRY_END, 8));
    fake_set_over(engine, true);
    assert_given(a, "from:1-7 end=1-8");
    assert_true(fake_fanout_is_over(a));
    assert_over(join_live());
    assert_over(arrive(10));
    assert_over(join(1, 8));
    int b = join(1, 7);
    confirm_over();
    assert_given(b, "from:1-7 end=1-8");
    fake_append(engine, turn_at(ENTRY_RETRACT, 9)); // after the end, for those that come back
    assert_given(a, "from:1-7 end=1-8");
    int c = join(1, 8);
    confirm_over();
    assert_given(c, "from:1-8 retract=1-9");
    assert_over(join(1, 9));
    for (int i = 0; i < 3; i++) fake_fanout_leave((int[]){a, b, c}[i]);
    assert_non_null(broadcast->idle);
}

static void a_video_that_is_over_before_its_first_viewer(void **state) {
    (void)state;
    fake_set_over(engine, true);
    fake_log_run(engine, 1, 1, 7);
    fake_log(engine, turn_at(ENTRY_END, 8));
    int a = join_live(), b = arrive(10), c = join(1, 6);
    for (int i = 0; i < 3; i++) assert_waits((int[]){a, b, c}[i]);
    go_live();
    fake_answer_all(engine, 3);
    assert_over(a);
    assert_over(b);
    assert_given(c, "from:1-6 1-7 end=1-8");
    assert_true(fake_fanout_is_over(c));
}

static void a_start_after_the_end_goes_on_and_cuts_those_that_were_still_to_be_ended(void **state) {
    (void)state;
    go_live_at(7);
    int a = join_live();
    fake_append(engine, turn_at(ENTRY_END, 8));
    fake_append(engine, turn_at(ENTRY_START, 9));
    assert_false(fake_fanout_has(a));
    assert_non_null(broadcast->idle);
    int b = join(1, 7), c = join_live();
    assert_false(fake_fanout_is_over(b));
    fake_append_run(engine, 1, 10, 10);
    assert_given(b, "from:1-7 end=1-8 start=1-9 1-10");
    assert_given(c, "from:1-9 1-10");
}

static void a_viewer_that_comes_after_a_start_is_not_told_that_it_is_over(void **state) {
    (void)state;
    go_live_at(7);
    fake_append(engine, turn_at(ENTRY_END, 8));
    fake_log(engine, turn_at(ENTRY_START, 9)); // it has not arrived yet
    int a = join_live(), b = join(1, 7);
    assert_waits(a);
    assert_waits(b);
    fake_answer_all(engine, 2);
    sweep_later(SWEEP_MS);
    assert_given(a, "from:1-9");
    assert_given(b, "from:1-7 end=1-8 start=1-9");
}

// Some clients do not come back after the end of a stream, either.
static void while_the_store_does_not_confirm_the_end_no_stream_begins_at_it(void **state) {
    (void)state;
    go_live_at(7);
    fake_append(engine, turn_at(ENTRY_END, 8));
    fake_log(engine, turn_at(ENTRY_START, 9)); // it does not arrive
    int a = arrive(10);
    sweep_later(ARRIVAL_PATIENCE_MS);
    assert_waits(a);
    sweep_later(PATIENCE_MS - ARRIVAL_PATIENCE_MS);
    assert_true(guests[a].given_up);
    assert_int_equal(guests[a].join.outcome, JOIN_STORE_AWAY);
}

static void what_was_read_for_a_viewer_waits_until_the_end_is_confirmed(void **state) {
    (void)state;
    enum { MANY = 300 };
    budget.max = 1; // the history takes nothing of it
    go_live_at(MANY);
    int a = join(1, 1);
    fake_append(engine, turn_at(ENTRY_END, MANY + 1));
    fake_log(engine, turn_at(ENTRY_START, MANY + 2)); // it does not arrive
    while (fake_waiting(engine) && fake_query(engine, 0).kind == FAKE_RANGE) fake_answer(engine, 0);
    assert_waits(a);
}

static void without_memory_no_stream_begins_at_an_end_that_is_not_confirmed(void **state) {
    (void)state;
    enum { PATIENCE = 1000 };
    go_live_at(9);
    budget_set(1);
    int a = join_with_patience(1, 4, PATIENCE);
    fake_append(engine, turn_at(ENTRY_END, 10));
    fake_log(engine, turn_at(ENTRY_START, 11)); // it does not arrive
    sweep_later(PATIENCE);
    assert_waits(a);
    while (!guests[a].joined) {
        fake_answer_all(engine, 1);
        sweep_later(SWEEP_MS);
    }
    assert_given(a, "from:1-4 gap(1-5..1-11 7 slow)");
    assert_false(fake_fanout_is_over(a));
    budget_set(SIZE_MAX);
}

static void an_end_that_expired_before_the_reader_saw_it_is_asked_for(void **state) {
    (void)state;
    go_live_at(7);
    int a = join_live();
    fake_log(engine, turn_at(ENTRY_END, 8));
    fake_expire(engine, pos(1, 8));
    fake_set_over(engine, true);
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 5);
    assert_given(a, "from:1-7 gap(1-8..1-8 1 expired)");
    assert_true(fake_fanout_is_over(a));
    assert_over(join_live());
}

static void an_end_that_the_store_has_lost_was_none(void **state) {
    (void)state;
    go_live_at(7);
    int a = join_live();
    fake_append(engine, turn_at(ENTRY_END, 8));
    fake_fanout_leave(a);
    fake_lose(engine, pos(1, 7));
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 5);
    int b = join_live();
    fake_append_run(engine, 2, 2, 2);
    assert_true(guests[b].joined);
    assert_false(fake_fanout_is_over(b));
}

// A readable rate

static void under_a_readable_rate_viewers_share_a_sample(void **state) {
    (void)state;
    go_live_at(7);
    broadcast_set_readable_rate(broadcast, 1);
    int a = join_live(), whole = join_whole(), ann = join_as("ann");
    fake_append_run(engine, 1, 8, 9);
    fake_append(engine, said_by(10, "ann"));
    fake_append_run(engine, 1, 11, 11);
    assert_given(a, "from:1-7 1-8");
    assert_given(whole, "from:1-7 1-8 1-9 1-10"); // the newest is held back for all
    assert_given(ann, "from:1-7 1-8 1-10+1");
    assert_int_equal(broadcast_viewers(broadcast), 3);
    run_later(loop, 1000);
    assert_given(a, "from:1-7 1-8 1-11+2");
    assert_given(whole, "from:1-7 1-8 1-9 1-10 1-11");
    assert_given(ann, "from:1-7 1-8 1-10+1 1-11+2");
    fake_append_run(engine, 1, 12, 12);
    broadcast_set_readable_rate(broadcast, 0);
    fake_append_run(engine, 1, 13, 14);
    assert_given(a, "from:1-7 1-8 1-11+2 1-12 1-13 1-14");
}

// It gets what came after its position, also what was left out for others.
static void a_viewer_that_resumes_under_a_readable_rate_gets_all_it_missed_and_nothing_twice(void **state) {
    (void)state;
    go_live_at(7);
    broadcast_set_readable_rate(broadcast, 1);
    int a = join_live();
    fake_append_run(engine, 1, 8, 11); // 1-11 is held back
    int b = join(1, 8), live = join_live(), late = join(1, 10);
    assert_given(b, "from:1-8 1-9 1-10");
    assert_given(live, "from:1-10");
    assert_given(late, "from:1-10");
    fake_append_run(engine, 1, 12, 12);
    run_later(loop, 1000);
    assert_given(a, "from:1-7 1-8 1-12+3");
    assert_given(b, "from:1-8 1-9 1-10 1-12+3");
    assert_given(live, "from:1-10 1-12+3");
    assert_given(join(1, 8), "from:1-8 1-9 1-10 1-11 1-12");
    assert_given(join(1, 12), "from:1-12");
    assert_int_equal(fake_waiting(engine), 0);
}

static void a_viewer_that_has_seen_elsewhere_what_is_held_back_waits_for_it(void **state) {
    (void)state;
    go_live_at(7);
    broadcast_set_readable_rate(broadcast, 1);
    int a = join_live();
    fake_append_run(engine, 1, 8, 9);
    int b = join(1, 9);
    assert_waits(b);
    fake_answer_all(engine, 3);
    assert_waits(b);
    run_later(loop, 1000);
    sweep_later(SWEEP_MS);
    fake_answer_all(engine, 3);
    assert_given(a, "from:1-7 1-8 1-9");
    assert_given(b, "from:1-9");
}

static void what_is_held_back_is_shown_before_the_end(void **state) {
    (void)state;
    go_live_at(7);
    broadcast_set_readable_rate(broadcast, 1);
    int a = join_live(), whole = join_whole();
    fake_append_run(engine, 1, 8, 10);
    fake_append(engine, turn_at(ENTRY_END, 11));
    fake_set_over(engine, true);
    assert_given(a, "from:1-7 1-8 1-10+1 end=1-11");
    assert_given(whole, "from:1-7 1-8 1-9 1-10 end=1-11");
    assert_true(fake_fanout_is_over(a) && fake_fanout_is_over(whole));
    assert_over(join_whole());
}

static void an_end_that_expired_comes_after_what_is_held_back(void **state) {
    (void)state;
    go_live_at(7);
    broadcast_set_readable_rate(broadcast, 1);
    int a = join_live();
    fake_append_run(engine, 1, 8, 9);
    fake_set_over(engine, true); // as if its entry were that of a comment
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 5);
    assert_given(a, "from:1-7 1-8 1-9");
    assert_true(fake_fanout_is_over(a));
}

static void a_gap_comes_after_what_is_held_back(void **state) {
    (void)state;
    go_live_at(7);
    broadcast_set_readable_rate(broadcast, 1);
    int a = join_live();
    fake_append_run(engine, 1, 8, 10);
    fake_append(engine, comment_after(2, 1, pos(1, 9))); // 1-10 is lost
    fake_answer_all(engine, 10);
    run_later(loop, 3000);
    assert_given(a, "from:1-7 1-8 1-10+1 gap(1-11..2-0 null epoch) 2-1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(under_a_readable_rate_viewers_share_a_sample),
        TEST(a_viewer_that_resumes_under_a_readable_rate_gets_all_it_missed_and_nothing_twice),
        TEST(a_viewer_that_has_seen_elsewhere_what_is_held_back_waits_for_it),
        TEST(what_is_held_back_is_shown_before_the_end),
        TEST(an_end_that_expired_comes_after_what_is_held_back),
        TEST(a_gap_comes_after_what_is_held_back),
        TEST(a_viewer_that_joins_before_the_feed_is_live_waits_and_misses_nothing),
        TEST(a_viewer_that_joins_live_gets_what_is_published_from_then_on),
        TEST(a_video_without_a_comment_starts_at_0),
        TEST(a_viewer_that_reconnects_gets_what_it_missed_from_the_history),
        TEST(a_viewer_that_reconnects_in_a_later_epoch_continues),
        TEST(a_gap_of_the_feed_is_history_too),
        TEST(a_message_without_number_is_not_given_to_viewers_that_resume),
        TEST(history_starts_again_where_the_store_has_gone_back),
        TEST(a_viewer_that_resumes_before_the_feed_is_live_is_served_once_it_is),
        TEST(what_the_history_lacks_is_read_from_the_log),
        TEST(one_backfill_serves_many),
        TEST(a_storm_is_served_in_portions_from_one_reading),
        TEST(overlapping_ranges_are_read_once),
        TEST(closed_while_a_storm_is_served),
        TEST(a_second_backfill_reaches_further_back_for_all_that_wait),
        TEST(what_is_published_while_the_log_is_read_is_neither_lost_nor_doubled),
        TEST(a_long_absence_is_read_in_pieces),
        TEST(a_gap_of_the_feed_is_announced_even_if_it_is_a_single_number),
        TEST(what_the_store_lost_within_an_epoch_is_announced_without_a_number),
        TEST(what_has_expired_is_a_gap),
        TEST(if_all_has_expired_the_gap_reaches_up_to_now),
        TEST(a_number_of_an_older_epoch_that_is_gone_is_a_gap),
        TEST(a_viewer_at_a_tombstone_resumes),
        TEST(what_is_read_for_one_never_shortens_what_others_can_have),
        TEST(a_viewer_that_arrives_sees_the_newest_comments),
        TEST(of_fewer_comments_it_sees_all),
        TEST(one_query_serves_all_that_arrive),
        TEST(those_that_arrive_and_those_that_resume_share_one_run),
        TEST(those_that_wait_for_the_feed_share_the_largest_query),
        TEST(what_has_expired_is_not_shown),
        TEST(only_comments_count),
        TEST(entries_that_are_no_comments_are_passed_over_up_to_a_bound),
        TEST(many_comments_are_read_in_pieces),
        TEST(what_expires_while_it_is_read_is_no_gap),
        TEST(what_is_published_while_the_newest_are_read_comes_once),
        TEST(the_newest_comments_may_be_of_several_epochs),
        TEST(a_viewer_that_resumes_gets_what_it_missed_and_not_the_newest),
        TEST(while_the_store_is_away_it_starts_live),
        TEST(without_memory_it_starts_live),
        TEST(closed_while_the_newest_are_read),
        TEST(a_viewer_that_has_seen_more_than_the_feed_waits_for_it),
        TEST(a_viewer_that_has_seen_what_the_log_does_not_have_gets_a_gap),
        TEST(a_claim_to_have_seen_the_future_does_not_affect_other_viewers),
        TEST(a_log_that_is_always_ahead_of_the_feed_does_not_keep_viewers_out),
        TEST(a_store_that_went_back_still_serves_what_it_has),
        TEST(a_store_that_came_back_empty_leaves_a_gap_up_to_the_feed),
        TEST(what_the_store_lost_is_taken_from_the_history_if_it_is_there),
        TEST(a_viewer_that_has_seen_more_of_what_was_lost_than_the_feed_gets_none_of_it_again),
        TEST(what_was_appended_below_the_feed_is_not_history_yet),
        TEST(a_backfill_that_fails_is_retried_with_the_next_sweep),
        TEST(a_backfill_that_fails_half_way_sends_nothing_twice),
        TEST(a_viewer_that_waits_too_long_is_refused),
        TEST(a_join_after_one_that_was_refused_in_the_same_turn_loses_no_other_job),
        TEST(refused_because_the_store_has_no_room_for_the_video),
        TEST(viewers_that_join_in_one_turn_start_at_its_end),
        TEST(refused_while_the_log_is_read),
        TEST(with_no_budget_it_is_served_from_the_log_alone),
        TEST(with_little_budget_on_a_busy_video_it_is_served_too),
        TEST(without_memory_a_viewer_waits_for_some_and_then_gets_a_gap),
        TEST(memory_that_comes_in_time_is_used),
        TEST(a_viewer_gets_the_newest_of_what_there_is_no_room_for),
        TEST(the_newest_are_those_when_there_is_room_to_read_them),
        TEST(what_is_in_the_history_needs_memory_for_each_viewer),
        TEST(a_limited_number_of_backfills_run_at_a_time),
        TEST(history_yields_to_what_is_read_for_others),
        TEST(what_was_read_is_given_out_before_others_need_its_memory),
        TEST(backfills_of_several_videos_take_turns),
        TEST(those_that_arrive_together_start_in_portions),
        TEST(a_broadcast_is_not_idle_while_a_viewer_waits_for_its_turn),
        TEST(history_that_is_not_used_is_dropped),
        TEST(a_broadcast_without_viewers_is_idle_from_then_on),
        TEST(a_broadcast_is_not_idle_while_a_viewer_waits),
        TEST(the_viewers_of_all_broadcasts_are_counted),
        TEST(the_idle_ones_of_many_are_found),
        TEST(closed_while_viewers_wait),
        TEST(closed_while_the_log_is_read),
        TEST(closed_between_two_pieces),
        TEST(closed_with_viewers_and_history),
        TEST(every_viewer_gets_exactly_what_it_missed),
        TEST(after_the_end_only_those_join_that_have_missed_something),
        TEST(a_video_that_is_over_before_its_first_viewer),
        TEST(a_start_after_the_end_goes_on_and_cuts_those_that_were_still_to_be_ended),
        TEST(a_viewer_that_comes_after_a_start_is_not_told_that_it_is_over),
        TEST(while_the_store_does_not_confirm_the_end_no_stream_begins_at_it),
        TEST(what_was_read_for_a_viewer_waits_until_the_end_is_confirmed),
        TEST(without_memory_no_stream_begins_at_an_end_that_is_not_confirmed),
        TEST(an_end_that_expired_before_the_reader_saw_it_is_asked_for),
        TEST(an_end_that_the_store_has_lost_was_none),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
