#include "unit.h"

#include <ctype.h>
#include <jansson.h>

#include "archive/archive.h"
#include "comment/comment_api.h"
#include "engine/engine.h"
#include "http/counters.h"
#include "manager/manager.h"
#include "net/loop.h"
#include "reader/reader.h"
#include "service/metrics.h"
#include "run_loop.h"
#include "service/service.h"

static const struct metric *const tables[] = {service_metrics, reader_metrics, manager_metrics,
                                              comment_metrics, archive_metrics};
enum { TABLES = sizeof tables / sizeof *tables };

static bool ends_with(const char *text, const char *end) {
    size_t len = strlen(text), end_len = strlen(end);
    return len > end_len && !strcmp(text + len - end_len, end);
}

static void assert_one_style(const struct metric *m) {
    static const char prefix[] = "chorus_";
    char end[64];
    assert_int_equal(strncmp(m->name, prefix, sizeof prefix - 1), 0);
    for (const char *c = m->name; *c; c++)
        assert_true(islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_');
    assert_null(strstr(m->name, "__"));
    snprintf(end, sizeof end, "_%s%s", m->unit, m->kind == METRIC_COUNTER ? "_total" : "");
    if (!ends_with(m->name, end)) fail_msg("%s does not end in %s", m->name, end);
}

static void each_row_has_a_unit_a_sentence_and_a_name_in_one_style(void **state) {
    (void)state;
    for (int t = 0; t < TABLES; t++) {
        assert_non_null(tables[t]->name);
        for (const struct metric *m = tables[t]; m->name; m++) {
            assert_true(m->unit && *m->unit);
            assert_true(m->kind == METRIC_HISTOGRAM ? m->read && !m->get : m->get && !m->read);
            assert_true(isupper((unsigned char)m->help[0]) && ends_with(m->help, "."));
            assert_one_style(m);
        }
    }
}

static void names_are_unique(void **state) {
    (void)state;
    json_t *names = json_object(), *members = json_object();
    for (int t = 0; t < TABLES; t++) {
        for (const struct metric *m = tables[t]; m->name; m++) {
            // Rows of one name follow each other, and differ in the label.
            if (m == tables[t] || strcmp(m->name, m[-1].name) != 0)
                assert_null(json_object_get(names, m->name));
            char *series = NULL;
            assert_true(asprintf(&series, "%s{%s}", m->name, m->label ? m->label : "") > 0);
            assert_null(json_object_get(names, series));
            json_object_set_new(names, series, json_true());
            free(series);
            json_object_set_new(names, m->name, json_true());
            const char *in_health = m->label ? m->alias : NULL;
            if (in_health) assert_null(json_object_get(names, in_health));
            if (in_health) json_object_set_new(names, in_health, json_true());
            if (!m->health) continue;
            assert_null(json_object_get(members, m->health));
            json_object_set_new(members, m->health, json_true());
        }
    }
    json_decref(names);
    json_decref(members);
}

// What a table becomes

static double four(struct service *s) {
    (void)s;
    return 4;
}

static double a_quarter(struct service *s) {
    (void)s;
    return 0.25;
}

static const struct metric rows[] = {
    {"a", "x", METRIC_GAUGE, "A.", .get = four, .health = "used.now", .report = "Reported"},
    {"b", "x", METRIC_GAUGE, "B.", .get = a_quarter, .health = "used.most"},
    {"c", "x", METRIC_GAUGE, "C.", .get = four},
    {0},
};

static void assert_becomes(void (*add)(const struct metric *, struct service *, json_t *),
                           const char *expected) {
    json_t *o = json_object();
    add(rows, NULL, o);
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));
    assert_string_equal(text, expected);
    free(text);
    json_decref(o);
}

static void rows_appear_where_their_names_say(void **state) {
    (void)state;
    assert_becomes(metrics_add_to_health, "{\"used\":{\"now\":4,\"most\":0.25}}");
    assert_becomes(metrics_add_to_report, "{\"Reported\":4}");
    assert_becomes(metrics_add, "{\"a\":4,\"b\":0.25,\"c\":4}");
}

// What every part has

static struct engine_stats stats(struct engine *e) {
    (void)e;
    return (struct engine_stats){
        .waiting = 3, .trips = 10, .trip_us = 2500000, .longest_trip_us = 1250000, .failures = 2};
}

static bool store_is_ready(struct engine *e, const char **why) {
    (void)e, (void)why;
    return true;
}

static void http_and_engine_are_counted(void **state) {
    (void)state;
    static const struct engine_ops ops = {.stats = stats, .ready = store_is_ready};
    struct engine engine = {.ops = &ops};
    struct http_counters http = {
        .connections_open = 7, .connections_accepted = 9, .requests = 5, .streams = 1};
    http.responses[200] = 2;
    http.responses[201] = 1;
    http.responses[429] = 4;
    http.responses[503] = 6;
    static const struct service_kind kind = {.role = "comment"};
    struct service s = {.kind = &kind, .loop = loop_new(), .engine = &engine, .http = &http};
    metrics_read(&s);
    json_t *o = json_object();
    metrics_add(service_metrics, &s, o);
    const struct {
        const char *name;
        double value;
    } expected[] = {{"chorus_http_open_connections", 7},       {"chorus_http_accepted_connections_total", 9},
                    {"chorus_http_requests_total", 5},         {"chorus_http_streams_total", 1},
                    {"chorus_http_2xx_responses_total", 3},    {"chorus_http_4xx_responses_total", 4},
                    {"chorus_http_429_responses_total", 4},    {"chorus_http_5xx_responses_total", 6},
                    {"chorus_engine_waiting_operations", 3},   {"chorus_engine_trips_total", 10},
                    {"chorus_engine_trip_seconds_total", 2.5}, {"chorus_engine_longest_trip_seconds", 1.25},
                    {"chorus_engine_failed_trips_total", 2},   {"chorus_engine_available_stores", 1}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(json_number_value(json_object_get(o, expected[i].name)) == expected[i].value);
    json_decref(o);
    loop_free(s.loop);
}

static void on_long_turn(struct loop_timer *t) {
    struct {
        struct loop_timer timer;
        struct loop *loop;
    } *turn = (void *)t;
    moved_clock.now_ms += 40;
    loop_stop(turn->loop);
}

static struct loop_lag workers_lag(struct service *s) {
    (void)s;
    return (struct loop_lag){.turns = 7};
}

static void turns_of_the_loop_are_counted(void **state) {
    (void)state;
    struct {
        struct loop_timer timer;
        struct loop *loop;
    } turn = {.timer.on_due = on_long_turn, .loop = loop_new()};
    static const struct engine_ops ops = {.stats = stats, .ready = store_is_ready};
    struct engine engine = {.ops = &ops};
    struct http_counters http = {0};
    struct service s = {.loop = turn.loop, .engine = &engine, .http = &http};
    loop_timer_start(turn.loop, &turn.timer, 0);
    loop_run(turn.loop);
    run_turns(turn.loop, 1);
    static const struct service_kind kind = {.workers_lag = workers_lag};
    s.kind = &kind;
    metrics_read(&s);
    assert_int_equal(s.workers_lag.turns, 7);
    json_t *o = json_object();
    metrics_add(service_metrics, &s, o);
    assert_true(json_integer_value(json_object_get(o, "chorus_loop_turns_total")) >= 1);
    assert_int_equal(json_integer_value(json_object_get(o, "chorus_loop_slow_turns_total")), 1);
    assert_true(json_number_value(json_object_get(o, "chorus_loop_longest_turn_seconds")) >= 0.04);
    assert_true(json_number_value(json_object_get(o, "chorus_loop_busy_seconds_total")) >= 0.04);
    json_decref(o);
    loop_free(turn.loop);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_a_unit_a_sentence_and_a_name_in_one_style),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(rows_appear_where_their_names_say),
        cmocka_unit_test(http_and_engine_are_counted),
        cmocka_unit_test(turns_of_the_loop_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
