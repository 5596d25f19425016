// A simulated disk that loses what was not synced, as a real one may: files (vfs_node.h) and their names.
// SQLite reaches it through the VFS that vfs_install() makes the default, and the embedded engine's own calls
// through the functions of embedded_disk.h, which vfs_files.c defines in place of the library.
//
// A name is made, renamed and removed at once for processes, and on the disk when its folder is synced. A
// power cut keeps any of the changes that were not: none, all, the oldest, or some of them; a rename whole or
// not at all, also between folders. What is chosen depends on the disk's seed and the calls alone.
//
// From the moment it is to die, every call fails with EIO and changes nothing, until vfs_disk_restart(): the
// process that used it can be ended in good order, as far as memory is concerned. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vfs_disk;
struct vfs_node;

struct vfs_faults {
    unsigned read, write, sync; // chances in a million that such a call fails with EIO
    bool sync_forgets;          // what a failed sync should have written is not written by a later one either
    bool ignores_sync;          // lies: says that it has, and has not
    uint64_t room_bytes;        // all files together; 0: no limit
};

// Folders directly under `root`, and everything in them, lie on this disk.
struct vfs_disk *vfs_disk_new(const char *root, uint64_t seed);
void vfs_disk_free(struct vfs_disk *);

void vfs_disk_set_faults(struct vfs_disk *, const struct vfs_faults *);

// Called before each call that reads, writes or syncs: it may wait there, so that other threads of the
// simulation run meanwhile.
enum vfs_call { VFS_READ, VFS_WRITE, VFS_SYNC, VFS_NAMES };
void vfs_disk_on_call(struct vfs_disk *, void (*on_call)(void *arg, enum vfs_call), void *arg);

// Dies with the n-th call from now on that changes something (1: the next), which may still have its effect.
// 0: never.
void vfs_disk_die_after(struct vfs_disk *, uint64_t calls);
void vfs_disk_die(struct vfs_disk *);
bool vfs_disk_is_dead(const struct vfs_disk *);

// The process has ended: its handles and locks are void. A power cut also loses what was not synced.
void vfs_disk_restart(struct vfs_disk *, bool power_cut);

// Puts a file there, or a folder (bytes NULL), synced.
void vfs_disk_put(struct vfs_disk *, const char *path, const void *bytes, size_t size);

// Makes SQLite use simulated disks for all paths. Once, before SQLite is used; SQLite then takes no locks.
// `sleep_us`: waits, while another connection has a lock; NULL: SQLite only counts how often it has tried.
void vfs_install(void (*sleep_us)(int us));

// For vfs_sqlite.c and vfs_files.c. They return 0 or a negative errno; those that change something on a dead
// disk -EIO.

struct vfs_disk *vfs_disk_of(const char *path);  // NULL: none
unsigned vfs_disk_life(const struct vfs_disk *); // restarts; handles of an earlier life are void
uint64_t vfs_disk_bytes(const struct vfs_disk *);
uint64_t vfs_disk_room(const struct vfs_disk *);

struct vfs_node *vfs_find(struct vfs_disk *, const char *path); // NULL: nothing is there
int vfs_make(struct vfs_disk *, const char *path, bool folder, struct vfs_node **made);
struct vfs_node *vfs_make_unnamed(struct vfs_disk *);
int vfs_rename(struct vfs_disk *, const char *from, const char *to, bool replace);
int vfs_remove(struct vfs_disk *, const char *path);
int vfs_read(struct vfs_disk *, const struct vfs_node *, void *bytes, size_t size, size_t at, size_t *count);
int vfs_write(struct vfs_disk *, struct vfs_node *, const void *bytes, size_t size, size_t at);
int vfs_resize(struct vfs_disk *, struct vfs_node *, size_t size);
int vfs_sync(struct vfs_disk *, struct vfs_node *);
int vfs_sync_folder(struct vfs_disk *, const char *folder);
int vfs_sync_folder_of(struct vfs_disk *, const char *path);
