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

struct seats {
    struct viewer **at;
    uint32_t due, ready, behind, count, room;
    uint32_t raw; // of all, those in SINK_RAW
};

void seats_release(struct seats *); // the array; there is nobody left in it

void seats_add(struct seats *, struct viewer *); // lagging
void seats_remove(struct seats *, struct viewer *);
void seats_make_ready(struct seats *, struct viewer *);
void seats_make_lagging(struct seats *, struct viewer *); // a ready one, or a fallen one
void seats_make_fallen(struct seats *, struct viewer *);  // a lagging one
bool seats_is_ready(const struct seats *, const struct viewer *);
bool seats_is_due(const struct seats *, const struct viewer *);

// All who are up to date are owed something now.
void seats_begin_flush(struct seats *);

// Returns one who is still owed it, and counts as served from here on. There is one (due > 0).
static inline struct viewer *seats_serve(struct seats *s) {
    return s->at[--s->due];
}
