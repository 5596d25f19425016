#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level lowest = LOG_INFO;
static const char *line_start = "";

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_set_level(enum log_level level) {
    lowest = level;
}

void log_set_line_start(const char *start) {
    line_start = start;
}

bool log_enabled(enum log_level level) {
    return level >= lowest;
}

// A log that is not being read must not stop the service: a line that would block is dropped and counted.
// (O_NONBLOCK is no alternative, as it would also apply to the terminal and every other process that has it
// open.) A pipe that poll(2) reports as writable accepts PIPE_BUF bytes.
static void write_line(const char *line, size_t len) {
    static atomic_ulong dropped;
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
        atomic_fetch_add(&dropped, 1);
        return;
    }
    unsigned long lost = atomic_exchange(&dropped, 0);
    if (lost) {
        char note[80];
        int n = snprintf(note, sizeof note, "%swarn log dropped lines=%lu\n", line_start, lost);
        ssize_t noted = write(STDERR_FILENO, note, (size_t)n);
        (void)noted;
    }
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored;
}

void log_line(enum log_level level, const char *role, const char *event, const char *format, ...) {
    if (!log_enabled(level)) return;
    char line[1024];
    size_t room = sizeof line - 1; // one byte for the line feed
    int n = snprintf(line, room, "%s%s %s %s", line_start, level_names[level], role, event);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (format && len + 1 < room) {
        line[len++] = ' ';
        va_list args;
        va_start(args, format);
        n = vsnprintf(line + len, room - len, format, args);
        va_end(args);
        if (n > 0) len += (size_t)n;
    }
    if (len >= room) len = room - 1; // truncated, but still a line
    line[len++] = '\n';
    write_line(line, len);
}

bool log_sample(struct log_sampler *s, const char *role, unsigned per_second, int64_t now_ms) {
    int64_t second = now_ms / 1000;
    if (second != s->second) {
        if (s->suppressed) log_info(role, "sampled", "left_out=%lu", s->suppressed);
        *s = (struct log_sampler){.second = second};
    }
    if (s->shown < per_second) {
        s->shown++;
        return true;
    }
    s->suppressed++;
    return false;
}
