// Private to the Redis engine: the positions that Redis has given to this process, to be sent along with
// appends, so that Redis notices when it has lost some. Control loop only.
//
// Bounded: the LAST_POSITIONS_MAX videos appended to last, of some 200 bytes each; and of all videos the
// highest epoch.
#pragma once

#include <stdint.h>

#include "base/name_table.h"
#include "base/position.h"

enum { LAST_POSITIONS_MAX = 50000 };

struct last_position {
    struct name_entry entry;
    struct position at; // highest; not set: none yet
    char text[POSITION_TEXT_SIZE];
    unsigned calls; // under way, which hold it
    struct last_position *prev, *next;
    char name[];
};

// Zero-initialise.
struct last_positions {
    struct name_table videos;
    struct last_position *oldest; // by last use
    uint64_t epoch;
    char epoch_text[24];
};

void last_positions_release(struct last_positions *);

// Returns the video's, made if need be, and keeps it until last_positions_unref().
struct last_position *last_positions_ref(struct last_positions *, const char *video);
void last_positions_unref(struct last_positions *, struct last_position *);

// Notes what Redis has answered.
void last_positions_note(struct last_positions *, struct last_position *, struct position);
void last_positions_note_epoch(struct last_positions *, uint64_t epoch);
