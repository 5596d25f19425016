#include "unit.h"

#include "base/json_reader.h"
#include "base/mem.h"
#include "statistics/active_videos.h"
#include "statistics/figures.h"

enum { SILENT_MS = 15000, FRESH_MS = 6000 };

static int64_t now_ms;

static int set_up(void **state) {
    now_ms = 1000000;
    *state = figures_new(SILENT_MS);
    return 0;
}

static int tear_down(void **state) {
    figures_free(*state);
    return 0;
}

// JSON with ' for ".
static void report(struct figures *f, const char *text) {
    struct report_refusal refusal;
    struct json_reader reader;
    char *copy = mem_strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    json_reader_init(&reader, copy, strlen(copy));
    assert_true(figures_take(f, REPORT_READER, &reader, now_ms, 0, &refusal));
    free(copy);
}

static void assert_videos(struct figures *f, size_t limit, const char *expected) {
    json_t *is = active_videos(f, limit, now_ms, FRESH_MS);
    char text[512] = "", *at = text;
    size_t i;
    json_t *v;
    json_array_foreach(json_object_get(is, "videos"), i, v)
        at += snprintf(at, sizeof text - (size_t)(at - text), "%s %d %.1f, ",
                       json_string_value(json_object_get(v, "videoid")),
                       (int)json_integer_value(json_object_get(v, "viewers")),
                       json_real_value(json_object_get(v, "commentsPerSecond")));
    snprintf(at, sizeof text - (size_t)(at - text), "of %d",
             (int)json_integer_value(json_object_get(is, "total")));
    assert_string_equal(text, expected);
    json_decref(is);
}

static void without_reports_there_are_none(void **state) {
    assert_videos(*state, 20, "of 0");
    report(*state, "{'instanceId':'old','activeConnections':9}"); // of an earlier version
    assert_videos(*state, 20, "of 0");
}

static void viewers_are_summed_and_rates_are_not(void **state) {
    report(*state, "{'instanceId':'r1','viewersByVideo':{'a':2,'b':5},'commentsPer1000s':{'a':1500},"
                   "'figures':{'watched':2}}");
    report(*state, "{'instanceId':'r2','viewersByVideo':{'a':4,'c':1},'commentsPer1000s':{'a':1400,'c':200},"
                   "'figures':{'watched':7}}");
    assert_videos(*state, 20, "a 6 1.5, b 5 0.0, c 1 0.2, of 8");
    assert_videos(*state, 1, "a 6 1.5, of 8");
    now_ms += 1000;
    report(*state, "{'instanceId':'r2','viewersByVideo':{},'figures':{'watched':0}}");
    assert_videos(*state, 20, "b 5 0.0, a 2 1.5, of 2");
}

static void of_as_many_viewers_the_livelier_comes_first(void **state) {
    report(*state, "{'instanceId':'r1','viewersByVideo':{'d':1,'c':1,'b':1,'a':1},"
                   "'commentsPer1000s':{'c':100},'figures':{'watched':4}}");
    assert_videos(*state, 20, "c 1 0.1, a 1 0.0, b 1 0.0, d 1 0.0, of 4");
}

static void what_is_no_video_is_not_listed(void **state) {
    report(*state, "{'instanceId':'r1','viewersByVideo':{'a':1,'':2,'<b>':3,'\\u001b[2J':4,'..':5,'a b':6}}");
    assert_videos(*state, 20, "a 1 0.0, of 6");
}

static void a_silent_reader_does_not_count(void **state) {
    report(*state, "{'instanceId':'r1','viewersByVideo':{'a':1}}");
    now_ms += FRESH_MS - 1;
    report(*state, "{'instanceId':'r2','viewersByVideo':{'a':1}}");
    assert_videos(*state, 20, "a 2 0.0, of 1");
    now_ms++;
    assert_videos(*state, 20, "a 1 0.0, of 1");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(without_reports_there_are_none),
        TEST(viewers_are_summed_and_rates_are_not),
        TEST(of_as_many_viewers_the_livelier_comes_first),
        TEST(what_is_no_video_is_not_listed),
        TEST(a_silent_reader_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
