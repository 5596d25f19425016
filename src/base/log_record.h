// One log line as it is composed: pairs of a key and a value, as logfmt (`key=value key="two words"`) or as
// one JSON object (RFC 8259). Values may be any bytes: what could end a value, a pair or a line, or act on a
// terminal, is escaped as in JSON, and what is not UTF-8 becomes U+FFFD. A line never exceeds its buffer: the
// value that does not fit is cut at a character, and later pairs are left out.
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { LOG_RECORD_SIZE = 2048 }; // less than PIPE_BUF

struct log_record {
    char text[LOG_RECORD_SIZE];
    size_t len;
    bool json;
    bool begun; // has a pair
    bool full;
};

// Adds a pair. Keys are words of up to 31 bytes.
void log_record_add(struct log_record *, const char *key, const char *value);
void log_record_add_number(struct log_record *, const char *key, unsigned long number);

// Adds bytes that are no pair, before the first one.
void log_record_prefix(struct log_record *, const char *bytes);

// Adds the pairs of a format (base/log.h), and takes its arguments.
void log_record_add_format(struct log_record *, const char *format, va_list);

// Ends the line.
void log_record_end(struct log_record *);
