// The frames that a viewer is sent before it follows its channel: the response's head, what it missed, a gap.
// Holds references to them; its own memory counts towards the budget. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct frame;

struct pending {
    uint32_t count, next; // frames[next] .. frames[count - 1] are still to be sent
    uint32_t room;
    struct frame *frames[]; // the first is reserved for the head
};

// Returns an empty list with room for this many frames and a head.
struct pending *pending_new(uint32_t room);

// Appends a frame, whose reference it takes. Returns the list, which may have moved.
struct pending *pending_add(struct pending *, struct frame *);

// Puts a frame, whose reference it takes, before all others: the viewer's first bytes, which are never
// replaced by a gap. Call it at most once, before anything has been sent.
void pending_set_head(struct pending *, struct frame *);

// Returns whether there is a head, none of which has been sent.
bool pending_has_head(const struct pending *);

// Drops the frames that have not been sent. NULL is allowed.
void pending_free(struct pending *);
