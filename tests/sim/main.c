// chorus_sim: runs seeds, each in a process of its own, so that a crash is a finding like any other.
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

enum { CPU_LIMIT_S = 60, REPORT_EVERY_S = 300 };

// A process that is killed leaves behind what libraries have allocated for it, which are not led to the
// world's memory (hiredis, Lua): that is no leak of ours. unit/test_sim_kernel looks for those.
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}

static const char usage[] =
    "usage: chorus_sim [OPTIONS]\n"
    "\n"
    "  --seed N          run one seed\n"
    "  --seeds A..B      run these, one after the other\n"
    "  --time SECONDS    stop with the first seed that ends later than this\n"
    "  --minutes N       run seeds for so long, from --seed on, and stop at a finding\n"
    "  --seconds N       simulated time of each (default 60)\n"
    "  --engine ENGINE   sim, redis, embedded, or memory (default)\n"
    "  --hot             with hot videos in some seeds, and an operator in some\n"
    "  --trace           print what happens\n"
    "  --hashes          print a line for each seed\n"
    "  --least C,F,R     fail if a seed has fewer comments, faults or reconnects\n";

struct options {
    struct run_plan plan;
    uint64_t first, last;
    double time_s; // 0: no limit
    bool hunts;    // stops at the first finding, and prints totals now and then
    bool hashes;
    uint64_t least[3]; // comments, faults, reconnects of each seed
};

struct totals {
    uint64_t seeds, comments, deliveries, faults, reconnects, connections, turns, failed;
    uint64_t gaps[3];
    uint64_t least_comments, least_faults, least_reconnects; // of a seed
    int64_t seconds;
};

static const char *const engine_names[] = {"memory", "embedded", "redis", "sim"};

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(int who) {
    struct rusage u;
    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

// Options

static bool read_engine(struct options *o, const char *name) {
    for (size_t i = 0; i < sizeof engine_names / sizeof *engine_names; i++)
        if (!strcmp(name, engine_names[i])) {
            o->plan.engine = (enum cluster_engine)i;
            return true;
        }
    return false;
}

static bool read_seeds(struct options *o, const char *text) {
    char *end;
    o->first = o->last = strtoull(text, &end, 10);
    if (!strncmp(end, "..", 2)) o->last = strtoull(end + 2, &end, 10);
    return !*end && o->last >= o->first;
}

static bool read_options(struct options *o, int argc, char **argv) {
    static const struct option table[] = {{"seed", required_argument, NULL, 's'},
                                          {"seeds", required_argument, NULL, 's'},
                                          {"time", required_argument, NULL, 't'},
                                          {"seconds", required_argument, NULL, 'n'},
                                          {"engine", required_argument, NULL, 'e'},
                                          {"trace", no_argument, NULL, 'v'},
                                          {"hashes", no_argument, NULL, 'h'},
                                          {"minutes", required_argument, NULL, 'm'},
                                          {"least", required_argument, NULL, 'l'},
                                          {"hot", no_argument, NULL, 'w'},
                                          {NULL, 0, NULL, 0}};
    *o = (struct options){.plan = {.seconds = 60}, .first = 1, .last = 1};
    for (int c; (c = getopt_long(argc, argv, "", table, NULL)) >= 0;) {
        bool ok = true;
        switch (c) {
        case 's': ok = read_seeds(o, optarg); break;
        case 't':
            o->time_s = strtod(optarg, NULL);
            ok = o->time_s > 0;
            break;
        case 'm':
            o->time_s = 60 * strtod(optarg, NULL);
            o->hunts = ok = o->time_s > 0;
            break;
        case 'n':
            o->plan.seconds = strtoll(optarg, NULL, 10);
            ok = o->plan.seconds > 0;
            break;
        case 'e': ok = read_engine(o, optarg); break;
        case 'v': o->plan.trace = true; break;
        case 'h': o->hashes = true; break;
        case 'w': o->plan.hot = true; break;
        case 'l':
            ok = sscanf(optarg, "%" SCNu64 ",%" SCNu64 ",%" SCNu64, &o->least[0], &o->least[1],
                        &o->least[2]) == 3;
            break;
        default: ok = false;
        }
        if (!ok) return false;
    }
    if (o->hunts && o->last == o->first) o->last = UINT64_MAX;
    return optind == argc;
}

// One seed

// What is freed is used again, and not given back to the kernel; large blocks are mapped, so that calloc()
// has nothing to clear (glibc would take them from the heap after the first one was freed).
static void tune_malloc(void) {
    mallopt(M_TOP_PAD, 8 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

static void child_run(const struct run_plan *plan, int out) {
    struct run_result result;
    struct rlimit limit = {CPU_LIMIT_S, CPU_LIMIT_S + 5};
    setrlimit(RLIMIT_CPU, &limit);
    tune_malloc();
    run_seed(plan, &result);
    fflush(stdout);
    if (write(out, &result, sizeof result) != (ssize_t)sizeof result) _exit(1);
    close(out);
    exit(0);
}

static void describe_death(struct run_result *r, int status) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(r->failure, sizeof r->failure, "did not end within %d s of CPU time", CPU_LIMIT_S);
    else if (WIFSIGNALED(status))
        snprintf(r->failure, sizeof r->failure, "crashed: %s", strsignal(WTERMSIG(status)));
    else
        snprintf(r->failure, sizeof r->failure, "ended with exit code %d", WEXITSTATUS(status));
    r->failed = true;
}

static void run_apart(const struct run_plan *plan, struct run_result *r) {
    int ends[2], status = 0;
    *r = (struct run_result){.seed = plan->seed};
    fflush(NULL);
    if (pipe(ends)) abort();
    pid_t child = fork();
    if (child < 0) abort();
    if (!child) {
        close(ends[0]);
        child_run(plan, ends[1]);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], r, sizeof *r);
    close(ends[0]);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (n != (ssize_t)sizeof *r) *r = (struct run_result){.seed = plan->seed};
    if (!r->failed && (!r->complete || status)) describe_death(r, status);
}

static void print_failure(const struct options *o, const struct run_result *r, const char *program) {
    printf("seed %" PRIu64 " on %s: %s\n", r->seed, engine_names[o->plan.engine], r->failure);
    printf("  to see it again: %s --engine %s%s --seconds %" PRId64 " --seed %" PRIu64 " --trace\n", program,
           engine_names[o->plan.engine], o->plan.hot ? " --hot" : "", o->plan.seconds, r->seed);
    fflush(stdout);
}

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

static void totals_add(struct totals *t, const struct run_result *r) {
    t->seeds++;
    t->comments += r->comments;
    t->deliveries += r->deliveries;
    t->faults += r->faults;
    t->reconnects += r->reconnects;
    t->connections += r->connections;
    t->turns += r->turns;
    t->seconds += r->seconds;
    t->least_comments = least(t->least_comments, r->comments);
    t->least_faults = least(t->least_faults, r->faults);
    t->least_reconnects = least(t->least_reconnects, r->reconnects);
    for (int i = 0; i < 3; i++) t->gaps[i] += r->gaps[i];
    t->failed += r->failed;
}

static void totals_print(const struct totals *t, const struct options *o) {
    double cpu = cpu_s(RUSAGE_CHILDREN);
    printf("%s: %" PRIu64 " seeds, %" PRIu64 " comments, %" PRIu64 " deliveries, %" PRIu64 " faults, %" PRIu64
           " reconnects, %" PRIu64 " connections, %" PRId64 " s in %.1f s of CPU: %.0f x real time; %" PRIu64
           " failed\n",
           engine_names[o->plan.engine], t->seeds, t->comments, t->deliveries, t->faults, t->reconnects,
           t->connections, t->seconds, cpu, cpu > 0 ? (double)t->seconds / cpu : 0.0, t->failed);
    double seeds = (double)t->seeds;
    printf("  each on average: %.0f comments, %.0f faults, %.0f reconnects; at least %" PRIu64 ", %" PRIu64
           " and %" PRIu64 "; the last one was %" PRIu64 "\n",
           (double)t->comments / seeds, (double)t->faults / seeds, (double)t->reconnects / seeds,
           t->least_comments, t->least_faults, t->least_reconnects, o->first + t->seeds - 1);
    printf("  gaps: %" PRIu64 " expired, %" PRIu64 " slow, %" PRIu64 " epoch\n", t->gaps[0], t->gaps[1],
           t->gaps[2]);
    fflush(stdout);
}

// Seeds in which little happens find little.
static bool totals_suffice(const struct totals *t, const struct options *o) {
    bool suffice = t->least_comments >= o->least[0] && t->least_faults >= o->least[1] &&
                   t->least_reconnects >= o->least[2];
    if (!suffice) printf("  a seed has fewer than it should have\n");
    return suffice;
}

int main(int argc, char **argv) {
    struct options o;
    struct totals totals = {
        .least_comments = UINT64_MAX, .least_faults = UINT64_MAX, .least_reconnects = UINT64_MAX};
    struct run_result r;
    if (!read_options(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    double until_s = now_s() + o.time_s, report_s = now_s() + REPORT_EVERY_S;
    for (uint64_t seed = o.first; seed <= o.last && (o.time_s <= 0 || now_s() < until_s); seed++) {
        o.plan.seed = seed;
        run_apart(&o.plan, &r);
        totals_add(&totals, &r);
        if (o.hashes) printf("%" PRIu64 " %016" PRIx64 "\n", seed, r.hash);
        if (r.failed) print_failure(&o, &r, argv[0]);
        if (r.failed && o.hunts) break;
        if (o.hunts && now_s() > report_s) {
            totals_print(&totals, &o);
            report_s = now_s() + REPORT_EVERY_S;
        }
    }
    totals_print(&totals, &o);
    return totals.failed > 0 || !totals_suffice(&totals, &o);
}
