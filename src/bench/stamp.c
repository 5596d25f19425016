#include "bench/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TIME_DIGITS = 12, NUMBER_DIGITS = 8 };

void stamp_write(struct bench_stamp s, size_t size, char *out) {
    char text[STAMP_LENGTH + 1];
    snprintf(text, sizeof text, "@%012" PRIx64 ".%08" PRIx32, (uint64_t)s.due_us & 0xffffffffffff, s.number);
    memcpy(out, text, STAMP_LENGTH);
    memset(out + STAMP_LENGTH, '-', size - STAMP_LENGTH);
    out[size] = 0;
}

static bool read_hex(const char *text, size_t digits, uint64_t *out) {
    uint64_t value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = text[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a') + 10;
        if (digit > 15) return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static bool stamp_read(const char *text, struct bench_stamp *out) {
    uint64_t due, number;
    if (text[1 + TIME_DIGITS] != '.' || !read_hex(text + 1, TIME_DIGITS, &due) ||
        !read_hex(text + 2 + TIME_DIGITS, NUMBER_DIGITS, &number))
        return false;
    *out = (struct bench_stamp){.due_us = (int64_t)due, .number = (uint32_t)number};
    return true;
}

bool stamp_find(const char *text, size_t len, struct bench_stamp *out) {
    const char *end = text + len, *at = text;
    while ((at = memchr(at, '@', (size_t)(end - at))) && end - at >= STAMP_LENGTH) {
        if (stamp_read(at, out)) return true;
        at++;
    }
    return false;
}
