// What the drivers share. Each reads input as an attacker or a broken peer could send it, and states what
// must hold whatever it is; the sanitizers see to the rest. Copies are exact in length, so that a step too
// far is seen.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Owned by the caller, with a NUL behind it.
static inline char *fuzz_text(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text) abort();
    if (size) memcpy(text, data, size);
    text[size] = 0;
    return text;
}

// The same without one.
static inline char *fuzz_bytes(const uint8_t *data, size_t size) {
    char *bytes = malloc(size ? size : 1);
    if (!bytes) abort();
    if (size) memcpy(bytes, data, size);
    return bytes;
}

// Takes a number from 0 to `most` off the end of the input.
static inline size_t fuzz_number(const uint8_t *data, size_t *size, size_t most) {
    return *size ? data[--*size] % (most + 1) : 0;
}
