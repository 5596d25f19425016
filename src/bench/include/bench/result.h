// The result of a run of the bench, and its figures by name. Pure.
#pragma once

#include <stdbool.h>

#include "bench/health.h"
#include "bench/load_figures.h"
#include "bench/plan.h"
#include "bench/server.h"

// Resource usage at one moment of a run.
struct bench_moment {
    struct server_usage server, load; // load: the bench's own processes, all of them
    struct machine_memory machine;
    struct reader_health readers; // unknown if the server is not Chorus
};

struct bench_result {
    struct bench_figures sum;
    int64_t start_us;                     // of posting, monotonic
    int64_t measured_us;                  // from then to the last arrival, or to the end of posting
    int64_t posted_us;                    // duration of posting
    int cores;                            // of the machine
    char connect_error[BENCH_ERROR_SIZE]; // about the first failure; "": there was none
    char post_error[BENCH_ERROR_SIZE];
    bool interrupted;
    int pids[BENCH_PIDS_MAX];
    size_t pid_count;
    struct bench_moment before, connected, ended; // before the viewers, with them, at the end
};

// Beyond any of the first two the figures say more about the load processes than about the server.
enum {
    BENCH_BUSY_PERCENT = 90,        // of a core, used by one load process; of all cores, used by all
    BENCH_LATE_US = 100000,         // 99th percentile of how late a loop runs
    BENCH_VIEWERS_MEASURABLE = 1000 // with fewer, memory per viewer cannot be measured
};

// A figure is a plain number or a time in microseconds.
enum bench_unit { BENCH_UNIT_COUNT, BENCH_UNIT_TIME };

// Returns the name of the i-th figure, NULL after the last.
const char *bench_metric_name(size_t i);

// Gets the unit of a figure. Returns false if there is no figure of that name.
bool bench_metric_unit(const char *name, enum bench_unit *);
double bench_metric_value(const struct bench_result *, const char *name); // NAN if unknown

double result_connects_per_s(const struct bench_result *);
double result_deliveries_per_s(const struct bench_result *);

// NAN if the server's processes are unknown, or there is nothing to divide by; also for those below.
double result_cpu_per_delivery_us(const struct bench_result *);
double result_cpu_per_connect_us(const struct bench_result *);

// Growth of the server while the viewers connected; all memory of the load processes; growth of the kernel,
// which has both ends of each connection.
double result_bytes_per_viewer(const struct bench_result *);
double result_load_bytes_per_viewer(const struct bench_result *);
double result_kernel_bytes_per_viewer(const struct bench_result *);

// By the readers' own counters, from the start of posting to the last arrival.
double result_wakeups_per_comment(const struct bench_result *);
double result_deliveries_per_send(const struct bench_result *);

double result_refused(
    const struct bench_result *); // viewers refused by closing the connection, in the whole run

double result_stalled_open(const struct bench_result *);

// Percent of a core that the busiest load process used; cores that all of them used together.
double result_busiest_percent(const struct bench_result *);
double result_generator_cores(const struct bench_result *);
bool result_generator_was_bottleneck(const struct bench_result *);
