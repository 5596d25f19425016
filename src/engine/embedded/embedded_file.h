// What backup, restore and check share: a database opened to be read as it is at one moment, and copied.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/embedded_files.h"

// A sentence about what failed. Returns false.
struct file_error {
    char *why;
    size_t size;
};
bool file_fail(struct file_error *, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Opens a database for reading, begins a transaction that lasts until it is closed, and checks that it is one
// of ours, of a version that is known. NULL on failure. sqlite3_close() is the caller's.
sqlite3 *file_open(const char *path, struct file_error *);

// Reads one number. Returns -1 on failure.
int64_t file_number(sqlite3 *, const char *sql);

// Says why SQLite failed at a path.
bool file_fail_by_code(struct file_error *, const char *path, sqlite3 *, int code);

// Copies an open database to a new file that has no other files beside it. Returns false, and removes it, on
// failure.
bool file_copy(sqlite3 *from, const char *to, embedded_stop, struct file_error *);

// fsync() of a file or a folder; of the folder that a path lies in.
bool file_sync(const char *path, struct file_error *);
bool file_sync_folder_of(const char *path, struct file_error *);

// As root: makes a file or a folder that of the owner of `folder`, as whom Chorus runs.
bool file_give(const char *path, const char *folder, struct file_error *);
