#include "redis_slots.h"

#include <stdio.h>
#include <string.h>

enum { POLYNOMIAL = 0x1021 };

static uint16_t crc16_step(uint16_t crc, unsigned char byte) {
    crc = (uint16_t)(crc ^ byte << 8);
    for (int bit = 0; bit < 8; bit++) crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ POLYNOMIAL : crc << 1);
    return crc;
}

uint16_t redis_crc16(const void *bytes, size_t len) {
    const unsigned char *at = bytes;
    uint16_t crc = 0;
    for (size_t i = 0; i < len; i++) crc = crc16_step(crc, at[i]);
    return crc;
}

unsigned redis_slot_of(const char *key, size_t len) {
    const char *open = memchr(key, '{', len);
    if (open) {
        const char *tag = open + 1, *end = key + len, *close = memchr(tag, '}', (size_t)(end - tag));
        if (close && close > tag) return redis_crc16(tag, (size_t)(close - tag)) % REDIS_SLOTS;
    }
    return redis_crc16(key, len) % REDIS_SLOTS;
}

void redis_tags_init(struct redis_tags *t) {
    char text[REDIS_TAG_SIZE];
    memset(t, 0, sizeof *t);
    for (unsigned number = 0, found = 0; found < REDIS_SLOTS; number++) {
        int len = snprintf(text, sizeof text, "%x", number);
        char *tag = t->of[redis_crc16(text, (size_t)len) % REDIS_SLOTS];
        if (*tag) continue;
        memcpy(tag, text, (size_t)len + 1);
        found++;
    }
}
