// Decides whether one log entry follows another, and makes the gap where it does not. Pure.
#pragma once

#include <stddef.h>

#include "engine/engine.h"

struct frame;

enum continuity {
    CONTINUITY_NEXT,  // it follows
    CONTINUITY_OLD,   // already seen
    CONTINUITY_HOLE,  // entries lie between
    CONTINUITY_BEYOND // it belongs to an epoch that began before our position, or announces a loss
};

// `at` not set: nothing has been seen yet, and any entry follows.
enum continuity continuity_of(struct position at, const struct engine_entry *);

// Returns the position in front of an entry: a viewer there gets it next. Of one that announces a loss, its
// own: a viewer that begins has lost nothing.
struct position continuity_before(const struct engine_entry *);

// Emits frames for entries read from the log after *at, in order, with gap frames where something is missing
// for good. *at moves along: it is the position in front of a frame when the frame is emitted. emit() owns
// the frame.
void continuity_walk(struct position *at, const struct engine_entry *, size_t count,
                     void (*emit)(void *arg, struct frame *), void *arg);

// Emits a gap from *at to the log's newest entry, if the log has none in between, and moves *at there.
void continuity_end(struct position *at, struct position head, void (*emit)(void *arg, struct frame *),
                    void *arg);
