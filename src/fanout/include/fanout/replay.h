// A run of frames that several viewers are sent, each from a place of its own on: what they missed. Immutable
// once it is shared; its reference count is taken per viewer, and the frames' only once. Any thread.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct frame;

struct replay {
    atomic_uint refs;
    uint32_t count, room;
    bool has_gaps;
    struct frame *frames[]; // each moves the position
};

// Returns an empty replay with room for this many frames, and one reference, the caller's. Its own memory
// counts towards the budget.
struct replay *replay_new(uint32_t room);

// Appends a frame, whose reference it takes, before the replay is shared.
void replay_add(struct replay *, struct frame *);

struct replay *replay_ref(struct replay *);
void replay_unref(struct replay *); // NULL is fine
