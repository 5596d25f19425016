#include "bench/bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/minmax.h"
#include "load.h"
#include "progress.h"
#include "http/url.h"

enum {
    POLL_MS = 20,
    STUCK_MS = 20000,  // without progress, after which a phase is given up
    SETTLE_MS = 15000, // for the last deliveries to arrive, at most,
    QUIET_MS = 5000,   // and at most this long without a delivery
    END_MS = 10000
};

struct bench {
    const struct bench_plan *plan;
    struct bench_shared *shared;
    struct bench_result *result;
    pid_t loads[BENCH_PROCESSES_MAX];
    struct progress progress;
    bool died;
    sigset_t signals;
    char *why;
    size_t why_size;
};

static void bench_sum(const struct bench *b, struct bench_figures *sum) {
    *sum = (struct bench_figures){0};
    for (size_t i = 0; i < b->plan->processes; i++) load_figures_merge(sum, &b->shared->load[i].figures);
}

// Waits for POLL_MS or a signal; then reaps load processes and shows the progress.
static void bench_poll(struct bench *b) {
    struct timespec moment = {.tv_nsec = POLL_MS * 1000000L};
    int status;
    if (sigtimedwait(&b->signals, NULL, &moment) > 0) {
        if (b->shared->interrupted) { // the second time: ends immediately
            snprintf(b->why, b->why_size, "Interrupted.");
            b->died = true;
        }
        b->shared->interrupted = true;
        int64_t now = clock_monotonic_us();
        if (b->shared->end_us > now) b->shared->end_us = now;
    }
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        for (size_t i = 0; i < b->plan->processes; i++)
            if (b->loads[i] == pid) b->loads[i] = 0;
        if (b->shared->phase != BENCH_END || status) b->died = true;
    }
    int64_t now_ms = clock_monotonic_ms();
    if (!progress_is_due(&b->progress, now_ms)) return;
    bench_sum(b, &b->result->sum);
    progress_show(&b->progress, b->plan, b->shared, &b->result->sum, now_ms);
}

static bool bench_are_done(const struct bench *b, enum bench_phase phase) {
    for (size_t i = 0; i < b->plan->processes; i++)
        if (b->shared->load[i].done <= (int)phase) return false;
    return true;
}

// Returns a number that grows as long as a phase makes progress.
static uint64_t bench_progress_count(const struct bench *b) {
    uint64_t sum = b->shared->resolved;
    for (size_t i = 0; i < b->plan->processes; i++) {
        const struct bench_figures *f = &b->shared->load[i].figures;
        sum += f->connects + f->connect_failures + f->deliveries;
    }
    return sum;
}

// Begins a phase and waits for its end: at most `limit_ms`, and at most `quiet_ms` without progress (0: no
// limit). Returns false if a load process has died.
static bool bench_run_phase(struct bench *b, enum bench_phase phase, int64_t limit_ms, int64_t quiet_ms) {
    int64_t begun = clock_monotonic_ms(), moved = begun;
    uint64_t before = bench_progress_count(b);
    b->shared->phase = phase;
    while (!bench_are_done(b, phase) && !b->died) {
        bench_poll(b);
        int64_t now = clock_monotonic_ms();
        uint64_t is = bench_progress_count(b);
        if (is != before) moved = now;
        before = is;
        if (now - begun > limit_ms || (quiet_ms && now - moved > quiet_ms)) break;
        if (b->shared->interrupted && phase < BENCH_POST) break;
    }
    return !b->died;
}

// Takes one error of each kind from all processes.
static void bench_gather_errors(struct bench *b) {
    struct bench_result *r = b->result;
    for (size_t i = b->plan->processes; i--;) {
        const struct bench_load *load = &b->shared->load[i];
        if (*load->connect_error) memcpy(r->connect_error, load->connect_error, BENCH_ERROR_SIZE);
        if (*load->post_error) memcpy(r->post_error, load->post_error, BENCH_ERROR_SIZE);
    }
}

static size_t ports_add(const char *url, int *ports, size_t count) {
    struct http_url parsed;
    if (!url || http_url_parse(&parsed, url)) return count;
    ports[count] = parsed.port;
    return count + 1;
}

static void bench_find_server(struct bench *b) {
    struct bench_result *r = b->result;
    const struct endpoints *endpoints = b->shared->endpoints;
    int ports[ENDPOINTS_MAX + 2];
    size_t count = ports_add(b->plan->manager_url, ports, 0);
    count = ports_add(b->plan->comment_url, ports, count);
    for (uint32_t i = 0; i < endpoints->count; i++) ports[count++] = endpoints->at[i].port;
    r->pid_count = b->plan->pid_count;
    memcpy(r->pids, b->plan->pids, sizeof r->pids);
    if (!r->pid_count) r->pid_count = server_find(ports, count, r->pids, BENCH_PIDS_MAX);
}

static struct bench_moment bench_take_moment(const struct bench *b) {
    const struct bench_result *r = b->result;
    int own[BENCH_PROCESSES_MAX + 1] = {getpid()};
    memcpy(own + 1, b->loads, b->plan->processes * sizeof *own);
    struct bench_moment m = {.server = server_measure(r->pids, r->pid_count),
                             .load = server_measure(own, b->plan->processes + 1),
                             .machine = machine_memory_now()};
    if (b->plan->manager_url) m.readers = reader_health_fetch(b->shared->endpoints);
    return m;
}

static bool bench_connect_viewers(struct bench *b) {
    struct bench_result *r = b->result;
    if (!bench_run_phase(b, BENCH_RESOLVE, INT64_MAX, STUCK_MS)) return false;
    bench_find_server(b);
    r->before = bench_take_moment(b);
    if (!bench_run_phase(b, BENCH_CONNECT, INT64_MAX, STUCK_MS)) return false;
    bench_sum(b, &r->sum);
    bench_gather_errors(b);
    if (r->sum.connects || b->shared->interrupted) return true;
    snprintf(b->why, b->why_size, "No viewer got a stream. %s",
             *r->connect_error ? r->connect_error : "Is the server running?");
    return false;
}

static bool bench_post(struct bench *b) {
    struct bench_result *r = b->result;
    r->connected = bench_take_moment(b);
    int64_t now = clock_monotonic_us();
    r->start_us = now + 2000 * bench_poll_ms(b->plan); // in the future, so that all processes know it in time
    b->shared->start_us = r->start_us;
    b->shared->end_us = b->shared->interrupted ? now : r->start_us + b->plan->duration_us;
    if (!bench_run_phase(b, BENCH_POST, INT64_MAX, 0)) return false;
    r->posted_us = b->shared->end_us > r->start_us ? b->shared->end_us - r->start_us : 0;
    if (!bench_run_phase(b, BENCH_DRAIN, SETTLE_MS, QUIET_MS)) return false;
    r->ended = bench_take_moment(b);
    if (!bench_run_phase(b, BENCH_END, END_MS, 0)) return false;
    if (bench_are_done(b, BENCH_END)) return true;
    snprintf(b->why, b->why_size, "A load process did not finish, so it is unknown what was lost.");
    return false;
}

static bool bench_start_loads(struct bench *b) {
    fflush(NULL);
    for (unsigned i = 0; i < b->plan->processes; i++) {
        pid_t parent = getpid();
        b->loads[i] = fork();
        if (b->loads[i] < 0) {
            snprintf(b->why, b->why_size, "A load process cannot be started: %s.", strerror(errno));
            return false;
        }
        if (b->loads[i]) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL); // it must not outlive the bench
        _exit(getppid() == parent ? load_run(b->plan, b->shared, i) : 1);
    }
    return true;
}

static void bench_end_loads(struct bench *b) {
    for (size_t i = 0; i < b->plan->processes; i++) {
        if (b->loads[i] <= 0) continue;
        kill(b->loads[i], SIGKILL);
        while (waitpid(b->loads[i], NULL, 0) < 0 && errno == EINTR) continue;
    }
}

bool bench_run(const struct bench_plan *plan, bool on_terminal, struct bench_result *result, char *why,
               size_t why_size) {
    struct bench b = {
        .plan = plan, .shared = bench_shared_new(plan), .result = result, .why = why, .why_size = why_size};
    *result = (struct bench_result){.cores = (int)sysconf(_SC_NPROCESSORS_ONLN)};
    snprintf(why, why_size, "A load process ended too early.");
    if (!b.shared) {
        snprintf(why, why_size, "Shared memory cannot be allocated: %s.", strerror(errno));
        return false;
    }
    progress_init(&b.progress, on_terminal, clock_monotonic_ms());
    sigemptyset(&b.signals);
    sigaddset(&b.signals, SIGINT);
    sigaddset(&b.signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &b.signals, NULL);
    bool fine = bench_start_loads(&b) && bench_connect_viewers(&b) && bench_post(&b);
    bench_sum(&b, &result->sum);
    bench_gather_errors(&b);
    result->interrupted = b.shared->interrupted;
    result->measured_us = max(b.shared->end_us, result->sum.last_arrival_us) - result->start_us;
    bench_end_loads(&b);
    progress_clear(&b.progress);
    bench_shared_free(b.shared, plan);
    return fine;
}
