// The files of a data folder as far as SQLite does not open them itself: the lock, the note on damage, and
// what a backup or a restore makes, renames and removes. The embedded engine makes no other system call on
// files, so a test that puts its own functions in their place, and gives SQLite a VFS, has the whole disk.
//
// Functions return 0 or a negative errno. Blocking; any thread.
//
// A new name, a rename and a removal survive a power cut once disk_sync() of the folder has returned (Linux,
// fsync(2)); the bytes of a file once that of the file has.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_file {
    bool is_file, is_folder;
    uint64_t device, inode;
    int64_t size, changed_s, changed_ns;
};

// What a path leads to, symbolic links followed. -ENOENT: nothing is there.
int disk_look_up(const char *path, struct disk_file *);

// For its user only. -EEXIST: it is there already.
int disk_make_folder(const char *path);

// Makes an empty file for its user only. Unless `may_exist`, a file that is there is -EEXIST.
int disk_make_file(const char *path, bool may_exist);

// Unless `replace`, a file that is there is -EEXIST, as far as the file system can tell.
int disk_rename(const char *from, const char *to, bool replace);
int disk_remove(const char *path);

// Writes a file or a folder through to the disk; the folder that a path lies in. File systems on which a
// folder cannot be (-EINVAL) do not count as failing.
int disk_sync(const char *path);
int disk_sync_folder_of(const char *path);

// Reads the beginning of a small file, as a string.
int disk_read(const char *path, char *text, size_t size);

// Replaces what is in a small file. `sync`: through to the disk.
int disk_write(const char *path, const char *text, bool sync);

// Writes what is in a file once more, in its place, and through to the disk.
int disk_rewrite(const char *path);

// Locks a file until disk_unlock(), or until the process ends. Returns the lock, or -EWOULDBLOCK if another
// has it.
int disk_lock(const char *path);
void disk_unlock(int lock);

// As root: makes a file or a folder that of the owner of `folder`, as whom Chorus runs.
int disk_give(const char *path, const char *folder);

// The size of the file system that a path is on, and what is free there.
int disk_room(const char *path, uint64_t *bytes, uint64_t *free_bytes);
