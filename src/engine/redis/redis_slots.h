// Private to the Redis engine: slots of a Cluster (Redis Cluster specification, "Key distribution model").
// Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { REDIS_SLOTS = 16384, REDIS_TAG_SIZE = 8 };

// CRC-16/XMODEM.
uint16_t redis_crc16(const void *bytes, size_t len);

// Returns the slot of a key, or of a channel: of what stands in its first braces, if that is not empty, or of
// all of it.
unsigned redis_slot_of(const char *key, size_t len);

// For each slot a short text that lies in it: so a key that ends in `{text}` does, too.
struct redis_tags {
    char of[REDIS_SLOTS][REDIS_TAG_SIZE];
};
void redis_tags_init(struct redis_tags *);
