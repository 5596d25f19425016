// SHA-256 (FIPS 180-4), for digests that are the same in every process and for which clients must not be able
// to find collisions. Any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

struct sha256 {
    uint32_t state[8];
    uint64_t len; // bytes added so far
    unsigned char block[64];
};

void sha256_init(struct sha256 *);
void sha256_add(struct sha256 *, const void *bytes, size_t len);
void sha256_end(struct sha256 *, unsigned char digest[SHA256_SIZE]);
