// Whether one log entry follows another, and what to say where it does not. Pure.
#pragma once

#include <stddef.h>

#include "engine/engine.h"

struct frame;

enum continuity {
    CONTINUITY_NEXT,  // it follows
    CONTINUITY_OLD,   // already seen
    CONTINUITY_HOLE,  // entries lie between
    CONTINUITY_BEYOND // an epoch began before where we stand, or says that entries were lost
};

// `at` not set: nothing seen yet, anything follows.
enum continuity continuity_of(struct position at, const struct engine_entry *);

// Gives frames for entries read from the log after *at, in order, with gap frames where something is missing
// for good, and moves *at, which is where each frame begins when it is emitted. emit() takes the frame.
void continuity_walk(struct position *at, const struct engine_entry *, size_t count,
                     void (*emit)(void *arg, struct frame *), void *arg);

// Closes what is left between *at and the log's newest entry, when the log has no entry in between.
void continuity_end(struct position *at, struct position head, void (*emit)(void *arg, struct frame *),
                    void *arg);
