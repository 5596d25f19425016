#include "bench/load_figures.h"

#include <stddef.h>

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
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
    f->duplicated += other->duplicated;
    f->out_of_order += other->out_of_order;
    f->gaps += other->gaps;
    f->outstanding += other->outstanding;
    f->connect_us = larger(f->connect_us, other->connect_us);
    f->last_arrival_us = larger(f->last_arrival_us, other->last_arrival_us);
    f->cpu_us += other->cpu_us;
    f->busiest_cpu_us = larger(f->busiest_cpu_us, other->cpu_us);
    histogram_merge(&f->latency, &other->latency);
    histogram_merge(&f->answer, &other->answer);
    histogram_merge(&f->lag, &other->lag);
    for (size_t i = 0; i < BENCH_SECONDS_MAX; i++) f->by_second[i] += other->by_second[i];
}

void load_figures_deliver(struct bench_figures *f, int64_t since_start_us) {
    int64_t second = since_start_us < 0 ? 0 : since_start_us / 1000000;
    f->deliveries++;
    f->by_second[second < BENCH_SECONDS_MAX ? second : BENCH_SECONDS_MAX - 1]++;
}
