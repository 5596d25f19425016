#include "unit.h"

#include "base/json_reader.h"
#include "base/log.h"
#include "statistics/figures.h"
#include "statistics/fleet_ledger.h"

enum { SILENT_MS = 15000, REPORT_MS = 2100, WALL_MS = 1700000 };

static struct figures *figures;
static struct fleet_ledger *ledger;
static int64_t now_ms;

static int set_up(void **state) {
    (void)state;
    figures = figures_new(SILENT_MS);
    ledger = fleet_ledger_new(SILENT_MS, REPORT_MS);
    now_ms = 1000;
    log_set_level(LOG_ERROR);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    fleet_ledger_free(ledger);
    figures_free(figures);
    return 0;
}

// `rows`: members of "ledgers".
static void report_with(const char *reader, unsigned life, unsigned n, const char *more, const char *rows) {
    char text[512];
    struct report_refusal refusal;
    struct json_reader r;
    int len = snprintf(text, sizeof text,
                       "{\"instanceId\":\"%s\",\"figures\":{\"life\":%u,\"report\":%u%s},\"ledgers\":{%s}}",
                       reader, life, n, more, rows);
    json_reader_init(&r, text, (size_t)len);
    assert_true(figures_take(figures, REPORT_READER, &r, now_ms, WALL_MS + now_ms, &refusal));
    struct figures_report last = figures_last(figures, REPORT_READER);
    fleet_ledger_take(ledger, &last, now_ms, WALL_MS + now_ms);
}

static void report_numbered(const char *reader, unsigned life, unsigned n, const char *rows) {
    report_with(reader, life, n, "", rows);
}

// As readers do that do not number them.
static void report(const char *reader, unsigned life, const char *rows) {
    report_numbered(reader, life, 0, rows);
}

static int64_t number(const char *video, const char *name) {
    json_t *o = fleet_ledger_show(ledger, video);
    assert_non_null(o);
    int64_t n = json_integer_value(json_object_get(o, name));
    json_decref(o);
    return n;
}

static bool closes(const char *video) {
    json_t *o = fleet_ledger_show(ledger, video);
    bool yes = json_is_true(json_object_get(o, "closes"));
    json_decref(o);
    return yes;
}

static void assert_closes(const char *video) {
    assert_true(closes(video));
    assert_int_equal(number(video, "due"), number(video, "delivered") + number(video, "sampled") +
                                               number(video, "dropped") + number(video, "retracted") +
                                               number(video, "waiting") + number(video, "unknown"));
}

static void readers_are_added_up(void **state) {
    (void)state;
    assert_null(fleet_ledger_show(ledger, "v"));
    report("a", 1, "\"v\":\"20 10 1 2 3 1 2 4 7-9\",\"w\":\"1 1 0 0 0 0 0 1 7-1\"");
    report("b", 1, "\"v\":\"5 5 0 0 0 0 0 1 7-9\"");
    assert_int_equal(number("v", "due"), 25);
    assert_int_equal(number("v", "delivered"), 15);
    assert_int_equal(number("v", "sampled"), 1);
    assert_int_equal(number("v", "retracted"), 2);
    assert_int_equal(number("v", "dropped"), 6);
    assert_int_equal(number("v", "waiting"), 1);
    assert_closes("v");
    report("a", 1, "\"v\":\"20 11 1 2 3 1 2 4 7-9\""); // a total, not a difference
    assert_int_equal(number("v", "due"), 25);
    assert_int_equal(number("v", "waiting"), 0);
    assert_int_equal(number("w", "due"), 1);
}

static void what_is_no_row_is_ignored(void **state) {
    (void)state;
    report("a", 1, "\"v\":\"20 10 1\",\"x\":\"1 1 0 0 0 0 0 1 nowhere\",\"a b\":\"1 1 0 0 0 0 0 1 7-1\"");
    assert_null(fleet_ledger_show(ledger, "v"));
    assert_null(fleet_ledger_show(ledger, "x"));
    assert_null(fleet_ledger_show(ledger, "a b"));
}

// It had two viewers, one comment on its way to one of them, and three more may have gone out.
static void what_a_killed_reader_had_not_reported_is_unknown(void **state) {
    struct fleet_loss loss;
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 2 7-5\"");
    int64_t reported_ms = now_ms;
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS - 1);
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    fleet_ledger_sweep(ledger, ++now_ms);
    assert_true(fleet_ledger_next_loss(ledger, &loss));
    assert_string_equal(loss.video, "v");
    assert_int_equal(loss.after.seq, 5);
    assert_int_equal(loss.until_ms, WALL_MS + reported_ms + REPORT_MS);
    fleet_ledger_settle(ledger, loss.row, 3);
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    assert_int_equal(number("v", "due"), 16);
    assert_int_equal(number("v", "unknown"), 7);
    assert_int_equal(number("v", "waiting"), 0);
    assert_closes("v");
    assert_int_equal(fleet_ledger_unclosed(ledger), 0);
}

// Of `w` nothing had changed since the report before.
static void of_a_reader_that_ends_in_order_nothing_is_unknown(void **state) {
    struct fleet_loss loss;
    (void)state;
    report_numbered("a", 1, 1, "\"v\":\"10 9 0 0 0 0 0 2 7-5\",\"w\":\"1 1 0 0 0 0 0 1 7-1\"");
    report_with("a", 1, 2, ",\"last\":1", "\"v\":\"14 13 0 0 0 0 1 0 0-0\"");
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS);
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    assert_int_equal(number("v", "due"), 14);
    assert_int_equal(number("v", "unknown"), 0);
    assert_int_equal(number("w", "unknown"), 0);
    assert_closes("v");
}

static void a_later_process_of_the_same_name_counts_from_nothing(void **state) {
    struct fleet_loss loss;
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 1 7-5\"");
    report("a", 2, "\"v\":\"4 4 0 0 0 0 0 1 7-9\"");
    assert_true(fleet_ledger_next_loss(ledger, &loss)); // the first has ended
    fleet_ledger_settle(ledger, loss.row, 0);
    assert_int_equal(number("v", "due"), 14);
    assert_int_equal(number("v", "unknown"), 1);
    report("a", 1, "\"v\":\"99 0 0 0 0 0 0 1 7-5\""); // was on its way
    assert_int_equal(number("v", "due"), 14);
    assert_closes("v");
}

// Its process began while the clock was behind that of the one before, and the store had forgotten that one.
static void a_later_process_with_a_smaller_number_counts_once_the_other_is_silent(void **state) {
    (void)state;
    report("a", 9, "\"v\":\"10 10 0 0 0 0 0 1 7-5\"");
    report("a", 5, "\"v\":\"3 3 0 0 0 0 0 1 7-8\"");
    assert_int_equal(number("v", "due"), 10); // it may be a report that was on its way
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS);
    report("a", 5, "\"v\":\"4 4 0 0 0 0 0 1 7-9\"");
    assert_int_equal(number("v", "due"), 14);
    assert_closes("v");
}

static void a_reader_without_viewers_leaves_nothing_unknown(void **state) {
    struct fleet_loss loss;
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 1 0 7-5\"");
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS);
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    assert_int_equal(number("v", "unknown"), 0);
    assert_closes("v");
}

static void a_reader_that_was_only_silent_goes_on(void **state) {
    struct fleet_loss loss;
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 1 7-5\"");
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS);
    assert_true(fleet_ledger_next_loss(ledger, &loss));
    report("a", 1, "\"v\":\"12 12 0 0 0 0 0 1 7-7\"");
    fleet_ledger_settle(ledger, loss.row, 2);
    assert_int_equal(number("v", "due"), 12);
    assert_int_equal(number("v", "unknown"), 0);
    assert_closes("v");
}

// What it may have sent had been counted by then.
static void one_that_goes_on_later_says_itself_what_it_has_sent(void **state) {
    struct fleet_loss loss;
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 1 7-5\"");
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS);
    assert_true(fleet_ledger_next_loss(ledger, &loss));
    fleet_ledger_settle(ledger, loss.row, 2);
    assert_int_equal(number("v", "unknown"), 3);
    report("a", 1, "\"v\":\"12 12 0 0 0 0 0 0 7-7\"");
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS); // and without a viewer when it ends
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    assert_int_equal(number("v", "due"), 12);
    assert_int_equal(number("v", "unknown"), 0);
    assert_closes("v");
}

static void a_video_that_its_reader_has_forgotten_goes_on_counting(void **state) {
    (void)state;
    report("a", 1, "\"v\":\"10 10 0 0 0 0 0 0 7-5\"");
    report("a", 1, "\"v\":\"3 2 0 0 0 0 0 1 7-9\"");
    assert_int_equal(number("v", "due"), 13);
    assert_int_equal(number("v", "delivered"), 12);
    assert_closes("v");
}

// The connection of the second was slow, so the third was sent on another. What only the second has counts.
static void a_report_that_was_overtaken_adds_nothing(void **state) {
    (void)state;
    report_numbered("a", 1, 1, "\"v\":\"466 460 0 0 0 0 0 13 7-7\"");
    report_numbered("a", 1, 3, "\"v\":\"598 582 0 0 0 0 0 15 7-14\"");
    report_numbered("a", 1, 2, "\"v\":\"468 465 0 0 0 0 0 13 7-8\",\"w\":\"5 5 0 0 0 0 0 1 7-5\"");
    assert_int_equal(number("v", "due"), 598);
    assert_int_equal(number("v", "waiting"), 16);
    assert_int_equal(number("w", "due"), 5);
    report_numbered("a", 1, 4, "\"v\":\"662 662 0 0 0 0 0 13 7-18\"");
    assert_int_equal(number("v", "due"), 662);
    assert_int_equal(number("v", "waiting"), 0);
    report_numbered("a", 1, 5, "\"v\":\"3 2 0 0 0 0 0 1 7-90\""); // the reader has forgotten it
    assert_int_equal(number("v", "due"), 665);
    report_numbered("a", 2, 1, "\"v\":\"4 4 0 0 0 0 0 1 7-99\""); // a later process begins at 1 again
    assert_int_equal(number("v", "due"), 669);
    assert_closes("v");
}

// The reader had two comments on their way to viewers, and then gave the video away.
static void a_closed_video_is_reported_without_a_position(void **state) {
    struct fleet_loss loss;
    (void)state;
    report("a", 1, "\"v\":\"411 409 0 0 0 0 0 15 7-32\"");
    report("a", 1, "\"v\":\"582 580 0 0 0 0 2 0 0-0\"");
    assert_int_equal(number("v", "due"), 582);
    assert_int_equal(number("v", "waiting"), 0);
    assert_closes("v");
    fleet_ledger_sweep(ledger, now_ms += SILENT_MS);
    assert_false(fleet_ledger_next_loss(ledger, &loss));
    assert_int_equal(number("v", "unknown"), 0);
}

static void more_than_was_due_does_not_close(void **state) {
    (void)state;
    report("a", 1, "\"v\":\"10 11 0 0 0 0 0 1 7-5\"");
    assert_false(closes("v"));
    assert_int_equal(fleet_ledger_unclosed(ledger), 1);
    assert_int_equal(number("v", "waiting"), -1);
}

static void what_waits_for_no_viewer_does_not_close(void **state) {
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 0 7-5\"");
    assert_true(closes("v")); // a viewer has just gone
    now_ms += FLEET_LEDGER_GONE_MS;
    assert_true(closes("v")); // there is no later report
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 0 7-5\"");
    assert_false(closes("v"));
    report("a", 1, "\"v\":\"10 9 0 0 0 0 1 0 7-5\"");
    assert_true(closes("v"));
}

static void what_does_not_move_is_asked_for_and_then_does_not_close(void **state) {
    (void)state;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 1 7-5\",\"w\":\"1 1 0 0 0 0 0 1 7-1\"");
    assert_null(fleet_ledger_to_ask(ledger, now_ms += FLEET_LEDGER_AGAIN_MS - 1));
    assert_string_equal(fleet_ledger_to_ask(ledger, ++now_ms), "v");
    assert_null(fleet_ledger_to_ask(ledger, now_ms)); // just asked
    now_ms += FLEET_LEDGER_STUCK_MS;
    report("a", 1, "\"v\":\"10 9 0 0 0 0 0 1 7-5\"");
    assert_false(closes("v"));
    assert_int_equal(fleet_ledger_unclosed(ledger), 1);
    report("a", 1, "\"v\":\"11 10 0 0 0 0 0 1 7-6\""); // a viewer that is merely always behind
    assert_true(closes("v"));
}

static void the_one_reported_longest_ago_makes_room(void **state) {
    (void)state;
    for (unsigned i = 0; i <= FLEET_LEDGER_ROWS; i++) {
        char row[64];
        snprintf(row, sizeof row, "\"v%u\":\"1 1 0 0 0 0 0 1 7-1\"", i);
        report("a", 1, row);
    }
    assert_null(fleet_ledger_show(ledger, "v0"));
    assert_int_equal(number("v1", "due"), 1);
}

#define FLEET_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        FLEET_TEST(readers_are_added_up),
        FLEET_TEST(what_is_no_row_is_ignored),
        FLEET_TEST(what_a_killed_reader_had_not_reported_is_unknown),
        FLEET_TEST(of_a_reader_that_ends_in_order_nothing_is_unknown),
        FLEET_TEST(a_later_process_of_the_same_name_counts_from_nothing),
        FLEET_TEST(a_later_process_with_a_smaller_number_counts_once_the_other_is_silent),
        FLEET_TEST(a_reader_without_viewers_leaves_nothing_unknown),
        FLEET_TEST(a_reader_that_was_only_silent_goes_on),
        FLEET_TEST(one_that_goes_on_later_says_itself_what_it_has_sent),
        FLEET_TEST(a_video_that_its_reader_has_forgotten_goes_on_counting),
        FLEET_TEST(a_report_that_was_overtaken_adds_nothing),
        FLEET_TEST(a_closed_video_is_reported_without_a_position),
        FLEET_TEST(more_than_was_due_does_not_close),
        FLEET_TEST(what_waits_for_no_viewer_does_not_close),
        FLEET_TEST(what_does_not_move_is_asked_for_and_then_does_not_close),
        FLEET_TEST(the_one_reported_longest_ago_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
