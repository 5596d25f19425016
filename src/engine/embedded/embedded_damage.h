// Knows whether the database file is damaged, or no longer where it was opened. In either case nothing more
// is written, every append fails, and sound entries can still be read. Store thread only.
//
// Damage is recorded beside the file, in chorus.db.damaged, with the file's inode, size and time of change.
// While these are unchanged, the file is known to be damaged when it is next opened. If it was repaired or
// replaced, the whole file is checked once, and the note is removed if it is sound.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct damage_file {
    uint64_t device, inode;
};

struct damage {
    const char *path;            // of the database; borrowed
    bool opened;                 // before that nothing is recorded beside the file
    bool damaged;                // stays set until the store is opened again
    bool moved;                  // files are not where they were
    char what[128];              // a few words
    struct damage_file files[2]; // the database and its write-ahead log
};

// Notes damage; the first time also beside the file.
void damage_found(struct damage *, const char *what);

// Last step of opening: reads the note, if there is one, and decides whether it still applies. is_sound()
// checks the whole file if it has changed since.
void damage_recall(struct damage *, bool (*is_sound)(void *arg), void *arg);

// Rewrites the note once the file is closed, with its final size and time of change.
void damage_keep(const struct damage *);

// Remembers which files were opened. Returns false if one is missing.
bool damage_remember_files(struct damage *);

// Sets `moved` if the paths no longer lead to those files. Two system calls.
void damage_check_files(struct damage *);
