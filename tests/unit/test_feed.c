#include "unit.h"

#include <sys/mman.h>

#include "base/log.h"
#include "dice.h"
#include "fake_engine.h"
#include "frame_list.h"
#include "reader/feed.h"
#include "run_loop.h"

enum { AGAIN_MS = 250, BATCH = 250, PORTION_EVERY_MS = 25 }; // the feed's own

static struct loop *loop;
static struct fake_engine *engine;
static struct feed the_feed, *feed; // NULL: closed
static struct feed_env env;
static struct frame_list shown;
static bool steps_back; // the test has the feed do so
static unsigned live;   // how often on_live() was called

static void on_live(struct feed *f) {
    assert_ptr_equal(f, feed);
    assert_true(feed_is_live(feed));
    assert_int_equal(shown.count, 0); // nothing is shown before
    live++;
}

// The position is the one in front of the frame.
static void on_frame(struct feed *of, struct frame *f) {
    assert_ptr_equal(of, feed);
    assert_int_equal(live, 1);
    assert_true(steps_back || !position_is_set(f->at) || position_compare(feed_position(of), f->first) < 0);
    frame_list_take(&shown, f);
}

static int set_up(void **state) {
    (void)state;
    live = 0;
    steps_back = false;
    loop = loop_new();
    engine = fake_engine_new();
    env = (struct feed_env){.loop = loop,
                            .engine = fake_engine(engine),
                            .instance_id = "reader-7",
                            .most_asking = 2,
                            .on_live = on_live,
                            .on_frame = on_frame};
    feed = &the_feed;
    feed_open(feed, &env, FAKE_VIDEO);
    return 0;
}

static void close_feed(void) {
    if (feed) feed_close(feed);
    feed = NULL;
}

static int tear_down(void **state) {
    (void)state;
    close_feed();
    fake_engine_free(engine);
    loop_free(loop);
    frame_list_release(&shown);
    return env.asking || env.in_line;
}

static void assert_shown(const char *text) {
    assert_string_equal(frame_list_text(&shown), text);
}

static void assert_at(uint64_t epoch, uint64_t seq) {
    assert_int_equal(feed_position(feed).epoch, epoch);
    assert_int_equal(feed_position(feed).seq, seq);
}

static void assert_waiting(enum fake_kind kind) {
    assert_int_equal(fake_waiting(engine), 1);
    assert_int_equal(fake_query(engine, 0).kind, kind);
}

static void assert_waiting_for_range(uint64_t epoch, uint64_t seq) {
    assert_waiting(FAKE_RANGE);
    assert_int_equal(fake_query(engine, 0).after.epoch, epoch);
    assert_int_equal(fake_query(engine, 0).after.seq, seq);
}

// Opens it where the log ends.
static void go_live(uint64_t epoch, uint64_t seq) {
    fake_set_head(engine, pos(epoch, seq));
    fake_notify_subscribed(engine);
    assert_waiting(FAKE_HEAD);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 0);
    assert_int_equal(live, 1);
    assert_at(epoch, seq);
}

// Opening

static void a_feed_is_live_once_it_knows_the_position_of_the_log(void **state) {
    (void)state;
    assert_int_equal(fake_subscriptions(engine), 1);
    assert_int_equal(fake_waiting(engine), 0); // not before the subscription holds
    assert_false(feed_is_live(feed));
    fake_log_run(engine, 1, 1, 7);
    fake_notify_subscribed(engine);
    assert_waiting(FAKE_HEAD);
    assert_false(feed_is_live(feed));
    assert_int_equal(live, 0);
    fake_answer(engine, 0);
    assert_int_equal(live, 1);
    assert_at(1, 7);
    assert_shown(""); // what was there before is history
}

static void entries_before_the_head_is_known_are_shown_after_it(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 3);
    fake_notify_subscribed(engine);
    fake_take_effect(engine); // the head is 1-3
    fake_append_run(engine, 1, 4, 5);
    assert_false(feed_is_live(feed));
    fake_answer(engine, 0);
    assert_int_equal(live, 1);
    assert_at(1, 3);
    assert_waiting_for_range(1, 3);
    fake_answer(engine, 0);
    assert_shown("1-4 1-5");
    assert_int_equal(fake_waiting(engine), 0);
}

static void entries_that_the_head_counts_are_not_shown(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 3);
    fake_notify_subscribed(engine);
    fake_append_run(engine, 1, 4, 5);
    fake_answer(engine, 0); // the head is 1-5
    assert_at(1, 5);
    assert_int_equal(fake_waiting(engine), 0);
    assert_shown("");
}

static void entries_count_even_before_the_subscription_is_confirmed(void **state) {
    (void)state;
    fake_log_run(engine, 1, 1, 3);
    fake_publish(engine, comment_at(1, 4));
    fake_notify_subscribed(engine);
    fake_take_effect(engine);
    fake_log_run(engine, 1, 4, 4);
    fake_answer(engine, 0);
    assert_waiting_for_range(1, 3);
    fake_answer(engine, 0);
    assert_shown("1-4");
}

static void a_head_query_that_fails_is_repeated(void **state) {
    static const enum engine_status failures[] = {ENGINE_UNAVAILABLE, ENGINE_BUSY, ENGINE_FULL};
    (void)state;
    fake_notify_subscribed(engine);
    for (int i = 0; i < 3; i++) {
        fake_fail(engine, 0, failures[i]);
        run_later(loop, (AGAIN_MS << i) / 2 - 1);
        assert_int_equal(fake_waiting(engine), 0);
        run_later(loop, (AGAIN_MS << i) / 2 + 1);
        assert_waiting(FAKE_HEAD);
    }
    assert_int_equal(live, 0);
    fake_set_head(engine, pos(1, 7));
    fake_answer(engine, 0);
    assert_int_equal(live, 1);
    assert_at(1, 7);
}

// Following

static void entries_in_order_pass_through(void **state) {
    (void)state;
    go_live(1, 3);
    fake_append_run(engine, 1, 4, 5);
    assert_at(1, 5);
    fake_append(engine, tombstone_at(1, 6));
    assert_at(1, 6);
    fake_append_run(engine, 1, 7, 7);
    fake_append(engine, comment_after(2, 1, pos(1, 7)));
    assert_shown("1-4 1-5 1-7 2-1");
    assert_int_equal(fake_waiting(engine), 0); // the log was not needed
}

static void a_video_without_comments_begins_at_0(void **state) {
    (void)state;
    go_live(1, 0);
    fake_append_run(engine, 1, 1, 2);
    assert_shown("1-1 1-2");
}

static void repeats_are_dropped(void **state) {
    (void)state;
    go_live(1, 3);
    fake_append_run(engine, 1, 4, 5);
    fake_publish(engine, comment_at(1, 5));
    assert_waiting(FAKE_HEAD); // the store may have gone back
    fake_publish(engine, comment_at(1, 2));
    fake_append_run(engine, 1, 6, 6);
    assert_true(fake_answer_all(engine, 10) < 10);
    assert_shown("1-4 1-5 1-6");
    assert_int_equal(fake_waiting(engine), 0);
}

static void messages_without_number_pass_as_they_are(void **state) {
    (void)state;
    fake_publish(engine, foreign_message("{\"n\":0}"));
    go_live(1, 3);
    fake_publish(engine, foreign_message("{\"n\":1}"));
    fake_append_run(engine, 1, 4, 4);
    assert_at(1, 4);
    fake_publish(engine, comment_at(1, 6)); // a hole
    fake_publish(engine, foreign_message("{\"n\":2}"));
    fake_log_run(engine, 1, 5, 6);
    fake_answer(engine, 0);
    assert_shown("{\"n\":1} 1-4 {\"n\":2} 1-5 1-6");
}

// Holes

static void a_hole_is_filled_from_the_log(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 5);
    fake_append_run(engine, 1, 6, 6);
    assert_shown("");
    assert_waiting_for_range(1, 3);
    fake_answer(engine, 0);
    assert_shown("1-4 1-5 1-6");
    assert_int_equal(fake_waiting(engine), 0);
    fake_append_run(engine, 1, 7, 7);
    assert_shown("1-7");
}

static void log_lines_name_the_reader_that_found_a_hole(void **state) {
    (void)state;
    static const char expected[] =
        "level=info role=reader-7 event=hole video=" FAKE_VIDEO " action=\"reading the log\"\n";
    char logged[256] = "";
    int log = memfd_create("log", MFD_CLOEXEC), real_stderr = dup(STDERR_FILENO);
    go_live(1, 3);
    log_set_level(LOG_INFO);
    dup2(log, STDERR_FILENO);
    fake_log_run(engine, 1, 4, 5);
    fake_append_run(engine, 1, 6, 6);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    log_set_level(LOG_ERROR);
    assert_true(pread(log, logged, sizeof logged - 1, 0) > 0);
    close(log);
    assert_string_equal(logged, expected);
    fake_answer(engine, 0);
    assert_shown("1-4 1-5 1-6");
}

static void what_arrives_while_a_hole_is_filled_is_neither_lost_nor_doubled(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 5);
    fake_append_run(engine, 1, 6, 6);
    fake_append_run(engine, 1, 7, 7); // the answer will hold it
    fake_take_effect(engine);
    fake_append_run(engine, 1, 8, 9); // and these not
    fake_publish(engine, comment_at(1, 6));
    assert_int_equal(fake_waiting(engine), 1); // one question at a time
    fake_answer(engine, 0);
    assert_shown("1-4 1-5 1-6 1-7");
    assert_waiting_for_range(1, 7);
    fake_append_run(engine, 1, 10, 10);
    fake_answer(engine, 0);
    assert_shown("1-8 1-9 1-10");
    assert_int_equal(fake_waiting(engine), 0);
}

static struct engine_entry unread_at(uint64_t epoch, uint64_t seq) {
    return (struct engine_entry){.at = pos(epoch, seq), .kind = ENTRY_UNREAD};
}

static void an_entry_published_without_its_fields_is_read_from_the_log(void **state) {
    (void)state;
    go_live(1, 3);
    struct engine_entry later = comment_at(1, 4);
    later.kind = (enum entry_kind)77; // a later version's
    fake_log(engine, later);
    fake_publish(engine, unread_at(1, 4));
    assert_at(1, 3);
    assert_waiting_for_range(1, 3);
    fake_append_run(engine, 1, 5, 5); // arrives meanwhile
    fake_answer(engine, 0);
    assert_shown("1-5"); // the kind is not known: only the position moves
    assert_at(1, 5);
    assert_int_equal(fake_waiting(engine), 0);
    fake_log_run(engine, 1, 6, 6);
    fake_publish(engine, unread_at(1, 6));
    fake_answer(engine, 0);
    fake_append_run(engine, 1, 7, 7);
    assert_shown("1-6 1-7");
}

static void a_loss_published_without_its_fields_is_announced(void **state) {
    (void)state;
    go_live(1, 3);
    struct engine_entry loss = tombstone_at(2, 1), published = unread_at(2, 1);
    loss.prev = published.prev = pos(1, 3);
    fake_log(engine, loss);
    fake_publish(engine, published);
    fake_answer(engine, 0);
    assert_shown("gap(1-4..2-1 null epoch)");
    assert_int_equal(fake_answer_all(engine, 2), 1); // whether the video is over
}

static void a_long_hole_is_read_in_pieces(void **state) {
    (void)state;
    go_live(1, 0);
    fake_log_run(engine, 1, 1, 2 * BATCH + 10);
    fake_publish(engine, comment_at(1, 2 * BATCH + 10));
    for (uint64_t i = 0; i < 3; i++) {
        assert_waiting_for_range(1, i * BATCH);
        assert_int_equal(fake_query(engine, 0).limit, BATCH);
        fake_answer(engine, 0);
        run_later(loop, PORTION_EVERY_MS - 1); // viewers that read get time to do so
        assert_int_equal(fake_waiting(engine), 0);
        run_later(loop, 1);
    }
    assert_int_equal(fake_waiting(engine), 0);
    assert_int_equal(shown.count, 2 * BATCH + 10);
    for (uint64_t i = 0; i < shown.count; i++) assert_int_equal(shown.frames[i]->at.seq, i + 1);
}

static void what_has_expired_meanwhile_is_announced(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 8);
    fake_expire(engine, pos(1, 6));
    fake_publish(engine, comment_at(1, 8));
    fake_answer(engine, 0);
    assert_shown("gap(1-4..1-6 3 expired) 1-7 1-8");
}

static void all_of_it_expired_is_announced_up_to_the_head(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 8);
    fake_expire(engine, pos(1, 8));
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 3);
    assert_shown("gap(1-4..1-8 5 expired)");
    assert_at(1, 8);
    fake_append_run(engine, 1, 9, 9);
    assert_shown("1-9");
}

static void a_range_query_that_fails_is_repeated(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 5);
    fake_append_run(engine, 1, 6, 6);
    assert_waiting(FAKE_RANGE);
    for (int i = 0; i < 3; i++) {
        fake_fail(engine, 0, i % 2 ? ENGINE_BUSY : ENGINE_UNAVAILABLE);
        fake_append_run(engine, 1, 7 + (uint64_t)i, 7 + (uint64_t)i);
        assert_int_equal(fake_waiting(engine), 0);
        run_later(loop, AGAIN_MS << i);
        assert_waiting(FAKE_HEAD);
    }
    assert_shown("");
    fake_answer(engine, 0);
    assert_waiting_for_range(1, 3);
    fake_answer(engine, 0);
    assert_shown("1-4 1-5 1-6 1-7 1-8 1-9");
    assert_int_equal(fake_waiting(engine), 0);
    run_later(loop, 50 * AGAIN_MS); // it has not gone on asking
    assert_int_equal(fake_waiting(engine), 0);
}

static void a_range_query_that_fails_between_pieces_continues_where_it_was(void **state) {
    (void)state;
    go_live(1, 0);
    fake_log_run(engine, 1, 1, BATCH + 10);
    fake_publish(engine, comment_at(1, BATCH + 10));
    fake_answer(engine, 0);
    assert_int_equal(shown.count, BATCH);
    run_later(loop, PORTION_EVERY_MS);
    fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    run_later(loop, AGAIN_MS);
    fake_answer(engine, 0); // head
    assert_waiting_for_range(1, BATCH);
    fake_answer(engine, 0);
    assert_int_equal(shown.count, BATCH + 10);
    assert_int_equal(fake_waiting(engine), 0);
}

static void an_entry_that_the_log_never_had_is_not_queried_endlessly(void **state) {
    (void)state;
    go_live(1, 3);
    fake_publish(engine, comment_at(1, 6)); // and its store died with it
    fake_answer_all(engine, 3);
    assert_int_equal(fake_waiting(engine), 0);
    assert_shown("");
    fake_append_run(engine, 1, 4, 4);
    assert_shown("1-4");
}

// Interruptions

static void what_an_interruption_lost_is_read(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 6); // not published
    fake_notify_subscribed(engine);
    assert_waiting(FAKE_HEAD);
    fake_append_run(engine, 1, 7, 7);
    assert_shown("");
    fake_answer(engine, 0);
    assert_waiting_for_range(1, 3);
    fake_answer(engine, 0);
    assert_shown("1-4 1-5 1-6 1-7");
    assert_int_equal(live, 1); // called once
}

static void an_interruption_that_lost_nothing_shows_nothing(void **state) {
    (void)state;
    go_live(1, 3);
    fake_notify_subscribed(engine);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 0);
    fake_append_run(engine, 1, 4, 4);
    assert_shown("1-4");
}

static void a_second_interruption_before_the_answer_is_checked_too(void **state) {
    (void)state;
    go_live(1, 3);
    fake_notify_subscribed(engine);
    fake_take_effect(engine);      // the head was 1-3
    fake_log_run(engine, 1, 4, 4); // lost in the second one
    fake_notify_subscribed(engine);
    assert_int_equal(fake_waiting(engine), 1);
    fake_answer(engine, 0);
    assert_waiting(FAKE_HEAD);
    fake_answer(engine, 0);
    assert_waiting_for_range(1, 3);
    fake_answer(engine, 0);
    assert_shown("1-4");
    assert_int_equal(fake_waiting(engine), 0);
}

static void an_interruption_before_the_feed_is_live_is_checked_too(void **state) {
    (void)state;
    fake_set_head(engine, pos(1, 3));
    fake_notify_subscribed(engine);
    fake_take_effect(engine);
    fake_log_run(engine, 1, 4, 4);
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 10);
    assert_int_equal(live, 1);
    assert_shown("1-4");
}

static void a_check_finds_what_others_have_seen(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 4);
    feed_check(feed);
    fake_answer_all(engine, 10);
    assert_shown("1-4");
    feed_check(feed);
    assert_int_equal(fake_answer_all(engine, 10), 1);
    assert_shown("");
}

static void a_check_while_a_hole_is_filled_comes_after_it(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 4);
    fake_append_run(engine, 1, 5, 5);
    fake_take_effect(engine);
    feed_check(feed);
    assert_int_equal(fake_waiting(engine), 1);
    fake_log_run(engine, 1, 6, 6);
    fake_answer(engine, 0);
    assert_shown("1-4 1-5");
    assert_int_equal(fake_answer_all(engine, 10), 2);
    assert_shown("1-6");
}

// A store that has lost what we have seen

static void a_store_that_went_back_learns_of_it_and_announces_it(void **state) {
    (void)state;
    go_live(1, 9);
    fake_lose(engine, pos(1, 4));
    fake_notify_subscribed(engine);
    assert_int_equal(position_compare(fake_query(engine, 0).known, pos(1, 9)), 0);
    fake_answer_all(engine, 10);
    assert_shown("gap(1-10..2-1 null epoch)");
    assert_at(2, 1);
    fake_append_run(engine, 2, 2, 3);
    assert_shown("2-2 2-3");
    assert_int_equal(fake_waiting(engine), 0);
}

static void a_store_that_does_not_know_its_loss_learns_of_it(void **state) {
    (void)state;
    go_live(1, 9);
    fake_lose(engine, pos(1, 4));
    fake_append(engine, comment_after(2, 1, pos(1, 4)));
    assert_waiting_for_range(1, 9);
    fake_answer(engine, 0);
    assert_shown("gap(1-10..2-0 null epoch) 2-1");
    assert_waiting(FAKE_HEAD); // for viewers at 1-4
    assert_int_equal(position_compare(fake_query(engine, 0).known, pos(1, 9)), 0);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 0);
}

static void a_loss_is_announced_also_where_the_epochs_first_entry_was_missed(void **state) {
    (void)state;
    go_live(1, 9);
    fake_lose(engine, pos(1, 4));
    fake_log(engine, comment_after(2, 1, pos(1, 4)));
    fake_append_run(engine, 2, 2, 2);
    fake_answer_all(engine, 10);
    assert_shown("gap(1-10..2-0 null epoch) 2-1 2-2");
}

static void a_store_that_lost_a_whole_epoch_is_announced(void **state) {
    (void)state;
    go_live(2, 3);
    fake_append(engine, comment_after(3, 1, pos(1, 4)));
    fake_answer_all(engine, 10);
    assert_shown("gap(2-4..3-0 null epoch) 3-1");
}

static void epochs_missed_that_lost_nothing_are_no_gap(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 4);
    fake_log(engine, comment_after(2, 1, pos(1, 4)));
    fake_append(engine, comment_after(3, 1, pos(2, 1)));
    fake_answer_all(engine, 10);
    assert_shown("1-4 2-1 3-1");
}

// A clock had gone back, and a process that knew of nothing has appended below what we have seen: what we
// heard of is shown, and then goes on above.
static void what_was_appended_below_is_shown_and_the_store_moves_above(void **state) {
    (void)state;
    go_live(5, 9);
    steps_back = true;
    fake_lose(engine, pos(0, 0));
    fake_append_run(engine, 3, 1, 2);
    assert_waiting(FAKE_HEAD);
    assert_int_equal(position_compare(fake_query(engine, 0).known, pos(5, 9)), 0);
    fake_answer_all(engine, 10);
    assert_shown("gap(5-10..3-0 null epoch) 3-1 3-2 gap(3-3..6-1 null epoch)");
    fake_append_run(engine, 6, 2, 3);
    assert_shown("6-2 6-3");
    assert_int_equal(fake_waiting(engine), 0);
}

// It goes back no farther than to where it left the epoch.
static void what_was_shown_of_an_epoch_below_is_not_shown_again(void **state) {
    (void)state;
    go_live(3, 7);
    fake_append_run(engine, 3, 8, 9);
    fake_append(engine, comment_after(5, 1, pos(3, 9)));
    assert_shown("3-8 3-9 5-1");
    steps_back = true;
    fake_lose(engine, pos(3, 9));
    fake_append_run(engine, 3, 10, 11);
    fake_answer_all(engine, 10);
    assert_shown("gap(5-2..3-9 null epoch) 3-10 3-11 gap(3-12..6-1 null epoch)");
}

// Whether it was there all the time, or is new: then its beginning is left out, which the gap says.
static void what_a_feed_has_not_seen_of_an_epoch_below_is_not_shown_from_its_beginning(void **state) {
    (void)state;
    go_live(5, 9);
    steps_back = true;
    fake_lose(engine, pos(0, 0));
    fake_log_run(engine, 3, 1, 4);
    fake_append_run(engine, 3, 5, 6);
    fake_answer_all(engine, 10);
    assert_shown("gap(5-10..3-0 null epoch) gap(3-1..3-4 4 expired) 3-5 3-6 gap(3-7..6-1 null epoch)");
}

// Another process was first to tell the store of the loss, so that the feed's question does not find it.
static void what_was_appended_below_is_shown_also_if_the_loss_is_known_already(void **state) {
    (void)state;
    go_live(3, 7);
    fake_append(engine, comment_after(5, 1, pos(3, 7)));
    steps_back = true;
    fake_lose(engine, pos(3, 7));
    fake_append(engine, comment_after(4, 1, pos(3, 7)));
    struct engine_entry loss = tombstone_at(6, 1);
    loss.prev = pos(2, 5);
    fake_append(engine, loss);
    fake_answer_all(engine, 10);
    assert_shown("5-1 gap(5-2..4-0 null epoch) 4-1 gap(2-6..6-1 null epoch)");
}

// It has not arrived, and the tombstone does not tell where the log stood before.
static void what_was_appended_below_is_shown_also_if_only_the_tombstone_arrives(void **state) {
    (void)state;
    go_live(3, 7);
    fake_append(engine, comment_after(5, 1, pos(3, 7)));
    steps_back = true;
    fake_lose(engine, pos(3, 7));
    fake_log(engine, comment_after(4, 1, pos(3, 7)));
    struct engine_entry loss = tombstone_at(6, 1);
    loss.prev = pos(2, 5);
    fake_append(engine, loss);
    fake_answer_all(engine, 10);
    assert_shown("5-1 gap(5-2..3-7 null epoch) 4-1 gap(2-6..6-1 null epoch)");
}

static void a_tombstone_that_reaches_back_is_no_step_back_if_nothing_is_below(void **state) {
    (void)state;
    go_live(3, 7);
    fake_append(engine, comment_after(5, 1, pos(3, 7)));
    steps_back = true; // the gap begins there
    fake_lose(engine, pos(3, 7));
    struct engine_entry loss = tombstone_at(6, 1);
    loss.prev = pos(2, 5);
    fake_append(engine, loss);
    assert_int_equal(fake_answer_all(engine, 10), 3);
    assert_shown("5-1 gap(2-6..6-1 null epoch)");
}

// One that was late is not the sign of a loss.
static void what_arrives_late_from_between_two_epochs_leads_nowhere(void **state) {
    (void)state;
    go_live(3, 7);
    fake_append(engine, comment_after(5, 1, pos(3, 7)));
    fake_publish(engine, comment_after(4, 1, pos(3, 7)));
    fake_append(engine, comment_after(6, 1, pos(5, 1)));
    fake_answer_all(engine, 10);
    assert_shown("5-1 6-1");
}

static void what_was_appended_below_but_did_not_arrive_is_covered_by_the_gap(void **state) {
    (void)state;
    go_live(5, 9);
    fake_lose(engine, pos(0, 0));
    fake_log_run(engine, 3, 1, 2);
    steps_back = true; // the gap begins there
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 10);
    assert_shown("gap(3-1..6-1 null epoch)");
}

static void what_arrives_below_while_the_log_is_read_counts_too(void **state) {
    (void)state;
    go_live(5, 9);
    steps_back = true;
    fake_notify_subscribed(engine);
    fake_take_effect(engine);
    fake_lose(engine, pos(0, 0));
    fake_append_run(engine, 3, 1, 1);
    fake_answer_all(engine, 10);
    assert_shown("gap(5-10..3-0 null epoch) 3-1 gap(3-2..6-1 null epoch)");
}

static void numbers_that_the_log_does_not_have_are_ignored(void **state) {
    (void)state;
    go_live(5, 9);
    const struct engine_entry forged[] = {comment_at(5, 12),
                                          comment_at(6, 1),
                                          tombstone_at(6, 1),
                                          comment_at(INT64_MAX, 1),
                                          comment_at(5, 9),
                                          comment_at(4, 1),
                                          comment_after(6, 1, pos(5, 7))};
    fake_log_run(engine, 5, 1, 9);
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        fake_publish(engine, forged[i]);
        assert_true(fake_answer_all(engine, 10) <= 2);
        assert_int_equal(fake_waiting(engine), 0);
    }
    assert_shown("");
    assert_at(5, 9);
    fake_append_run(engine, 5, 10, 10);
    assert_shown("5-10");
}

static void after_a_catch_up_what_was_read_may_still_arrive(void **state) {
    (void)state;
    go_live(1, 3);
    fake_log_run(engine, 1, 4, 6);
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 10);
    assert_shown("1-4 1-5 1-6");
    for (uint64_t seq = 4; seq <= 6; seq++) fake_publish(engine, comment_at(1, seq));
    assert_int_equal(fake_waiting(engine), 0);
    fake_append_run(engine, 1, 7, 7);
    assert_shown("1-7");
    fake_publish(engine, comment_at(1, 6)); // but only once
    assert_waiting(FAKE_HEAD);
}

// Closing

static void closed_while_its_first_answer_is_pending(void **state) {
    (void)state;
    fake_notify_subscribed(engine);
    close_feed();
    assert_int_equal(fake_subscriptions(engine), 0);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 0);
    assert_int_equal(live, 0);
}

static void closed_while_a_range_is_pending(void **state) {
    (void)state;
    for (int failing = 0; failing < 2; failing++) {
        go_live(1, 3);
        fake_publish(engine, comment_at(1, 6));
        fake_log_run(engine, 1, 4, 6);
        close_feed();
        fake_fail(engine, 0, failing ? ENGINE_UNAVAILABLE : ENGINE_OK);
        assert_int_equal(fake_waiting(engine), 0);
        assert_shown("");
        run_later(loop, AGAIN_MS); // no timer is left either
        assert_int_equal(fake_waiting(engine), 0);
        tear_down(state);
        set_up(state);
    }
}

static void closed_while_it_waits_to_repeat_a_query(void **state) {
    (void)state;
    fake_notify_subscribed(engine);
    fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    close_feed();
    run_later(loop, AGAIN_MS);
    assert_int_equal(fake_waiting(engine), 0);
}

static void with_the_engine_closed_it_queries_no_more(void **state) {
    (void)state;
    fake_notify_subscribed(engine);
    fake_fail(engine, 0, ENGINE_CLOSED);
    run_later(loop, AGAIN_MS);
    assert_int_equal(fake_waiting(engine), 0);
}

// Whatever is lost on the way and whenever the answers come, the log is shown, whole and in order.
static void anything_may_be_lost_but_nothing_is_missed(void **state) {
    enum { STEPS = 4000 };
    (void)state;
    dice_begin(__func__);
    go_live(1, 0);
    uint64_t seq = 0;
    for (int i = 0; i < STEPS; i++) {
        switch (dice(8)) {
        case 0:
        case 1:
        case 2: fake_append_run(engine, 1, seq + 1, seq + 1), seq++; break;
        case 3: fake_log_run(engine, 1, seq + 1, seq + 1), seq++; break; // not published
        case 4:
            if (seq) fake_publish(engine, comment_at(1, 1 + dice(seq))); // published again
            break;
        case 5:
            if (fake_waiting(engine)) fake_answer(engine, 0);
            break;
        case 6:
            if (fake_waiting(engine) && dice_one_in(2)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
            if (dice_one_in(10)) fake_notify_subscribed(engine);
            break;
        case 7:
            fake_take_effect(engine);
            run_later(loop, (int64_t)dice(100));
            break;
        }
    }
    fake_notify_subscribed(engine);
    for (int i = 0; i < 3; i++) {
        fake_answer_all(engine, 100);
        run_later(loop, AGAIN_MS);
    }
    assert_int_equal(fake_waiting(engine), 0);
    assert_int_equal(shown.count, seq);
    for (uint64_t n = 0; n < shown.count; n++) assert_int_equal(shown.frames[n]->at.seq, n + 1);
}

// The store loses its end again and again, and goes on from there: knowing of it or not, in a higher epoch
// or, under a slow clock, in one below what we have seen. Whatever the log holds in the end was shown once,
// or is in a gap.

static void let_it_settle(void) {
    fake_notify_subscribed(engine);
    for (int i = 0; i < 8; i++) {
        fake_answer_all(engine, 100);
        run_later(loop, AGAIN_MS);
    }
    assert_int_equal(fake_waiting(engine), 0);
}

static void append_somehow(struct engine_entry e) {
    if (dice_one_in(3))
        fake_log(engine, e); // not published
    else
        fake_append(engine, e);
}

// The first append after a loss begins an epoch, by a process that knows of no loss.
static void append_next(uint64_t *highest, bool *new_run) {
    struct position head = fake_head(engine);
    if (!*new_run) {
        append_somehow(comment_at(head.epoch, head.seq + 1));
        return;
    }
    uint64_t epoch = !head.epoch && dice_one_in(2) ? *highest - 5 : *highest + 10;
    if (epoch > *highest) *highest = epoch;
    append_somehow(position_is_set(head) ? comment_after(epoch, 1, head) : comment_at(epoch, 1));
    *new_run = false;
}

static void lose_something(void) {
    const struct engine_entry *log;
    size_t logged = fake_logged(engine, &log);
    fake_lose(engine, logged && !dice_one_in(4) ? log[dice(logged)].at : pos(0, 0));
    if (dice_one_in(3)) fake_notify_subscribed(engine);
}

static bool was_shown(struct position p) {
    unsigned times = 0;
    bool covered = false;
    for (size_t i = 0; i < shown.count; i++) {
        const struct frame *f = shown.frames[i];
        bool is_gap = position_compare(f->first, f->at) != 0 || memmem(f->bytes, f->len, "event: gap", 10);
        if (!is_gap)
            times += position_compare(f->at, p) == 0;
        else if (position_compare(f->first, p) <= 0 && position_compare(p, f->at) <= 0)
            covered = true;
    }
    assert_true(times <= 1);
    return times || covered;
}

static void whatever_the_store_loses_what_it_has_is_shown_or_announced(void **state) {
    (void)state;
    dice_begin(__func__);
    for (int round = 0; round < 300; round++) {
        uint64_t highest = 1000;
        bool new_run = false;
        go_live(highest, 0);
        steps_back = true;
        for (int i = 0; i < 60; i++) {
            struct position head = fake_head(engine);
            if (head.epoch > highest) {
                highest = head.epoch; // a loss was announced
                new_run = false;
            }
            switch (dice(6)) {
            case 0:
            case 1:
            case 2: append_next(&highest, &new_run); break;
            case 3:
                if (fake_waiting(engine)) fake_answer(engine, 0);
                break;
            case 4:
                if (fake_waiting(engine)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
                run_later(loop, (int64_t)dice(300));
                break;
            case 5:
                if (!dice_one_in(4)) break;
                let_it_settle();
                if (fake_head(engine).epoch > highest) highest = fake_head(engine).epoch;
                lose_something();
                new_run = true;
                break;
            }
        }
        let_it_settle();
        const struct engine_entry *log;
        size_t logged = fake_logged(engine, &log);
        for (size_t i = 0; i < logged; i++)
            if (log[i].kind == ENTRY_COMMENT && !was_shown(log[i].at))
                fail_msg("round %d: %d-%d was neither shown nor announced: %s", round, (int)log[i].at.epoch,
                         (int)log[i].at.seq, frame_list_text(&shown));
        tear_down(state);
        set_up(state);
    }
}

// Many that share the engine

static void count_live(struct feed *f) {
    (void)f;
    live++;
}

static void a_limited_number_of_queries_run_and_the_others_take_turns(void **state) {
    (void)state;
    enum { MANY = 7 };
    static struct feed many[MANY];
    close_feed();
    env.on_live = count_live;
    fake_set_head(engine, pos(1, 3));
    for (int i = 0; i < MANY; i++) feed_open(&many[i], &env, FAKE_VIDEO);
    fake_notify_subscribed(engine);
    assert_int_equal(fake_waiting(engine), 2);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 2);
    assert_true(feed_is_live(&many[0]));
    assert_false(feed_is_live(&many[2]));
    fake_fail(engine, 0, ENGINE_UNAVAILABLE); // its turn comes again, after the others
    feed_close(&many[2]);                     // while its question is under way
    feed_close(&many[4]);                     // while it is in line
    assert_int_equal(fake_answer_all(engine, 100), 4);
    assert_int_equal(live, 4);
    run_later(loop, AGAIN_MS);
    assert_int_equal(fake_answer_all(engine, 100), 1);
    assert_int_equal(live, 5);
    for (int i = 0; i < MANY; i++)
        if (i != 2 && i != 4) feed_close(&many[i]);
}

static struct feed many[7];

static void open_many(void) {
    close_feed();
    env.on_live = count_live;
    fake_set_head(engine, pos(1, 3));
    for (int i = 0; i < 7; i++) feed_open(&many[i], &env, FAKE_VIDEO);
    fake_notify_subscribed(engine);
    fake_answer_all(engine, 100);
    assert_int_equal(live, 7);
}

static void close_many(void) {
    for (int i = 0; i < 7; i++) feed_close(&many[i]);
}

static void while_the_store_fails_one_feed_probes_for_all_less_and_less_often(void **state) {
    (void)state;
    open_many();
    fake_set_ready(engine, false);
    fake_notify_subscribed(engine);
    unsigned before = fake_asked(engine);
    for (int ms = 0; ms < 60000; ms += 25) {
        while (fake_waiting(engine)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
        run_later(loop, 25);
    }
    assert_in_range(fake_asked(engine) - before, 8, 20); // 7 feeds, a minute: every 250 ms it was 1,680
    fake_set_ready(engine, true);
    for (int ms = 0; ms < 10000 && !fake_waiting(engine); ms += 25) run_later(loop, 25);
    assert_int_equal(fake_waiting(engine), 1);
    fake_answer(engine, 0);
    assert_int_equal(fake_waiting(engine), 2); // all go on at once, as many as may
    fake_answer_all(engine, 100);
    close_many();
}

static void a_renewed_subscription_cuts_the_pause_short(void **state) {
    (void)state;
    open_many();
    fake_set_ready(engine, false);
    fake_notify_subscribed(engine);
    for (int ms = 0; ms < 30000; ms += 25) {
        while (fake_waiting(engine)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
        run_later(loop, 25);
    }
    fake_set_ready(engine, true);
    fake_notify_subscribed(engine);
    assert_in_range(fake_waiting(engine), 1, 2);
    fake_answer_all(engine, 100);
    assert_int_equal(env.pause_ms, 0);
    close_many();
}

static void a_new_feed_sends_its_first_query_while_others_pause(void **state) {
    (void)state;
    open_many();
    fake_set_ready(engine, false);
    fake_notify_subscribed(engine);
    while (fake_waiting(engine)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    assert_true(env.pause_ms > 0);
    static struct feed late;
    feed_open(&late, &env, FAKE_VIDEO);
    fake_notify_subscribed(engine);
    assert_in_range(fake_waiting(engine), 1, 2);
    fake_answer_all(engine, 100);
    assert_int_equal(live, 8);
    feed_close(&late);
    close_many();
}

static void a_video_that_fails_does_not_delay_others(void **state) {
    (void)state;
    open_many();
    for (int i = 0; i < 10; i++) {
        feed_check(&many[0]);
        fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    }
    assert_int_equal(env.pause_ms, 0);
    feed_check(&many[1]);
    assert_int_equal(fake_waiting(engine), 1);
    fake_answer(engine, 0);
    close_many();
}

static void closed_while_all_pause(void **state) {
    (void)state;
    open_many();
    fake_set_ready(engine, false);
    fake_notify_subscribed(engine);
    while (fake_waiting(engine)) fake_fail(engine, 0, ENGINE_UNAVAILABLE);
    close_many();
    run_later(loop, 20000);
    assert_int_equal(fake_waiting(engine), 0);
    assert_int_equal(env.resume.slot, 0);
    assert_int_equal(env.pause_ms, 0); // the next query is sent at once
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_feed_is_live_once_it_knows_the_position_of_the_log),
        TEST(entries_before_the_head_is_known_are_shown_after_it),
        TEST(entries_that_the_head_counts_are_not_shown),
        TEST(entries_count_even_before_the_subscription_is_confirmed),
        TEST(a_head_query_that_fails_is_repeated),
        TEST(entries_in_order_pass_through),
        TEST(a_video_without_comments_begins_at_0),
        TEST(repeats_are_dropped),
        TEST(messages_without_number_pass_as_they_are),
        TEST(a_hole_is_filled_from_the_log),
        TEST(log_lines_name_the_reader_that_found_a_hole),
        TEST(what_arrives_while_a_hole_is_filled_is_neither_lost_nor_doubled),
        TEST(an_entry_published_without_its_fields_is_read_from_the_log),
        TEST(a_loss_published_without_its_fields_is_announced),
        TEST(a_long_hole_is_read_in_pieces),
        TEST(what_has_expired_meanwhile_is_announced),
        TEST(all_of_it_expired_is_announced_up_to_the_head),
        TEST(a_range_query_that_fails_is_repeated),
        TEST(a_range_query_that_fails_between_pieces_continues_where_it_was),
        TEST(an_entry_that_the_log_never_had_is_not_queried_endlessly),
        TEST(what_an_interruption_lost_is_read),
        TEST(an_interruption_that_lost_nothing_shows_nothing),
        TEST(a_second_interruption_before_the_answer_is_checked_too),
        TEST(an_interruption_before_the_feed_is_live_is_checked_too),
        TEST(a_check_finds_what_others_have_seen),
        TEST(a_check_while_a_hole_is_filled_comes_after_it),
        TEST(a_store_that_went_back_learns_of_it_and_announces_it),
        TEST(a_store_that_does_not_know_its_loss_learns_of_it),
        TEST(a_loss_is_announced_also_where_the_epochs_first_entry_was_missed),
        TEST(a_store_that_lost_a_whole_epoch_is_announced),
        TEST(epochs_missed_that_lost_nothing_are_no_gap),
        TEST(what_was_appended_below_is_shown_and_the_store_moves_above),
        TEST(what_was_shown_of_an_epoch_below_is_not_shown_again),
        TEST(what_a_feed_has_not_seen_of_an_epoch_below_is_not_shown_from_its_beginning),
        TEST(what_was_appended_below_is_shown_also_if_the_loss_is_known_already),
        TEST(what_was_appended_below_is_shown_also_if_only_the_tombstone_arrives),
        TEST(a_tombstone_that_reaches_back_is_no_step_back_if_nothing_is_below),
        TEST(what_arrives_late_from_between_two_epochs_leads_nowhere),
        TEST(what_was_appended_below_but_did_not_arrive_is_covered_by_the_gap),
        TEST(what_arrives_below_while_the_log_is_read_counts_too),
        TEST(numbers_that_the_log_does_not_have_are_ignored),
        TEST(after_a_catch_up_what_was_read_may_still_arrive),
        TEST(closed_while_its_first_answer_is_pending),
        TEST(closed_while_a_range_is_pending),
        TEST(closed_while_it_waits_to_repeat_a_query),
        TEST(with_the_engine_closed_it_queries_no_more),
        TEST(anything_may_be_lost_but_nothing_is_missed),
        TEST(whatever_the_store_loses_what_it_has_is_shown_or_announced),
        TEST(a_limited_number_of_queries_run_and_the_others_take_turns),
        TEST(while_the_store_fails_one_feed_probes_for_all_less_and_less_often),
        TEST(a_renewed_subscription_cuts_the_pause_short),
        TEST(a_new_feed_sends_its_first_query_while_others_pause),
        TEST(a_video_that_fails_does_not_delay_others),
        TEST(closed_while_all_pause),
    };
    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
