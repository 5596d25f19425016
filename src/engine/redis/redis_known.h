// Private to the Redis engine: the positions that Redis has given to this process, to be sent along with
// appends, so that Redis notices when it has lost some. Control loop only.
//
// Bounded: the KNOWN_VIDEOS videos appended to last, of some 200 bytes each; and of all videos the highest
// epoch.
#pragma once

#include <stdint.h>

#include "base/name_table.h"
#include "base/position.h"

enum { KNOWN_VIDEOS = 50000 };

struct known_video {
    struct name_entry entry;
    struct position at; // highest; not set: none yet
    char text[POSITION_TEXT_SIZE];
    unsigned calls; // under way, which hold it
    struct known_video *prev, *next;
    char name[];
};

// Zero-initialise.
struct known {
    struct name_table videos;
    struct known_video *oldest; // by last use
    uint64_t epoch;
    char epoch_text[24];
};

void known_release(struct known *);

// Returns the video's, made if need be, and keeps it until known_unref().
struct known_video *known_ref(struct known *, const char *video);
void known_unref(struct known *, struct known_video *);

// Notes what Redis has answered.
void known_note(struct known *, struct known_video *, struct position);
void known_note_epoch(struct known *, uint64_t epoch);
