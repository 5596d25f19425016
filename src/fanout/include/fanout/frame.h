// One event as the bytes that go out, made once and shared by everybody it goes to. Immutable but for its
// reference count, which is taken per worker and per lagging viewer, never per delivery. Any thread.
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"

struct frame {
    atomic_uint refs;
    uint32_t len;
    struct position at;    // where a viewer stands after it; not set: it moves no position
    struct position first; // the first number it tells of: `at`, or where the gap begins
    char bytes[];
};

enum gap_reason { GAP_EXPIRED, GAP_SLOW, GAP_EPOCH };

// Return a frame with one reference, the caller's.
struct frame *frame_of_bytes(const void *bytes, size_t len, struct position at);
// One event; its id is `at`, where that is set. `event` is its name, or NULL.
struct frame *frame_of_event(struct position at, const char *event, const char *data, size_t len);
struct frame *frame_of_gap(struct position from, struct position to, enum gap_reason);

struct frame *frame_ref(struct frame *);
void frame_unref(struct frame *); // NULL is fine
