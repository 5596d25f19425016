#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/metrics.h"
#include "service/service.h"

static double process_cpu(struct service *s) {
    (void)s;
    return (double)clock_process_cpu_us() / 1e6;
}

static double process_start(struct service *s) {
    return (double)s->process->started_ms / 1e3;
}

static double process_reloaded(struct service *s) {
    return !s->process->reload_failed;
}

static double process_configured(struct service *s) {
    return (double)s->process->configured_ms / 1e3;
}

// Column 0 of /proc/self/statm is the whole address space, column 1 what is resident (proc(5)).
static double statm_bytes(int column) {
    char line[128] = "", *at = line;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) return 0;
    if (!fgets(line, sizeof line, f)) line[0] = 0;
    fclose(f);
    unsigned long long pages = 0;
    for (int i = 0; i <= column; i++) pages = strtoull(at, &at, 10);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double process_virtual(struct service *s) {
    (void)s;
    return statm_bytes(0);
}

static double process_resident(struct service *s) {
    (void)s;
    return statm_bytes(1);
}

static double process_max_fds(struct service *s) {
    struct rlimit limit = {0};
    (void)s;
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur == RLIM_INFINITY ? -1 : (double)limit.rlim_cur;
}

// Linux 6.2 and later give the number as the size of the folder. To count its entries would take 0.1 s for
// 100,000 viewers; before 6.2 the lowest free descriptor says how many there are at least, which is exact
// when they run out.
static double process_open_fds(struct service *s) {
    struct stat folder;
    if (!stat("/proc/self/fd", &folder) && folder.st_size > 0) return (double)folder.st_size;
    FILE *f = fopen("/dev/null", "re");
    if (!f) return process_max_fds(s);
    int lowest = fileno(f);
    fclose(f);
    return lowest;
}

const struct metric process_metrics[] = {
    {"process_cpu_seconds_total", "seconds", METRIC_COUNTER, "CPU time that the process has used.",
     .get = process_cpu, .of_process = true},
    {"process_start_time_seconds", "seconds", METRIC_GAUGE,
     "When the process started, in seconds since 1970.", .get = process_start, .of_process = true},
    {"process_resident_memory_bytes", "bytes", METRIC_GAUGE, "Memory of the process that is in RAM.",
     .get = process_resident, .of_process = true},
    {"process_virtual_memory_bytes", "bytes", METRIC_GAUGE, "Address space of the process.",
     .get = process_virtual, .of_process = true},
    {"process_open_fds", "fds", METRIC_GAUGE,
     "Open file descriptors; with --own-descriptors without those of viewers.", .get = process_open_fds,
     .of_process = true},
    {"process_max_fds", "fds", METRIC_GAUGE, "How many file descriptors may be open (ulimit -n).",
     .get = process_max_fds, .of_process = true},
    {"chorus_config_last_reload_successful", "successful", METRIC_GAUGE,
     "Whether the configuration could be read at the last SIGHUP, or the start: 1, or 0.",
     .get = process_reloaded, .of_process = true},
    {"chorus_config_last_reload_success_timestamp_seconds", "seconds", METRIC_GAUGE,
     "When the configuration in force was read, in seconds since 1970.", .get = process_configured,
     .of_process = true},
    {0},
};
