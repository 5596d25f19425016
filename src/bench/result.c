#include "bench/result.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

// An empty histogram has no percentiles: NAN, which meets no requirement.
static double percentile_or_nan(const struct histogram *h, double percent) {
    return h->count ? (double)histogram_percentile(h, percent) : NAN;
}

static double post_p50_us(const struct bench_result *r) {
    return percentile_or_nan(&r->sum.answer, 50);
}

static double post_p99_us(const struct bench_result *r) {
    return percentile_or_nan(&r->sum.answer, 99);
}

// If the server accepted no comment, nothing could be lost: unknown.
static double lost_comments(const struct bench_result *r) {
    const struct bench_figures *f = &r->sum;
    bool none_taken = !f->comments && (f->post_failures || f->unposted);
    return none_taken ? NAN : (double)f->lost;
}

static const struct bench_metric {
    const char *name;
    enum bench_unit unit;
    double percentile; // of the latency
    size_t counter;    // or the offset of a counter in the figures
    double (*calculate)(const struct bench_result *);
} metrics[] = {
    {"p50", BENCH_UNIT_TIME, 50, 0, NULL},
    {"p90", BENCH_UNIT_TIME, 90, 0, NULL},
    {"p99", BENCH_UNIT_TIME, 99, 0, NULL},
    {"p999", BENCH_UNIT_TIME, 99.9, 0, NULL},
    {"p9999", BENCH_UNIT_TIME, 99.99, 0, NULL},
    {"max", BENCH_UNIT_TIME, 100, 0, NULL},
    {"lost", BENCH_UNIT_COUNT, 0, 0, lost_comments},
    {"duplicated", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, duplicated), NULL},
    {"out_of_order", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, out_of_order), NULL},
    {"connects", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, connects), NULL},
    {"connect_failures", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, connect_failures), NULL},
    {"cuts", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, cuts), NULL},
    {"comments", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, comments), NULL},
    {"post_failures", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, post_failures), NULL},
    {"unposted", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, unposted), NULL},
    {"deliveries", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, deliveries), NULL},
    {"gaps", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, gaps), NULL},
    {"missed", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, missed), NULL},
    {"left_out", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, left_out), NULL},
    {"stalled", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, stalled), NULL},
    {"stalled_closed", BENCH_UNIT_COUNT, 0, offsetof(struct bench_figures, stalled_closed), NULL},
    {"stalled_open", BENCH_UNIT_COUNT, 0, 0, result_stalled_open},
    {"refused", BENCH_UNIT_COUNT, 0, 0, result_refused},
    {"post_p50", BENCH_UNIT_TIME, 0, 0, post_p50_us},
    {"post_p99", BENCH_UNIT_TIME, 0, 0, post_p99_us},
    {"deliveries_per_s", BENCH_UNIT_COUNT, 0, 0, result_deliveries_per_s},
    {"connects_per_s", BENCH_UNIT_COUNT, 0, 0, result_connects_per_s},
    {"wakeups_per_comment", BENCH_UNIT_COUNT, 0, 0, result_wakeups_per_comment},
    {"deliveries_per_send", BENCH_UNIT_COUNT, 0, 0, result_deliveries_per_send},
    {"bytes_per_viewer", BENCH_UNIT_COUNT, 0, 0, result_bytes_per_viewer},
    {"load_bytes_per_viewer", BENCH_UNIT_COUNT, 0, 0, result_load_bytes_per_viewer},
    {"kernel_bytes_per_viewer", BENCH_UNIT_COUNT, 0, 0, result_kernel_bytes_per_viewer},
};

static const struct bench_metric *bench_metric_find(const char *name) {
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (!strcmp(metrics[i].name, name)) return &metrics[i];
    return NULL;
}

const char *bench_metric_name(size_t i) {
    return i < sizeof metrics / sizeof *metrics ? metrics[i].name : NULL;
}

bool bench_metric_unit(const char *name, enum bench_unit *unit) {
    const struct bench_metric *m = bench_metric_find(name);
    if (m) *unit = m->unit;
    return m;
}

double bench_metric_value(const struct bench_result *r, const char *name) {
    const struct bench_metric *m = bench_metric_find(name);
    if (!m) return NAN;
    if (m->calculate) return m->calculate(r);
    if (m->unit == BENCH_UNIT_TIME) return percentile_or_nan(&r->sum.latency, m->percentile);
    return (double)*(const uint64_t *)((const char *)&r->sum + m->counter);
}

static double per_second(uint64_t count, int64_t us) {
    return us > 0 ? (double)count * 1e6 / (double)us : 0;
}

double result_connects_per_s(const struct bench_result *r) {
    return per_second(r->sum.connects, r->sum.connect_us);
}

// Over the time until the last arrival, or the time of posting if that is longer (at a low rate).
double result_deliveries_per_s(const struct bench_result *r) {
    int64_t us = r->sum.last_arrival_us - r->start_us;
    return per_second(r->sum.deliveries, us > r->posted_us ? us : r->posted_us);
}

static double ratio(bool known, double amount, double count) {
    return known && count > 0 ? amount / count : NAN;
}

// Per viewer, if there are enough to distinguish their memory from other growth.
static double per_viewer(const struct bench_result *r, bool known, int64_t bytes) {
    return ratio(known && r->sum.connects >= BENCH_VIEWERS_MEASURABLE, (double)bytes,
                 (double)r->sum.connects);
}

static bool are_known(const struct bench_moment *a, const struct bench_moment *b) {
    return a->server.known && b->server.known;
}

double result_cpu_per_delivery_us(const struct bench_result *r) {
    return ratio(are_known(&r->connected, &r->ended),
                 (double)(r->ended.server.cpu_us - r->connected.server.cpu_us), (double)r->sum.deliveries);
}

double result_cpu_per_connect_us(const struct bench_result *r) {
    return ratio(are_known(&r->before, &r->connected),
                 (double)(r->connected.server.cpu_us - r->before.server.cpu_us), (double)r->sum.connects);
}

static int64_t growth(const struct server_usage *before, const struct server_usage *after) {
    return after->pss_bytes - before->pss_bytes;
}

double result_bytes_per_viewer(const struct bench_result *r) {
    return per_viewer(r, are_known(&r->before, &r->connected),
                      growth(&r->before.server, &r->connected.server));
}

double result_load_bytes_per_viewer(const struct bench_result *r) {
    return per_viewer(r, r->connected.load.known, r->connected.load.pss_bytes);
}

double result_kernel_bytes_per_viewer(const struct bench_result *r) {
    bool known = r->before.machine.kernel_bytes && r->connected.machine.kernel_bytes;
    return per_viewer(r, known, r->connected.machine.kernel_bytes - r->before.machine.kernel_bytes);
}

// Returns whether the readers kept counting: one that was restarted counts from 0 again.
static bool counted_on(const struct reader_health *before, const struct reader_health *after) {
    return before->known && after->known && after->sends >= before->sends && after->shed >= before->shed;
}

double result_wakeups_per_comment(const struct bench_result *r) {
    const struct reader_health *before = &r->connected.readers, *after = &r->ended.readers;
    return ratio(counted_on(before, after), after->wakeups - before->wakeups, (double)r->sum.comments);
}

double result_deliveries_per_send(const struct bench_result *r) {
    const struct reader_health *before = &r->connected.readers, *after = &r->ended.readers;
    return ratio(counted_on(before, after), after->sent - before->sent, after->sends - before->sends);
}

double result_refused(const struct bench_result *r) {
    const struct reader_health *before = &r->before.readers, *after = &r->ended.readers;
    return counted_on(before, after) ? after->shed - before->shed : NAN;
}

double result_stalled_open(const struct bench_result *r) {
    return (double)(r->sum.stalled - r->sum.stalled_closed);
}

double result_busiest_percent(const struct bench_result *r) {
    return r->measured_us > 0 ? (double)r->sum.busiest_cpu_us * 100 / (double)r->measured_us : 0;
}

double result_generator_cores(const struct bench_result *r) {
    return r->measured_us > 0 ? (double)r->sum.cpu_us / (double)r->measured_us : 0;
}

bool result_generator_was_bottleneck(const struct bench_result *r) {
    return result_busiest_percent(r) > BENCH_BUSY_PERCENT ||
           (r->cores && result_generator_cores(r) * 100 > r->cores * BENCH_BUSY_PERCENT) ||
           histogram_percentile(&r->sum.lag, 99) > BENCH_LATE_US;
}
