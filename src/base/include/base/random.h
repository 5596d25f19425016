// Random bytes from the kernel. Any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Fills `out` with random bytes that are fit for secrets. Returns false and leaves `out` unchanged if the
// kernel has none.
bool random_bytes(void *out, size_t len);
