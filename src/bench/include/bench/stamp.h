// What a comment of the bench has in its text: when it was due, by the machine's monotonic clock, which all
// processes share, and its number within its video. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_stamp {
    int64_t due_us;  // less than 2^48
    uint32_t number; // from 1
};

enum { STAMP_LENGTH = 22 }; // @, 12 hexadecimal digits, a dot, 8 more

// Writes a text of `size` bytes (at least STAMP_LENGTH) and a NUL: the stamp, then padding.
void stamp_write(struct bench_stamp, size_t size, char *out);

// Finds a stamp anywhere in a text. Returns false if there is none.
bool stamp_find(const char *text, size_t len, struct bench_stamp *out);
