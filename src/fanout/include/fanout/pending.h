// What a viewer is to be sent before it follows its channel: its head, what it missed, a gap. Owns references
// to the frames; its own memory counts in the budget. One thread at a time.
#pragma once

#include <stdint.h>

struct frame;

struct pending {
    uint32_t count, next; // frames there are; the one to be sent next
    uint32_t room;
    struct frame *frames[];
};

// Returns an empty one with room for so many.
struct pending *pending_new(uint32_t room);

// Takes the frame; NULL keeps its place free. Returns the pending, which may have moved.
struct pending *pending_add(struct pending *, struct frame *);

// Lets go of the frames not sent yet. NULL is fine.
void pending_free(struct pending *);
