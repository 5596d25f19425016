#include <assert.h>
#include <jansson.h>
#include <math.h>

#include "bench/report.h"

static json_t *number(uint64_t n) {
    return json_integer((json_int_t)n);
}

static json_t *known(double value) {
    return isnan(value) ? json_null() : json_real(value);
}

static json_t *count(double value) {
    return isnan(value) ? json_null() : json_integer((json_int_t)value);
}

static json_t *of_plan(const struct bench_plan *plan) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:s, s:f}", "viewers",
                     number(plan->viewers), "stalled", number(plan->stalled), "videos", number(plan->videos),
                     "processes", number(plan->processes), "publishers", number(plan->publishers), "size",
                     number(plan->size), "rate", plan->rate, "duration_s", (double)plan->duration_us / 1e6,
                     "warmup_s", (double)plan->warmup_us / 1e6, "distribution",
                     plan->law.kind == DISTRIBUTION_UNIFORM ? "uniform" : "zipf", "exponent",
                     plan->law.kind == DISTRIBUTION_UNIFORM ? 0 : plan->law.exponent);
}

static json_t *of_counts(const struct bench_result *r) {
    static const char *const names[] = {"connects",      "connect_failures", "cuts",           "comments",
                                        "post_failures", "unposted",         "deliveries",     "lost",
                                        "duplicated",    "out_of_order",     "gaps",           "missed",
                                        "stalled",       "stalled_open",     "stalled_closed", "left_out"};
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_object_set_new(all, names[i], count(bench_metric_value(r, names[i])));
    json_object_set_new(all, "connect_s", json_real((double)r->sum.connect_us / 1e6));
    json_object_set_new(all, "connects_per_s", json_real(result_connects_per_s(r)));
    json_object_set_new(all, "deliveries_per_s", json_real(result_deliveries_per_s(r)));
    return all;
}

static json_t *of_latency(const struct bench_result *r) {
    static const char *const names[] = {"p50", "p90", "p99", "p999", "p9999", "max", "post_p50", "post_p99"};
    json_t *all = json_object();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_object_set_new(all, names[i], known(bench_metric_value(r, names[i]) / 1000));
    return all;
}

static json_t *bytes(const struct server_usage *u, int64_t amount) {
    return u->known ? json_integer((json_int_t)amount) : json_null();
}

static json_t *of_server(const struct bench_result *r) {
    json_t *pids = json_array();
    for (size_t i = 0; i < r->pid_count; i++) json_array_append_new(pids, json_integer(r->pids[i]));
    const struct server_usage *connected = &r->connected.server, *ended = &r->ended.server;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "pids", pids, "cpu_us_per_delivery",
                     known(result_cpu_per_delivery_us(r)), "cpu_us_per_connect",
                     known(result_cpu_per_connect_us(r)), "bytes_per_viewer",
                     known(result_bytes_per_viewer(r)), "pss_bytes_connected",
                     bytes(connected, connected->pss_bytes), "pss_bytes", bytes(ended, ended->pss_bytes),
                     "peak_bytes", bytes(ended, ended->peak_bytes));
}

static json_t *of_memory(const struct bench_result *r) {
    return json_pack("{s:o, s:o, s:o, s:I}", "server_bytes_per_viewer", known(result_bytes_per_viewer(r)),
                     "load_bytes_per_viewer", known(result_load_bytes_per_viewer(r)),
                     "kernel_bytes_per_viewer", known(result_kernel_bytes_per_viewer(r)), "left_bytes",
                     (json_int_t)r->connected.machine.left_bytes);
}

// Null if the server is not a Chorus.
static json_t *of_readers(const struct bench_result *r) {
    const struct reader_health *before = &r->connected.readers, *after = &r->ended.readers;
    if (!before->known || !after->known) return json_null();
    return json_pack("{s:o, s:o, s:f, s:f, s:o}", "wakeups_per_comment", known(result_wakeups_per_comment(r)),
                     "deliveries_per_send", known(result_deliveries_per_send(r)), "slow_gaps",
                     after->slow_gaps - before->slow_gaps, "stalled", after->stalled - before->stalled,
                     "refused", known(result_refused(r)));
}

static json_t *of_generator(const struct bench_result *r) {
    return json_pack("{s:f, s:f, s:f, s:b}", "busiest_percent", result_busiest_percent(r), "cores",
                     result_generator_cores(r), "lag_p99_ms",
                     (double)histogram_percentile(&r->sum.lag, 99) / 1000, "bottleneck",
                     (int)result_generator_was_bottleneck(r));
}

static json_t *of_seconds(const struct bench_result *r) {
    json_t *all = json_array();
    int64_t last =
        r->sum.last_arrival_us > r->start_us ? (r->sum.last_arrival_us - r->start_us) / 1000000 : -1;
    for (int64_t i = 0; i <= last && i < BENCH_SECONDS_MAX; i++)
        json_array_append_new(all, number(r->sum.by_second[i]));
    return all;
}

// Times are in milliseconds, as everywhere in the document.
static json_t *of_requirements(const struct bench_result *r, const struct requirements *required) {
    json_t *all = json_array();
    for (size_t i = 0; i < required->count; i++) {
        const struct requirement *q = &required->at[i];
        enum bench_unit unit = BENCH_UNIT_COUNT;
        bench_metric_unit(q->name, &unit);
        double each = unit == BENCH_UNIT_TIME ? 1000 : 1;
        json_array_append_new(all, json_pack("{s:s#, s:s, s:f, s:o, s:b}", "condition", q->text, q->len,
                                             "name", q->name, "wanted", q->value / each, "found",
                                             known(bench_metric_value(r, q->name) / each), "met",
                                             (int)requirement_is_met(q, r)));
    }
    return all;
}

static json_t *of_errors(const struct bench_result *r) {
    return json_pack("{s:s*, s:s*}", "connect", *r->connect_error ? r->connect_error : NULL, "post",
                     *r->post_error ? r->post_error : NULL);
}

void report_json(FILE *out, const struct bench_plan *plan, const struct bench_result *r,
                 const struct requirements *required) {
    json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "plan", of_plan(plan),
                            "counts", of_counts(r), "errors", of_errors(r), "latency_ms", of_latency(r),
                            "server", of_server(r), "memory", of_memory(r), "readers", of_readers(r),
                            "generator", of_generator(r), "deliveries_by_second", of_seconds(r), "required",
                            of_requirements(r, required), "interrupted", (int)r->interrupted);
    assert(all); // fails only for invalid UTF-8, which nothing in it is
    json_dumpf(all, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    fputc('\n', out);
    json_decref(all);
}
