// A channel's viewers in one dense array, in four runs without a hole:
//
//     0 .. due        up to date except for the flush under way, which they are sent next
//     due .. ready    up to date
//     ready .. behind lagging, or still being sent their first bytes: they need frames of the ring
//     behind .. count fallen off the ring: they need none
//
// A viewer knows its slot, so every change is a swap or two, and a flush may pause with any change in
// between. Worker's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct viewer;

struct viewer_set {
    struct viewer **at;
    uint32_t due, ready, behind, count, room;
    uint32_t raw; // of all, those in SINK_RAW
};

void viewer_set_release(struct viewer_set *); // the array, which is empty

void viewer_set_add(struct viewer_set *, struct viewer *); // as a lagging one
void viewer_set_remove(struct viewer_set *, struct viewer *);
void viewer_set_make_ready(struct viewer_set *, struct viewer *);
void viewer_set_make_lagging(struct viewer_set *, struct viewer *); // a ready one, or a fallen one
void viewer_set_make_fallen(struct viewer_set *, struct viewer *);  // a lagging one
bool viewer_set_is_ready(const struct viewer_set *, const struct viewer *);
bool viewer_set_is_due(const struct viewer_set *, const struct viewer *);

// All viewers that are up to date are due now.
void viewer_set_begin_flush(struct viewer_set *);

// Returns a viewer that is due (due > 0), and counts it as served.
static inline struct viewer *viewer_set_serve(struct viewer_set *s) {
    return s->at[--s->due];
}
