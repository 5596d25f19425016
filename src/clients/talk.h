// What people say in the demo: who speaks next, when, and what. Pure: the same seed gives the same
// conversation.
//
// A room is mostly calm, with pauses of random length. Now and then something happens in one video, and its
// viewers react for a few seconds, briefly and many at a time. The sentences of a video follow each other as
// in a conversation; none is repeated in it before all have been said.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"

enum {
    TALK_ROOMS = 16,    // videos that have a conversation of their own
    TALK_TEXT_MAX = 400 // bytes of a sentence, at most
};

struct talk {
    const unsigned *videos; // by viewer: the number of the video it watches
    size_t viewers;
    struct prng prng;
    size_t next_sentence[TALK_ROOMS], next_reaction;
    size_t last_viewer[TALK_ROOMS]; // that spoke
    size_t reactions_due;           // left of the burst
    unsigned burst_video;
};

struct talk_turn {
    size_t viewer;    // its index
    const char *text; // UTF-8; nothing in it needs escaping in JSON
    int64_t wait_us;  // until the next turn
};

// Borrows the list; there is at least one viewer.
void talk_init(struct talk *, const unsigned *videos, size_t viewers, uint64_t seed);

struct talk_turn talk_next(struct talk *);

// Returns the display name of viewer `number` (from 1), which needs no escaping either. There are more than
// 60; then they begin again.
const char *talk_name(unsigned number);
