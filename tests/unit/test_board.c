#include "unit.h"

#include <math.h>

#include "base/delays.h"
#include "base/json_reader.h"
#include "placement/readers.h"
#include "statistics/board.h"
#include "statistics/board_history.h"
#include "statistics/figures.h"

static struct {
    struct board *board;
    struct figures *figures;
    int64_t now_ms;
    char changes[256]; // as told: "lost reader-1, "
} w;

static void on_change(void *arg, enum board_change change, const char *instance_id, const char *url) {
    static const char *const words[] = {[BOARD_READER_JOINED] = "joined",
                                        [BOARD_READER_LOST] = "lost",
                                        [BOARD_READER_STOPPED] = "stopped",
                                        [BOARD_READER_BACK] = "back"};
    (void)arg;
    size_t len = strlen(w.changes);
    assert_non_null(url);
    snprintf(w.changes + len, sizeof w.changes - len, "%s %s, ", words[change], instance_id);
}

static const struct board_listener listener = {.on_change = on_change};

static int set_up(void **state) {
    (void)state;
    memset(&w, 0, sizeof w);
    w.board = board_new(&listener);
    w.figures = figures_new(15000);
    w.now_ms = 1000000;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    board_free(w.board);
    figures_free(w.figures);
    return 0;
}

static void report(enum report_kind kind, const char *text) {
    struct report_refusal refusal;
    struct json_reader reader;
    char json[1024];
    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c; c++)
        if (*c == '\'') *c = '"';
    json_reader_init(&reader, json, strlen(json));
    assert_true(figures_take(w.figures, kind, &reader, w.now_ms, w.now_ms, &refusal));
}

static void report_reader(const char *id, int viewers, int delivered, const char *more) {
    char text[512];
    snprintf(text, sizeof text, "{'instanceId':'%s','activeConnections':%d,'messagesSent':%d%s}", id, viewers,
             delivered, more);
    report(REPORT_READER, text);
}

static void report_comments(const char *id, int total) {
    char text[128];
    snprintf(text, sizeof text, "{'instanceId':'%s','totalComments':%d}", id, total);
    report(REPORT_COMMENT_API, text);
}

static void tick_after(int64_t ms) {
    w.now_ms += ms;
    figures_expire(w.figures, w.now_ms);
    board_tick(w.board, w.figures, w.now_ms);
}

static double figure(enum board_figure f) {
    return board_figures(w.board)[f];
}

// A lease as a listing has it; `given_up` only where it is not live.
static struct reader_row lease(const char *id, bool live, bool given_up) {
    return (struct reader_row){.reader_url = (char *)"http://127.0.0.1:4001",
                               .instance_id = (char *)id,
                               .leased = true,
                               .generation = 7,
                               .given_up = given_up,
                               .state = live ? READER_LIVE : READER_GONE};
}

static void take_lease(const char *id, bool live, bool given_up) {
    struct reader_row row = lease(id, live, given_up);
    board_take_leases(w.board, &row, 1, w.now_ms);
}

static json_t *first_reader(json_t **list) {
    *list = board_readers(w.board, w.now_ms);
    json_t *o = json_array_get(*list, 0);
    assert_non_null(o);
    return o;
}

static void assert_first_reader(const char *member, const char *expected) {
    json_t *list, *value = json_object_get(first_reader(&list), member);
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(4));
    assert_string_equal(text, expected);
    free(text);
    json_decref(list);
}

// Rates

static void a_rate_is_what_two_reports_differ_by(void **state) {
    (void)state;
    report_reader("r", 10, 1000, "");
    report_comments("c", 50);
    tick_after(100);
    assert_true(figure(BOARD_DELIVERIES_PER_S) == 0 && figure(BOARD_COMMENTS_PER_S) == 0);
    w.now_ms += 1900;
    report_reader("r", 12, 1500, "");
    report_comments("c", 54);
    tick_after(50);
    assert_true(figure(BOARD_DELIVERIES_PER_S) == 250);
    assert_true(figure(BOARD_COMMENTS_PER_S) == 2);
    assert_true(figure(BOARD_VIEWERS) == 12);
}

static void a_rate_holds_between_two_reports_and_ends_when_they_stay_away(void **state) {
    (void)state;
    report_reader("r", 1, 0, "");
    tick_after(0);
    w.now_ms += 2000;
    report_reader("r", 1, 100, "");
    tick_after(0);
    tick_after(4000);
    assert_true(figure(BOARD_DELIVERIES_PER_S) == 50);
    tick_after(4000);
    assert_true(figure(BOARD_DELIVERIES_PER_S) == 0);
}

static void a_reader_that_counts_from_0_again_has_no_negative_rate(void **state) {
    (void)state;
    report_reader("r", 1, 5000, "");
    tick_after(0);
    w.now_ms += 2000;
    report_reader("r", 1, 40, "");
    tick_after(0);
    assert_true(figure(BOARD_DELIVERIES_PER_S) == 20);
}

static void what_happened_is_counted_in_one_tick_only(void **state) {
    (void)state;
    report_reader("r", 1, 0, ",'figures':{'resumed':5,'stalled':1,'shed':1,'slowGaps':2}");
    tick_after(0);
    assert_true(figure(BOARD_RESUMED) == 0); // before we looked
    w.now_ms += 2000;
    report_reader("r", 1, 0, ",'figures':{'resumed':8,'stalled':2,'shed':3,'slowGaps':6,'slowViewers':4}");
    tick_after(0);
    assert_true(figure(BOARD_RESUMED) == 3 && figure(BOARD_DROPPED) == 3 && figure(BOARD_GAPS) == 4);
    assert_true(figure(BOARD_SLOW) == 4);
    tick_after(1000);
    assert_true(figure(BOARD_RESUMED) == 0 && figure(BOARD_DROPPED) == 0 && figure(BOARD_GAPS) == 0);
    assert_true(figure(BOARD_SLOW) == 4);
}

static void a_silent_part_is_forgotten(void **state) {
    (void)state;
    report_reader("r", 3, 0, "");
    report_comments("c", 1);
    tick_after(0);
    assert_true(figure(BOARD_READERS_LIVE) == 1);
    tick_after(15000);
    assert_true(figure(BOARD_VIEWERS) == 0 && figure(BOARD_READERS_LIVE) == 0);
    json_t *list = board_readers(w.board, w.now_ms);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

// Delays

static void report_delays(const char *id, int of_3_ms, int of_500_ms) {
    char more[128];
    snprintf(more, sizeof more, ",'delays':{'%u':%d,'%u':%d}", delay_bucket(3), of_3_ms, delay_bucket(500),
             of_500_ms);
    report_reader(id, 1, 0, more);
}

static void percentiles_are_merged_from_the_counts_of_all_readers(void **state) {
    (void)state;
    report_delays("a", 1000, 1000); // before we looked
    report_delays("b", 0, 0);
    tick_after(0);
    assert_true(isnan(figure(BOARD_P50_MS)));
    w.now_ms += 2000;
    report_delays("a", 1090, 1000);
    report_delays("b", 0, 10);
    tick_after(0);
    assert_true(figure(BOARD_P50_MS) == 3);
    assert_true(figure(BOARD_P99_MS) > 400 && figure(BOARD_P99_MS) < 600);
}

static void percentiles_are_of_the_last_ticks(void **state) {
    (void)state;
    report_delays("a", 0, 0);
    tick_after(0);
    w.now_ms += 2000;
    report_delays("a", 1, 0);
    tick_after(0);
    for (int i = 1; i < BOARD_DELAY_TICKS; i++) {
        tick_after(2000);
        assert_true(figure(BOARD_P50_MS) == 3);
    }
    tick_after(2000);
    assert_true(isnan(figure(BOARD_P50_MS)));
}

// Leases

static void a_reader_whose_lease_ends_is_lost_and_its_viewers_no_longer_count(void **state) {
    (void)state;
    report_reader("r", 8, 0, "");
    take_lease("r", true, false);
    tick_after(0);
    assert_string_equal(w.changes, ""); // it was there when we came
    assert_first_reader("state", "\"live\"");
    assert_first_reader("generation", "7");
    assert_first_reader("viewers", "8");
    take_lease("r", false, false);
    assert_string_equal(w.changes, "lost r, ");
    tick_after(3000);
    assert_true(figure(BOARD_READERS_LOST) == 1 && figure(BOARD_READERS_LIVE) == 0);
    assert_true(figure(BOARD_VIEWERS) == 0);
    assert_first_reader("state", "\"lost\"");
    assert_first_reader("viewers", "null");
    assert_first_reader("lostForMs", "3000");
    take_lease("r", true, false);
    assert_string_equal(w.changes, "lost r, back r, ");
    assert_first_reader("state", "\"live\"");
}

static void a_lost_reader_is_shown_for_a_while(void **state) {
    (void)state;
    take_lease("r", true, false);
    take_lease("r", false, false);
    w.now_ms += BOARD_LOST_MS - 1;
    take_lease("r", false, false);
    assert_first_reader("state", "\"lost\"");
    w.now_ms += 1;
    take_lease("r", false, false);
    json_t *list = board_readers(w.board, w.now_ms);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
}

static void one_that_gives_its_lease_up_has_stopped(void **state) {
    (void)state;
    take_lease("r", true, false);
    take_lease("r", false, true);
    tick_after(0);
    assert_string_equal(w.changes, "stopped r, ");
    assert_true(figure(BOARD_READERS_LOST) == 0);
    assert_first_reader("state", "\"stopped\"");
}

static void a_new_reader_joins_and_one_that_ended_long_ago_is_not_shown(void **state) {
    (void)state;
    take_lease("gone", false, false);
    take_lease("new", true, false);
    assert_string_equal(w.changes, "joined new, ");
    json_t *list = board_readers(w.board, w.now_ms);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
}

static void of_two_leases_with_one_name_the_live_one_counts(void **state) {
    (void)state;
    take_lease("r", true, false);
    struct reader_row rows[] = {lease("r", true, false), lease("r", false, false)};
    rows[1].reader_url = (char *)"http://127.0.0.1:4009";
    board_take_leases(w.board, rows, 2, w.now_ms);
    assert_string_equal(w.changes, "");
    assert_first_reader("url", "\"http://127.0.0.1:4001\"");
}

static void readers_are_in_the_order_of_their_numbers(void **state) {
    (void)state;
    static const char *const expected[] = {"reader-1", "reader-2", "reader-10"};
    report_reader("reader-10", 1, 0, "");
    report_reader("reader-2", 1, 0, "");
    report_reader("reader-1", 1, 0, "");
    tick_after(0);
    json_t *list = board_readers(w.board, w.now_ms);
    for (size_t i = 0; i < 3; i++) {
        const char *id = json_string_value(json_object_get(json_array_get(list, i), "instanceId"));
        assert_string_equal(id, expected[i]);
    }
    json_decref(list);
}

// Totals

static void imbalance_is_the_largest_over_the_mean(void **state) {
    (void)state;
    assert_true(imbalance_of((const uint64_t[]){4, 4, 4}, 3) == 1);
    assert_true(imbalance_of((const uint64_t[]){9, 0, 0}, 3) == 3);
    assert_true(imbalance_of((const uint64_t[]){6, 2}, 2) == 1.5);
    assert_true(isnan(imbalance_of((const uint64_t[]){0, 0}, 2)));
    assert_true(isnan(imbalance_of(NULL, 0)));
}

static void figures_that_a_report_lacks_are_unknown(void **state) {
    (void)state;
    report_reader("r", 4, 0, "");
    tick_after(0);
    assert_first_reader("memoryUsed", "null");
    assert_first_reader("storeAvailable", "null");
    w.now_ms += 2000;
    report_reader("r", 4, 0, ",'figures':{'memoryUsed':10,'memoryMax':20,'storesAvailable':1,'videos':2}");
    tick_after(1);
    assert_first_reader("memoryUsed", "10");
    assert_first_reader("storeAvailable", "true");
    assert_true(figure(BOARD_VIDEOS) == 2);
}

// History

static char *history_text(const struct board_history *h) {
    json_t *shown = board_history_show(h);
    char *text = json_dumps(json_object_get(shown, "rows"), JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(shown);
    return text;
}

static void history_has_the_newest_samples_in_order(void **state) {
    (void)state;
    static struct board_history h;
    double figures[BOARD_FIGURES] = {0};
    h = (struct board_history){0};
    figures[1] = NAN;
    for (int i = 0; i < HISTORY_SAMPLES + 3; i++) {
        figures[0] = i + 0.123;
        board_history_add(&h, 1000 + i, figures);
    }
    char *text = history_text(&h);
    static const char begin[] = "[[1003,3.12,null,0,";
    assert_int_equal(strncmp(text, begin, sizeof begin - 1), 0);
    assert_non_null(strstr(text, "],[1004,4.12,null"));
    assert_non_null(strstr(text, "[1452,452.12,null"));
    free(text);
}

static void a_figure_that_no_integer_holds_is_shown_as_it_is(void **state) {
    (void)state;
    json_t *n = board_number(1e30);
    assert_true(json_number_value(n) == 1e30);
    json_decref(n);
}

static void an_empty_history_has_names_alone(void **state) {
    (void)state;
    static struct board_history h;
    h = (struct board_history){0};
    json_t *shown = board_history_show(&h), *fields = json_object_get(shown, "fields");
    assert_int_equal(json_array_size(fields), BOARD_FIGURES + 1);
    assert_string_equal(json_string_value(json_array_get(fields, 0)), "at");
    assert_int_equal(json_array_size(json_object_get(shown, "rows")), 0);
    json_decref(shown);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_rate_is_what_two_reports_differ_by),
        TEST(a_rate_holds_between_two_reports_and_ends_when_they_stay_away),
        TEST(a_reader_that_counts_from_0_again_has_no_negative_rate),
        TEST(what_happened_is_counted_in_one_tick_only),
        TEST(a_silent_part_is_forgotten),
        TEST(percentiles_are_merged_from_the_counts_of_all_readers),
        TEST(percentiles_are_of_the_last_ticks),
        TEST(a_reader_whose_lease_ends_is_lost_and_its_viewers_no_longer_count),
        TEST(a_lost_reader_is_shown_for_a_while),
        TEST(one_that_gives_its_lease_up_has_stopped),
        TEST(a_new_reader_joins_and_one_that_ended_long_ago_is_not_shown),
        TEST(of_two_leases_with_one_name_the_live_one_counts),
        TEST(readers_are_in_the_order_of_their_numbers),
        TEST(imbalance_is_the_largest_over_the_mean),
        TEST(figures_that_a_report_lacks_are_unknown),
        TEST(history_has_the_newest_samples_in_order),
        TEST(a_figure_that_no_integer_holds_is_shown_as_it_is),
        TEST(an_empty_history_has_names_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
