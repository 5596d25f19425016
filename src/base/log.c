#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_record.h"
#include "base/clock.h"

static atomic_int lowest = LOG_INFO;
static const char *line_start = "";
static bool as_json, has_time, has_priority;

static const char *const level_names[] = {"debug", "info", "warn", "error"};
static const char *const priorities[] = {"<7>", "<6>", "<4>", "<3>"}; // syslog(3)

void log_set_level(enum log_level level) {
    atomic_store_explicit(&lowest, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level) {
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

void log_set_format(enum log_format format, bool with_time) {
    as_json = format == LOG_JSON;
    has_time = with_time || as_json;
    has_priority = false;
}

// systemd says in the environment which socket it has made stderr (systemd.exec(5)); a child whose stderr is
// something else may have inherited the variable.
static bool is_journal(const struct stat *err) {
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)err->st_dev, (uintmax_t)err->st_ino);
    return stream && strcmp(stream, own) == 0;
}

void log_set_format_for_stderr(enum log_format format) {
    struct stat err;
    if (fstat(STDERR_FILENO, &err)) err = (struct stat){.st_mode = S_IFIFO};
    log_set_format(format, isatty(STDERR_FILENO) || S_ISREG(err.st_mode));
    has_priority = is_journal(&err);
}

void log_set_line_start(const char *start) {
    line_start = start;
}

static void record_begin(struct log_record *r, enum log_level level, const char *role, const char *event) {
    r->len = 0;
    r->json = as_json;
    r->begun = r->full = false;
    log_record_prefix(r, line_start);
    if (has_priority) log_record_prefix(r, priorities[level]);
    if (has_time) {
        char time[CLOCK_ISO8601_SIZE];
        clock_iso8601(clock_wall_ms(), time);
        log_record_add(r, "time", time);
    }
    log_record_add(r, "level", level_names[level]);
    log_record_add(r, "role", role);
    log_record_add(r, "event", event);
}

static bool record_write(struct log_record *r) {
    log_record_end(r);
    return write(STDERR_FILENO, r->text, r->len) > 0;
}

static void write_dropped(unsigned long lines) {
    struct log_record r;
    record_begin(&r, LOG_WARN, "log", "dropped");
    log_record_add_number(&r, "lines", lines);
    record_write(&r);
}

// A log that is not being read must not stop the service: a line that would block is dropped and counted.
// (O_NONBLOCK is no alternative, as it would also apply to the terminal and every other process that has it
// open.) A pipe that poll(2) reports as writable accepts PIPE_BUF bytes.
static void write_line(struct log_record *r) {
    static atomic_ulong dropped;
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
        atomic_fetch_add(&dropped, 1);
        return;
    }
    unsigned long lost = atomic_exchange(&dropped, 0);
    if (lost) write_dropped(lost);
    record_write(r);
}

void log_line(enum log_level level, const char *role, const char *event, const char *format, ...) {
    if (!log_enabled(level)) return;
    struct log_record r;
    record_begin(&r, level, role, event);
    if (format) {
        va_list args;
        va_start(args, format);
        log_record_add_format(&r, format, args);
        va_end(args);
    }
    write_line(&r);
}

void log_sampler_settle(struct log_sampler *s, const char *role, int64_t now_ms) {
    int64_t second = now_ms / 1000;
    if (second == s->second) return;
    if (s->suppressed && s->of) log_info(role, "sampled", "of=%s left_out=%lu", s->of, s->suppressed);
    if (s->suppressed && !s->of) log_info(role, "sampled", "left_out=%lu", s->suppressed);
    *s = (struct log_sampler){.of = s->of, .second = second};
}

bool log_sample(struct log_sampler *s, const char *role, unsigned per_second, int64_t now_ms) {
    log_sampler_settle(s, role, now_ms);
    if (s->shown < per_second) {
        s->shown++;
        return true;
    }
    s->suppressed++;
    return false;
}
