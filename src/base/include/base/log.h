// Writes log lines to stderr: `level role event key=value ...`, one write(2) each, so that lines of several
// threads never interleave. Any thread; the level is set once, before threads start.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

void log_set_level(enum log_level);

// Makes each line begin with these bytes, which clear what stands in its place on a terminal. Borrowed. To be
// called before threads start.
void log_set_line_start(const char *);
bool log_enabled(enum log_level);

// Writes one line. `role` and `event` are fixed words; `format` gives the key=value part and may be NULL.
// Unchecked text from outside (ids have been checked) must not be part of it: it could forge lines. Never
// blocks: a line that stderr cannot take immediately is dropped and counted.
void log_line(enum log_level, const char *role, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

// Limits log lines to `per_second` and counts those suppressed: events that happen per comment are logged in
// full on a quiet system and sampled under load. Zero-initialise; one thread each.
struct log_sampler {
    int64_t second;
    unsigned shown;
    unsigned long suppressed;
};

// Returns whether the next line may be written. When a new second begins, logs how many were suppressed.
bool log_sample(struct log_sampler *, const char *role, unsigned per_second, int64_t now_ms);
