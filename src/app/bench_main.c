#include "app/bench_main.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "app/settings.h"
#include "base/buf.h"
#include "base/mem.h"
#include "bench/bench.h"
#include "bench/report.h"
#include "bench/server.h"
#include "bench/stamp.h"
#include "http/client.h"
#include "http/url.h"

enum { VIEWERS_PER_PROCESS = 19000, SPARE_DESCRIPTORS = 128, PROCESSES_AT_REST = 2 };

static const char chorus_stream[] = "/connect?videoid={video}&userid=bench-{viewer}";
static const char chorus_comment[] = "{\"userid\":\"bench\",\"videoid\":\"{video}\",\"comment\":\"{body}\"}";

struct bench_job {
    struct settings set;
    struct bench_plan plan;
    struct requirements required;
    struct bench_result *result;
    char *manager_url, *authorization;
};

static bool bench_refuse(char *why, size_t size, const char *flag, const char *value, const char *wanted) {
    snprintf(why, size, "--%s is \"%s\", but must be %s.", flag, value, wanted);
    return false;
}

// A URL to which paths can be appended.
static char *base_url(const char *url) {
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    return mem_strndup(url, len);
}

static bool is_address(const char *url) {
    struct http_url parsed;
    return url && !http_url_parse(&parsed, url);
}

static bool aim_at_templates(struct bench_job *job, char *why, size_t size) {
    const struct bench_settings *b = &job->set.bench;
    if (!b->subscribe || !b->publish)
        return snprintf(why, size, "--subscribe and --publish go together.") < 0;
    if (!is_address(b->subscribe))
        return bench_refuse(why, size, "subscribe", b->subscribe, "like http://127.0.0.1:8080/sub/{video}");
    if (!bench_request_parse(&job->plan.publish, b->publish) || !is_address(job->plan.publish.url) ||
        !strstr(b->publish, "{body}"))
        return bench_refuse(
            why, size, "publish", b->publish,
            "like \"POST http://127.0.0.1:8080/pub/{video} {body}\"; {body} carries the number that "
            "viewers are judged by");
    job->plan.subscribe = b->subscribe;
    job->plan.path = template_path(b->subscribe);
    return true;
}

static bool aim_at_chorus(struct bench_job *job, char *why, size_t size) {
    const struct settings *set = &job->set;
    struct buf url = {0};
    if (set->bench.subscribe || set->bench.publish) return aim_at_templates(job, why, size);
    job->manager_url = base_url(set->manager_url);
    job->plan.manager_url = job->manager_url;
    job->plan.comment_url = set->comment_url;
    job->plan.path = chorus_stream;
    memcpy(job->plan.publish.method, "POST", sizeof "POST");
    char *comment = base_url(set->comment_url);
    buf_printf(&url, "%s/comment", comment);
    free(comment);
    job->plan.publish.url = mem_strdup(buf_string(&url));
    job->plan.publish.body = mem_strdup(chorus_comment);
    buf_release(&url);
    return true;
}

static bool read_pids(struct bench_plan *plan, const char *list, char *why, size_t size) {
    for (const char *at = list; at && *at;) {
        char *end;
        long pid = strtol(at, &end, 10);
        if (pid <= 0 || pid > INT32_MAX || (*end && *end != ',') || plan->pid_count == BENCH_PIDS_MAX)
            return bench_refuse(why, size, "pid", list, "a list of process ids, comma-separated");
        if (!server_measure((int[]){(int)pid}, 1).known)
            return snprintf(why, size,
                            "--pid names %ld, which is no process, or one that this user may not inspect.",
                            pid) < 0;
        plan->pids[plan->pid_count++] = (int)pid;
        at = *end ? end + 1 : end;
    }
    return true;
}

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

// Descriptors that a load process needs besides those of its viewers.
static size_t other_descriptors(size_t publishers, size_t processes) {
    return divide_up(publishers, processes) + SPARE_DESCRIPTORS;
}

static size_t processes_for(const struct settings *set) {
    if (set->bench.processes) return (size_t)set->bench.processes;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t least = cores > 0 && cores < PROCESSES_AT_REST ? (size_t)cores : PROCESSES_AT_REST;
    size_t room = process_raise_descriptor_limit(),
           others = other_descriptors((size_t)set->bench.publishers, least);
    size_t each = room < others + VIEWERS_PER_PROCESS ? room - others : VIEWERS_PER_PROCESS;
    size_t by_viewers = room > others ? divide_up((size_t)set->viewers, each) : BENCH_PROCESSES_MAX;
    size_t wanted = by_viewers > least ? by_viewers : least;
    return wanted > BENCH_PROCESSES_MAX ? BENCH_PROCESSES_MAX : wanted;
}

static bool make_plan(struct bench_job *job, char *why, size_t size) {
    const struct settings *set = &job->set;
    struct bench_plan *plan = &job->plan;
    plan->viewers = (size_t)set->viewers;
    plan->videos = (size_t)set->videos;
    plan->rate = (double)set->rate;
    plan->duration_us = set->duration_s * 1000000;
    plan->warmup_us = set->bench.warmup_s * 1000000;
    plan->publishers = (size_t)set->bench.publishers;
    plan->size = (size_t)set->bench.size;
    plan->seed = (uint64_t)set->seed;
    plan->processes = processes_for(set);
    plan->stalled = (size_t)set->bench.stalled;
    plan->authorization = job->authorization = http_client_bearer(set->bearer);
    if (plan->warmup_us && plan->warmup_us >= plan->duration_us)
        return snprintf(why, size, "--warmup is %" PRId64 ", but must be less than --duration (%" PRId64 ").",
                        set->bench.warmup_s, set->duration_s),
               false;
    if (plan->stalled >= plan->viewers)
        return snprintf(why, size, "--stalled is %zu, but must be less than --viewers (%zu).", plan->stalled,
                        plan->viewers) < 0;
    if (!distribution_parse(set->distribution, &plan->law))
        return bench_refuse(why, size, "distribution", set->distribution,
                            "uniform or zipf:S, S from 0 to 10");
    if (set->bench.require && !requirements_parse(&job->required, set->bench.require, why, size))
        return false;
    return read_pids(plan, set->bench.pid, why, size) && aim_at_chorus(job, why, size);
}

typedef void writer(const struct bench_job *, FILE *);

static void write_json(const struct bench_job *job, FILE *out) {
    report_json(out, &job->plan, job->result, &job->required);
}

static void write_html(const struct bench_job *job, FILE *out) {
    report_html(out, &job->plan, job->result, &job->required);
}

static void write_hdr(const struct bench_job *job, FILE *out) {
    report_hdr(out, &job->result->sum.latency);
}

// The files named by the options.
static const struct output {
    size_t path; // offset in bench_settings
    writer *write;
} outputs[] = {{offsetof(struct bench_settings, json), write_json},
               {offsetof(struct bench_settings, html), write_html},
               {offsetof(struct bench_settings, hdr), write_hdr}};

enum { OUTPUTS = sizeof outputs / sizeof *outputs };

static const char *path_of(const struct bench_job *job, const struct output *o) {
    return *(const char *const *)(const void *)((const char *)&job->set.bench + o->path);
}

static bool warn_unwritable(const char *path, int error) {
    fprintf(stderr, "chorus bench: %s cannot be written: %s.\n", path, strerror(error));
    return false;
}

// A file for the results of the run.
struct output_file {
    FILE *file;
    bool is_new;
};

// Opens the files before the run, which may be long. Their old content stays until there are new figures.
static bool open_outputs(const struct bench_job *job, struct output_file files[OUTPUTS]) {
    for (size_t i = 0; i < OUTPUTS; i++) {
        const char *path = path_of(job, &outputs[i]);
        if (!path) continue;
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        files[i].is_new = fd >= 0;
        if (fd < 0) fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0) return warn_unwritable(path, errno);
        files[i].file = fdopen(fd, "w");
        if (!files[i].file) return warn_unwritable(path, errno);
    }
    return true;
}

static bool write_output(const struct bench_job *job, const struct output *o, FILE *file) {
    struct stat s;
    if (!fstat(fileno(file), &s) && S_ISREG(s.st_mode) && ftruncate(fileno(file), 0))
        return warn_unwritable(path_of(job, o), errno);
    errno = EIO; // for an error that only ferror() reports
    o->write(job, file);
    return fflush(file) || ferror(file) ? warn_unwritable(path_of(job, o), errno) : true;
}

// Removes a file that was created for this run and is still empty.
static void close_outputs(const struct bench_job *job, const struct output_file files[OUTPUTS]) {
    for (size_t i = 0; i < OUTPUTS; i++) {
        struct stat s;
        if (!files[i].file) continue;
        if (files[i].is_new && !fstat(fileno(files[i].file), &s) && !s.st_size)
            unlink(path_of(job, &outputs[i]));
        fclose(files[i].file);
    }
}

static bool bench_measure(struct bench_job *job, const struct output_file files[OUTPUTS]) {
    char why[512];
    if (!bench_run(&job->plan, isatty(STDOUT_FILENO), job->result, why, sizeof why)) {
        fprintf(stderr, "chorus bench: %s\n", why);
        return false;
    }
    report_text(stdout, &job->plan, job->result, &job->required);
    bool ok = true;
    for (size_t i = 0; i < OUTPUTS; i++)
        if (files[i].file) ok &= write_output(job, &outputs[i], files[i].file);
    for (size_t i = 0; i < job->required.count && ok; i++)
        ok = requirement_is_met(&job->required.at[i], job->result);
    return ok;
}

static int bench_run_job(struct bench_job *job) {
    struct output_file files[OUTPUTS] = {{.file = NULL}};
    bool ok = open_outputs(job, files) && bench_measure(job, files);
    close_outputs(job, files);
    return ok ? 0 : 1;
}

static bool has_descriptors(const struct bench_plan *plan) {
    size_t each =
        divide_up(plan->viewers, plan->processes) + other_descriptors(plan->publishers, plan->processes);
    if (each <= process_raise_descriptor_limit()) return true;
    fprintf(
        stderr,
        "chorus bench: Each of %zu load processes needs %zu file descriptors: use more --processes, or raise the "
        "limit (ulimit -n).\n",
        plan->processes, each);
    return false;
}

int bench_main(int argc, char **argv) {
    struct bench_job job = {.result = NULL};
    struct options options;
    char why[512];
    int code = 2;
    if (!settings_begin(&job.set, &options, COMMAND_BENCH, argc, argv)) return code;
    if (!make_plan(&job, why, sizeof why)) {
        fprintf(stderr, "chorus bench: %s Try `chorus bench --help`.\n", why);
    } else if (!has_descriptors(&job.plan)) {
        code = 1;
    } else {
        job.result = mem_zalloc(sizeof *job.result);
        process_release_signals(process_take_signals()); // signals are waited for instead
        code = bench_run_job(&job);
    }
    bench_request_release(&job.plan.publish);
    free(job.manager_url);
    free(job.authorization);
    free(job.result);
    options_release(&options);
    return code;
}
