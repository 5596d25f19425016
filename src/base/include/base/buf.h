// A growable byte buffer without a limit of its own: the caller bounds what it adds. A zero-initialised
// buffer is empty and may be released. Not shared between threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_release(struct buf *);

// Empties the buffer but keeps its memory.
void buf_clear(struct buf *);

// Makes room for `extra` more bytes and returns where they go; the caller then adds to len what it wrote.
char *buf_reserve(struct buf *, size_t extra);

void buf_add(struct buf *, const void *bytes, size_t len);
void buf_add_string(struct buf *, const char *string);
void buf_printf(struct buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Drops the first n bytes (n <= len).
void buf_consume(struct buf *, size_t n);

// Returns the bytes as a NUL-terminated string, which the buffer owns and which is valid until its next
// change.
const char *buf_string(struct buf *);

// Returns the bytes, which the caller owns from then on, and empties the buffer.
char *buf_steal(struct buf *, size_t *len);
