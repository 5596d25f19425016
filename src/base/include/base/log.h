// Writes log lines to stderr, one event each, as logfmt (`level=info role=reader-1 event=connected key=value
// ...`) or as a JSON object with the same members; one write(2) each, so that lines of several threads never
// interleave. Any thread; except for the level, what is set is set once, before threads start.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

void log_set_level(enum log_level); // any thread, at any time
bool log_enabled(enum log_level);

// Begins with logfmt without times. In JSON every line has its time.
void log_set_format(enum log_format, bool with_time);

// Chooses what the reader of stderr needs: a time if it is a terminal or a file, because nothing else adds
// one; and if it is systemd's journal, the level in front as a number that the journal removes
// (sd-daemon(3)).
void log_set_format_for_stderr(enum log_format);

// Makes each line begin with these bytes, which clear what stands in its place on a terminal. Borrowed. To be
// called before threads start.
void log_set_line_start(const char *);

// Writes one line. `role` and `event` are words; `format`, which may be NULL, is a list of pairs, separated
// by one space: `key=` and the value, which consists of text and the conversions %s, %.Ns, %d and %u, also
// with l, ll and z; a value with spaces in the format stands there in double quotes. Values may hold any
// bytes: they are quoted and escaped as needed, so that nothing in them can forge a pair or a line. Never
// blocks: a line that stderr cannot take immediately is dropped and counted. Keys are shorter than 32 bytes;
// values are cut at 1 KB, and a line at 2 KB.
void log_line(enum log_level, const char *role, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

// Limits log lines to `per_second` and counts those suppressed: events that happen per comment are logged in
// full on a quiet system and sampled under load. Zero-initialise; one thread each.
struct log_sampler {
    const char *of; // the event, where it is only one
    int64_t second;
    unsigned shown;
    unsigned long suppressed;
};

// Returns whether the next line may be written. When a new second begins, logs how many were suppressed.
bool log_sample(struct log_sampler *, const char *role, unsigned per_second, int64_t now_ms);

// Logs how many were suppressed if their second is over, as no further line may follow.
void log_sampler_settle(struct log_sampler *, const char *role, int64_t now_ms);
