// A channel's viewers in one dense array, in four runs without a hole:
//
//     0 .. due        up to date but for the flush that is under way: they are sent it next
//     due .. ready    up to date
//     ready .. behind lagging, or still being given their first bytes: they need frames of the ring
//     behind .. count fallen off the ring: they need none
//
// A viewer knows its slot, so that every change is a swap or two, and a flush may be left and taken up again
// with any change in between. Worker's thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct viewer;

struct viewer_set {
    struct viewer **at;
    uint32_t due, ready, behind, count, room;
    uint32_t raw; // of all, those in SINK_RAW
};

void viewer_set_release(struct viewer_set *); // the array; there is nobody left in it

void viewer_set_add(struct viewer_set *, struct viewer *); // lagging
void viewer_set_remove(struct viewer_set *, struct viewer *);
void viewer_set_make_ready(struct viewer_set *, struct viewer *);
void viewer_set_make_lagging(struct viewer_set *, struct viewer *); // a ready one, or a fallen one
void viewer_set_make_fallen(struct viewer_set *, struct viewer *);  // a lagging one
bool viewer_set_is_ready(const struct viewer_set *, const struct viewer *);
bool viewer_set_is_due(const struct viewer_set *, const struct viewer *);

// All who are up to date are owed something now.
void viewer_set_begin_flush(struct viewer_set *);

// Returns one who is still owed it, and counts as served from here on. There is one (due > 0).
static inline struct viewer *viewer_set_serve(struct viewer_set *s) {
    return s->at[--s->due];
}
