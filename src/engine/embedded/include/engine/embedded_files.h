// The embedded engine's database as a file: copying it away and back, and checking it. A backup and a check
// may run beside the process that uses the data folder, which goes on writing: they see the data as it was at
// one moment. Blocking; any thread, of which no other uses the same file.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EMBEDDED_PATH_SIZE = 4096 };

struct embedded_contents {
    uint64_t videos, mappings; // with a row each
    uint64_t entries;          // in the logs now
    uint64_t comments;         // ever logged
    int64_t newest_ms;         // wall time of the newest entry; 0: there is none
    uint64_t bytes;            // of the file
    uint64_t problems;         // found; see below
};

// How long work is cut short: when *stop has become true, it ends and fails. May be NULL.
typedef const volatile sig_atomic_t *embedded_stop;

// Checks a database: SQLite's structures, each row of the logs, and that numbers are without holes, positions
// not behind their logs, and mappings usable. Calls on_problem() with a sentence for each of the first ones.
// Returns false, with a sentence in `why`, if the file cannot be read as a database of Chorus.
bool embedded_check(const char *path, embedded_stop, void (*on_problem)(void *arg, const char *sentence),
                    void *arg, struct embedded_contents *, char *why, size_t why_size);

// Copies the data folder's database into one file, checks the copy, writes it through to the disk and gives
// it its name at the end: the file is never there in part. `replace` permits a file that exists. Returns
// false, with a sentence in `why`, and leaves nothing behind.
bool embedded_backup(const char *folder, const char *file, bool replace, embedded_stop,
                     struct embedded_contents *, char *why, size_t why_size);

// Checks a copy and makes it the folder's database, with a new history: numbers that were given after the
// copy was made are not given again. `replace` permits a folder with data, which is kept in a folder beside
// it whose path is written to `aside` (empty: there was none). Returns false, with a sentence in `why`, and
// leaves everything as it was, if the file is unusable, a process uses the folder, or it has data.
bool embedded_restore(const char *file, const char *folder, bool replace, embedded_stop,
                      struct embedded_contents *, char aside[EMBEDDED_PATH_SIZE], char *why, size_t why_size);
