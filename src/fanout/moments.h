// Events of the moment: the latest value of each kind (a bit each), for viewers that have asked for it. They
// have no number, are in no ring and no history, and only the newest is ever sent. Owns references. One
// thread.
#pragma once

#include <stdint.h>

struct frame;

enum { MOMENT_KINDS = 8 };

struct moments {
    struct frame *latest[MOMENT_KINDS];
    uint8_t known; // bits of the kinds that have a value for viewers who come later
    uint8_t fresh; // bits of those not flushed yet
};

// Sets the latest of a kind (one bit); takes the frame. Makes *m where there is none yet.
void moments_set(struct moments **m, uint8_t kind, struct frame *);

// Returns the latest of a kind, borrowed.
struct frame *moments_get(const struct moments *, uint8_t kind);

void moments_free(struct moments *); // NULL is fine

// Returns the lowest bit of a set that is not empty.
static inline uint8_t moments_first(uint8_t kinds) {
    return kinds & (uint8_t)-kinds;
}
