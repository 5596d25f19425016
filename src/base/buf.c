#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SMALLEST = 64 };

void buf_release(struct buf *b) {
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b) {
    b->len = 0;
}

char *buf_reserve(struct buf *b, size_t extra) {
    size_t need = b->len + extra;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : SMALLEST;
        while (cap < need) cap *= 2;
        b->data = mem_realloc(b->data, cap);
        b->cap = cap;
    }
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *bytes, size_t len) {
    if (!len) return;
    memcpy(buf_reserve(b, len), bytes, len);
    b->len += len;
}

void buf_add_string(struct buf *b, const char *string) {
    buf_add(b, string, strlen(string));
}

void buf_printf(struct buf *b, const char *format, ...) {
    size_t room = SMALLEST;
    for (;;) {
        char *place = buf_reserve(b, room);
        va_list args;
        va_start(args, format);
        int len = vsnprintf(place, b->cap - b->len, format, args);
        va_end(args);
        if (len < 0) mem_abort("vsnprintf");
        if ((size_t)len < b->cap - b->len) {
            b->len += (size_t)len;
            return;
        }
        room = (size_t)len + 1;
    }
}

void buf_consume(struct buf *b, size_t n) {
    b->len -= n;
    if (b->len) memmove(b->data, b->data + n, b->len);
}

const char *buf_string(struct buf *b) {
    *buf_reserve(b, 1) = 0;
    return b->data;
}

char *buf_steal(struct buf *b, size_t *len) {
    char *data = b->data;
    if (len) *len = b->len;
    *b = (struct buf){0};
    return data;
}
