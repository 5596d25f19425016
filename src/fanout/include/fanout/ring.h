// A bounded run of frames, numbered from 0 for ever in the order of their arrival. When one more does not
// fit, the oldest go. Owns a reference to each frame. One thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct frame;

struct ring {
    struct frame **slots;
    uint32_t room;                  // slots there are, a power of two
    uint32_t max_frames, max_bytes; // bounds, set by ring_init
    uint32_t bytes;                 // of the frames held
    uint64_t first, next;           // numbers held: first <= n < next
};

void ring_init(struct ring *, uint32_t max_frames, uint32_t max_bytes);
void ring_release(struct ring *);

// Takes the caller's reference. Afterwards ring.first may have grown.
void ring_push(struct ring *, struct frame *);

// Returns frame n (first <= n < next), borrowed.
struct frame *ring_at(const struct ring *, uint64_t n);

// Lets go of all frames before n.
void ring_drop_before(struct ring *, uint64_t n);
