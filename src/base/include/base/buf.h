// A growable run of bytes. The caller bounds what it adds; the buffer itself only grows. Always safe to
// release, also when zero-initialised. Not shared between threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

void buf_release(struct buf *);

// Empties it and keeps the memory.
void buf_clear(struct buf *);

// Returns a place for `extra` more bytes behind the present ones; the caller raises len by what it wrote.
char *buf_reserve(struct buf *, size_t extra);

void buf_add(struct buf *, const void *bytes, size_t len);
void buf_add_string(struct buf *, const char *string);
void buf_printf(struct buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Drops the first n bytes (n <= len).
void buf_consume(struct buf *, size_t n);

// Returns the bytes as a NUL-terminated string that stays the buffer's until its next change.
const char *buf_string(struct buf *);

// Returns the bytes, which the caller now owns; the buffer is empty again.
char *buf_steal(struct buf *, size_t *len);
