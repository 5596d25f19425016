// What a viewer is to be sent before it follows its channel: its head, what it missed, a gap. Owns references
// to the frames; its own memory counts in the budget. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct frame;

struct pending {
    uint32_t count, next; // frames[next] .. frames[count - 1] are still to be sent
    uint32_t room;
    struct frame *frames[]; // the first place is the head's
};

// Returns an empty one with room for this many frames, and for a head.
struct pending *pending_new(uint32_t room);

// Takes the frame. Returns the pending, which may have moved.
struct pending *pending_add(struct pending *, struct frame *);

// Puts a frame (taken) before all others: the viewer's first bytes, which are never replaced by a gap. Once,
// before anything has been sent.
void pending_set_head(struct pending *, struct frame *);
bool pending_has_head(const struct pending *); // and none of it has been sent

// Drops the frames not sent yet. NULL is fine.
void pending_free(struct pending *);
