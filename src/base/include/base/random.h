// What is left to chance, from the kernel. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Fills `out` with random bytes, fit for secrets. Returns false, with the bytes unchanged, if the kernel has
// none.
bool random_bytes(void *out, size_t len);
