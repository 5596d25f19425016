// Private to the Redis engine: the last position of each video that Redis has given to this process, in
// answer to an append or to a subscription that has ended. They are sent along with appends, so that Redis
// notices when it has lost entries; and without an append when its history has changed (redis_losses.h).
// Control loop only.
//
// Bounded: the LAST_POSITIONS_MAX most recently used videos, about 200 bytes each; and the highest epoch of
// all videos.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "base/position.h"

enum { LAST_POSITIONS_MAX = 50000 };

struct last_position {
    struct name_entry entry;
    struct position at; // highest; not set: none yet
    char text[POSITION_TEXT_SIZE];
    unsigned calls; // in flight, which refer to it
    unsigned round; // of doubts, in which it was noted or taken last
    struct last_position *prev, *next;
    char name[];
};

// Zero-initialise.
struct last_positions {
    struct name_table videos;
    struct last_position *oldest; // least recently used first
    unsigned round;               // counts doubts
    bool doubting;                // some videos have not been taken
    uint64_t epoch;
    char epoch_text[24];
};

void last_positions_release(struct last_positions *);

// Returns the video's, adding it if needed, and holds it until last_positions_unref().
struct last_position *last_positions_ref(struct last_positions *, const char *video);
void last_positions_unref(struct last_positions *, struct last_position *);

// Record a position, or an epoch, from a reply. Lower ones are ignored.
void last_positions_note(struct last_positions *, struct last_position *, struct position);
void last_positions_note_epoch(struct last_positions *, uint64_t epoch);

// From now on all positions are doubted that have been noted so far.
void last_positions_doubt(struct last_positions *);

// Takes those that are doubted and have not been taken yet, at most `count`, the last used first; each is
// held until last_positions_unref(). Returns how many.
size_t last_positions_take_doubted(struct last_positions *, struct last_position **taken, size_t count);

// Notes what a subscription has got that ends now: to be taken once, as it may not have been compared with
// what Redis has since it was interrupted, and whenever all are doubted.
void last_positions_keep(struct last_positions *, const char *video, struct position);

// It is to be taken once more.
void last_positions_doubt_again(struct last_positions *, struct last_position *);
