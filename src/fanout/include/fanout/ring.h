// A run of frames, numbered from 0 in the order in which they were added. It grows as far as its owner lets
// it: how many frames and bytes it holds is the owner's to bound. Owns a reference to each frame. One thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct frame;

// Zero-initialise.
struct ring {
    struct frame **slots;
    uint32_t room;        // slots there are, a power of two
    uint32_t bytes;       // of the frames held
    uint64_t first, next; // numbers held: first <= n < next
};

void ring_release(struct ring *);

// Takes the caller's reference.
void ring_push(struct ring *, struct frame *);

// Returns frame n (first <= n < next), borrowed.
struct frame *ring_at(const struct ring *, uint64_t n);

// Puts another frame, whose reference it takes, in the place of frame n.
void ring_replace(struct ring *, uint64_t n, struct frame *);

// Drops all frames before n.
void ring_drop_before(struct ring *, uint64_t n);
