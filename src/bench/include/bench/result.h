// What a run of the bench found, and its figures by name. Pure.
#pragma once

#include <stdbool.h>

#include "bench/health.h"
#include "bench/load_figures.h"
#include "bench/plan.h"
#include "bench/server.h"

// What everything uses at one moment of a run.
struct bench_moment {
    struct server_usage server, load; // load: the bench's own processes, all of them
    struct machine_memory machine;
    struct reader_health readers; // not known of another server than Chorus
};

struct bench_result {
    struct bench_figures sum;
    int64_t start_us;                     // of posting, monotonic
    int64_t measured_us;                  // from there to the last arrival, or the end of posting
    int64_t posted_us;                    // how long was posted
    int cores;                            // of the machine
    char connect_error[BENCH_ERROR_SIZE]; // why one that failed did; "": none has
    char post_error[BENCH_ERROR_SIZE];
    bool interrupted;
    int pids[BENCH_PIDS_MAX];
    size_t pid_count;
    struct bench_moment before, connected, ended; // before the viewers, with them, at the end
};

// Beyond any of these the figures say more about the load processes than about the server.
enum {
    BENCH_BUSY_PERCENT = 90,        // of a core, used by one of them; of all cores, used by all
    BENCH_LATE_US = 100000,         // that a loop runs late, at the 99th percentile
    BENCH_VIEWERS_MEASURABLE = 1000 // with fewer, nobody can tell what one takes
};

// A figure is a number: of things, or of microseconds.
enum bench_unit { BENCH_UNIT_COUNT, BENCH_UNIT_TIME };

// Returns the name of the i-th figure, NULL behind the last.
const char *bench_metric_name(size_t i);

// Returns false if there is no figure of that name.
bool bench_metric_unit(const char *name, enum bench_unit *);
double bench_metric_value(const struct bench_result *, const char *name); // NAN if it is not known

double result_connects_per_s(const struct bench_result *);
double result_deliveries_per_s(const struct bench_result *);

// NAN if the server's processes are not known, or there is nothing to divide by; so below.
double result_cpu_per_delivery_us(const struct bench_result *);
double result_cpu_per_connect_us(const struct bench_result *);

// Growth of the server while the viewers connected; all that the load processes have; growth of the kernel,
// which holds both ends of each connection.
double result_bytes_per_viewer(const struct bench_result *);
double result_load_bytes_per_viewer(const struct bench_result *);
double result_kernel_bytes_per_viewer(const struct bench_result *);

// By the readers' own counts, while comments were on their way.
double result_wakeups_per_comment(const struct bench_result *);
double result_deliveries_per_send(const struct bench_result *);

double result_refused(const struct bench_result *); // viewers, by closing, in the whole run

double result_stalled_open(const struct bench_result *);

// Of a core, used by the busiest load process; cores, used by all together.
double result_busiest_percent(const struct bench_result *);
double result_generator_cores(const struct bench_result *);
bool result_generator_was_bottleneck(const struct bench_result *);
