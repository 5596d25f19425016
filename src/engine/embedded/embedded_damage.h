// Whether the database file is damaged, or no longer where it was opened. Either way nothing is written any
// more, no append is answered with OK, and sound entries can still be read. Store's thread only.
//
// Damage is recorded beside the file, in chorus.db.damaged, with the file's inode, size and time of change.
// As long as these are the same, the next opening knows of the damage; if the file was repaired or replaced,
// all of it is checked once, and the note is removed if it is sound.
#pragma once

#include <stdbool.h>

#include "embedded_store.h"

// Records damage; the first time also beside the file (unless it is being opened).
void damage_found(struct store *, const char *what);

// Last step of opening: finds out whether there is a note, and whether it still holds.
void damage_recall(struct store *);

// Rewrites the note once the file is closed, with its final size and time of change.
void damage_keep(struct store *);

// Remembers which files were opened. Returns false if one is missing.
bool files_remember(struct store *);

// Sets `moved` if the paths no longer lead to those files. Two system calls.
void files_look(struct store *);

// Whether nothing may be written for one of these reasons.
static inline bool store_is_lost(const struct store *s) {
    return s->damaged || s->moved;
}
