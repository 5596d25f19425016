// Log lines on stderr: `level role event key=value ...`, one write each, so lines of several threads never
// mix. Any thread; the level is set once, before threads start.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level);
bool log_enabled(enum log_level);

// Writes one line. `role` and `event` are fixed words; `format` gives the key=value part, may be NULL. Text
// from outside that has not been checked (an id has) stays out of it: it could forge lines.
void log_line(enum log_level, const char *role, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

// Lets through at most `per_second` lines a second and counts the others: what happens per comment is shown
// in full on a quiet system, and sampled under load. Zero-initialise; one thread each.
struct log_sampler {
    int64_t second;
    unsigned shown;
    unsigned long suppressed;
};

// Returns whether the next line may be written. Says how many were left out once a new second begins.
bool log_sample(struct log_sampler *, const char *role, unsigned per_second, int64_t now_ms);
