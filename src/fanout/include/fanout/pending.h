// The frames that a viewer is sent before it follows its channel: the response's head, a gap, what it missed.
// First those of its own, to which it holds references; then those of a replay that it shares with others.
// Its own memory counts towards the budget. One thread at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fanout/replay.h"

struct pending {
    uint32_t count, next; // frames[next] .. frames[count - 1] are still to be sent
    uint32_t room;
    uint32_t replay_next;   // and then the replay from here on
    struct replay *replay;  // NULL: none
    struct frame *frames[]; // the first is reserved for the head
};

// Returns an empty list with room for this many frames of its own and a head.
struct pending *pending_new(uint32_t room);

// Appends a frame, whose reference it takes, to those of its own. Returns the list, which may have moved.
struct pending *pending_add(struct pending *, struct frame *);

// Appends the frames of a replay from number `from` on (reference taken), behind all others. Call it at most
// once.
void pending_add_replay(struct pending *, struct replay *, uint32_t from);

// Puts a frame, whose reference it takes, before all others: the viewer's first bytes, which are never
// replaced by a gap. Call it at most once, before anything has been sent.
void pending_set_head(struct pending *, struct frame *);

// Returns whether there is a head, none of which has been sent.
bool pending_has_head(const struct pending *);

// Returns the number of frames left, and the one that comes after `ahead` others, NULL if there is none.
uint32_t pending_left(const struct pending *);
struct frame *pending_at(const struct pending *, uint32_t ahead);

// What there is left, for the ledger (ledger.h): entries, and what gaps stand for, by their reason.
struct pending_counts {
    uint64_t entries, slow, lost;
};
struct pending_counts pending_count(const struct pending *);

// Drops the first frame: it has been sent.
void pending_step(struct pending *);

// Drops the frames that have not been sent. NULL is allowed.
void pending_free(struct pending *);
