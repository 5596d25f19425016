// A keyed hash (SipHash-1-3, Aumasson & Bernstein 2012) with a random key per process: clients choose video
// and user ids and must not be able to make them collide. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t len);

// Returns the same in each process (FNV-1a). Not for tables of what clients name: they can make it collide.
uint64_t hash_stable(const char *text);

// Returns random bits from a generator that is seeded by the kernel (not for secrets).
uint64_t hash_random(void);
