// What is known against the database file: that it is damaged, or that it is no longer where it was opened.
// Either way nothing is written any more, no append is answered with OK, and reading what is sound goes on.
// Store's thread only.
//
// Damage is remembered beside the file, in chorus.db.damaged, with what the file looked like then. As long as
// it looks the same, the next opening knows; if it has been put right or replaced, all of it is checked once,
// and the note goes if it is sound.
#pragma once

#include <stdbool.h>

#include "engine/embedded_store.h"

// Notes damage, the first time also beside the file (unless it is being opened).
void damage_found(struct store *, const char *what);

// Last step of opening: finds out whether there is a note, and whether it still holds.
void damage_recall(struct store *);

// Once the file is closed: the note describes it as it stays.
void damage_keep(struct store *);

// Remembers which files are open. Returns false if they cannot be seen.
bool files_remember(struct store *);

// Looks whether the paths still lead to them, and notes it in `moved`. Two system calls.
void files_look(struct store *);

// Whether nothing may be written for one of these reasons.
static inline bool store_is_lost(const struct store *s) {
    return s->damaged || s->moved;
}
