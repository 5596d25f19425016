// What viewers are shown under a readable rate, on a clock that the test moves.
#include "unit.h"

#include <stdio.h>

#include "base/buf.h"
#include "entries.h"
#include "fanout/frame.h"
#include "reader/entry_frame.h"
#include "reader/sample.h"
#include "run_loop.h"

static struct loop *loop;
static struct sample *sample;
static struct buf seen;
static uint64_t newest, shown, left_out, said; // `said`: the sum of all `more`
static struct position at;

static void on_frame(void *arg, struct position from, struct frame *f, enum sample_fate fate, uint32_t more) {
    (void)arg;
    assert_true(position_compare(from, at) == 0 || !position_is_set(f->at)); // in order, without a hole
    if (position_is_set(f->at)) at = f->at;
    buf_printf(&seen, fate == SAMPLE_LEFT_OUT ? " -%d" : " %d", (int)f->at.seq);
    if (more && fate == SAMPLE_SHOWN) buf_printf(&seen, "+%d", (int)more);
    shown += fate == SAMPLE_SHOWN;
    left_out += fate == SAMPLE_LEFT_OUT;
    said += fate == SAMPLE_SHOWN ? more : 0;
    frame_unref(f);
}

static int set_up(void **state) {
    (void)state;
    moved_clock.real = false;
    loop = loop_new();
    newest = shown = left_out = said = 0;
    at = pos(1, 0);
    sample = sample_new(loop, 2, (struct sample_calls){.on_frame = on_frame});
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sample_free(sample);
    buf_release(&seen);
    seen = (struct buf){0};
    loop_free(loop);
    return 0;
}

static void take(enum entry_kind kind, const char *body) {
    struct position before = pos(1, newest);
    sample_take(sample, before,
                frame_of_entry(&(struct engine_entry){
                    .at = pos(1, ++newest), .kind = kind, .body = body, .body_len = strlen(body)}));
}

static void comment(void) {
    take(ENTRY_COMMENT, "\"userid\":\"ann\",\"comment\":\"\\\"badges\\\":[\\\"host\\\"]\"");
}

static void comments(int n) {
    while (n--) comment();
}

static void assert_shown(const char *text) {
    assert_string_equal(buf_string(&seen), text);
    buf_clear(&seen);
}

static void below_the_rate_all_are_shown_at_once(void **state) {
    (void)state;
    comments(2);
    for (int i = 0; i < 4; i++) {
        run_later(loop, 500);
        comment();
    }
    assert_shown(" 1 2 3 4 5 6");
    assert_null(sample_held(sample));
}

static void above_it_the_newest_is_shown_when_its_time_has_come_and_says_how_many_were_left_out(
    void **state) {
    (void)state;
    comments(2);
    assert_shown(" 1 2");
    comments(3);
    assert_shown(" -3 -4");
    assert_int_equal(sample_held(sample)->seq, 4); // 1-5 is held, and 1-4 is before it
    run_later(loop, 499);
    assert_shown("");
    run_later(loop, 1);
    assert_shown(" 5+2");
    assert_null(sample_held(sample));
    run_later(loop, 500);
    comment();
    assert_shown(" 6");
}

static void the_last_of_a_burst_is_shown_and_nothing_stays_unsaid(void **state) {
    (void)state;
    comments(100);
    run_later(loop, 10000);
    assert_int_equal(at.seq, 100);
    assert_int_equal(shown, 3);
    assert_int_equal(said, left_out);
}

static void in_any_second_it_is_the_rate_and_after_a_quiet_one_as_many_more(void **state) {
    (void)state;
    sample_set_rate(sample, 10);
    run_later(loop, 60000);
    comment();
    for (int ms = 0; ms < 60000; ms += 5) {
        run_later(loop, 5);
        comment();
    }
    sample_release(sample);
    assert_in_range(shown, 600 + 9, 600 + 11);
    assert_int_equal(shown + left_out, newest);
    assert_int_equal(said, left_out);
}

// Each comes every 7 ms in turn: all of them have about the same share.
static void each_author_has_the_same_chance(void **state) {
    (void)state;
    enum { AUTHORS = 5, SHOWN = 2000 };
    unsigned of[AUTHORS] = {0};
    sample_set_rate(sample, 10);
    for (uint64_t had = shown; had < SHOWN; had = shown) {
        run_later(loop, 7);
        if (shown > had) of[at.seq % AUTHORS]++;
        comment();
    }
    for (int i = 0; i < AUTHORS; i++) assert_in_range(of[i], SHOWN / AUTHORS / 2, SHOWN / AUTHORS * 2);
}

static void hosts_and_moderators_are_always_shown(void **state) {
    (void)state;
    comments(4);
    take(ENTRY_COMMENT, "\"userid\":\"h\",\"badges\":[\"vip\",\"host\"]");
    take(ENTRY_COMMENT, "\"userid\":\"m\",\"badges\":[\"moderator\"]");
    take(ENTRY_COMMENT, "\"userid\":\"v\",\"badges\":[\"vip\"],\"comment\":\"\\\"host\\\"\"");
    take(ENTRY_COMMENT, "\"userid\":\"v\",\"badges\":[\"vip\"],\"name\":\"host\"");
    comment();
    assert_shown(" 1 2 -3 -4 5+2 6 -7 -8");
}

static void what_is_no_comment_is_always_shown_and_what_is_held_before_it(void **state) {
    (void)state;
    comments(4);
    take(ENTRY_PIN, "\"target\":\"1-3\"");
    assert_shown(" 1 2 -3 4+1 5");
    take(ENTRY_RETRACT, "\"target\":\"1-4\"");
    comment();
    sample_take(sample, at, foreign_frame("{\"n\":1}"));
    assert_shown(" 6 7 0"); // no number
}

static void an_epoch_ends_with_all_said(void **state) {
    (void)state;
    comments(4);
    sample_take(sample, pos(1, 4), comment_frame(2, 1));
    assert_shown(" 1 2 -3 4+1");
    run_later(loop, 2000);
    assert_shown(" 1");
}

static void what_is_borrowed_is_paid_back(void **state) {
    (void)state;
    comments(3);
    for (int i = 0; i < 50; i++) {
        take(ENTRY_PIN, "\"target\":\"1-1\"");
        comment();
    }
    buf_clear(&seen);
    comments(2);
    run_later(loop, 1499);
    assert_shown(" -103 -104");
    run_later(loop, 1);
    assert_shown(" 105+2");
}

static void another_rate_holds_at_once(void **state) {
    (void)state;
    comments(3);
    sample_set_rate(sample, 100);
    assert_shown(" 1 2");
    run_later(loop, 10);
    assert_shown(" 3");
    sample_set_rate(sample, 1);
    run_later(loop, 10000);
    comments(3);
    assert_shown(" 4 -5");
    sample_release(sample);
    assert_shown(" 6+1");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(below_the_rate_all_are_shown_at_once),
        CASE(above_it_the_newest_is_shown_when_its_time_has_come_and_says_how_many_were_left_out),
        CASE(the_last_of_a_burst_is_shown_and_nothing_stays_unsaid),
        CASE(in_any_second_it_is_the_rate_and_after_a_quiet_one_as_many_more),
        CASE(each_author_has_the_same_chance),
        CASE(hosts_and_moderators_are_always_shown),
        CASE(what_is_no_comment_is_always_shown_and_what_is_held_before_it),
        CASE(an_epoch_ends_with_all_said),
        CASE(what_is_borrowed_is_paid_back),
        CASE(another_rate_holds_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
