#include "bench/load_figures.h"

#include <stddef.h>

#include "base/minmax.h"

static void merge_histogram(struct histogram *h, const struct histogram *other) {
    if (other->count) histogram_merge(h, other);
}

void load_figures_merge(struct bench_figures *f, const struct bench_figures *other) {
    f->connects += other->connects;
    f->connect_failures += other->connect_failures;
    f->cuts += other->cuts;
    f->comments += other->comments;
    f->post_failures += other->post_failures;
    f->unposted += other->unposted;
    f->deliveries += other->deliveries;
    f->lost += other->lost;
    f->left_out += other->left_out;
    f->duplicated += other->duplicated;
    f->out_of_order += other->out_of_order;
    f->stalled += other->stalled;
    f->stalled_closed += other->stalled_closed;
    f->gaps += other->gaps;
    f->missed += other->missed;
    f->outstanding += other->outstanding;
    f->connect_us = max(f->connect_us, other->connect_us);
    f->last_arrival_us = max(f->last_arrival_us, other->last_arrival_us);
    f->cpu_us += other->cpu_us;
    f->busiest_cpu_us = max(f->busiest_cpu_us, other->cpu_us);
    f->seconds = other->seconds > f->seconds ? other->seconds : f->seconds;
    merge_histogram(&f->latency, &other->latency);
    merge_histogram(&f->answer, &other->answer);
    merge_histogram(&f->lag, &other->lag);
    for (size_t i = 0; i < other->seconds; i++) f->by_second[i] += other->by_second[i];
}

void load_figures_add_delivery(struct bench_figures *f, int64_t since_start_us) {
    int64_t since = since_start_us < 0 ? 0 : since_start_us / 1000000;
    size_t second = since < BENCH_SECONDS_MAX ? (size_t)since : BENCH_SECONDS_MAX - 1;
    f->deliveries++;
    f->by_second[second]++;
    if (second >= f->seconds) f->seconds = second + 1;
}
