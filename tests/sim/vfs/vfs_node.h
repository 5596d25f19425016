// The bytes of one simulated file: as processes see them, as they are on the disk, and the writes between.
// Of these a power cut keeps any part: each sector of each write or not, a sector's beginning, bytes that
// were never written where the file had grown. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"

struct vfs_bytes {
    uint8_t *at;
    size_t size, room;
};

struct vfs_change {
    uint64_t order; // over all files and names of the disk
    bool is_size;   // the file was given the size `at`; else bytes were written there
    size_t at, size;
    uint8_t *bytes;
};

enum { VFS_SLOTS = 8 }; // SQLITE_SHM_NLOCK

// What SQLite's connections share of a file. It is in memory, and ends with them (vfs_sqlite.c).
struct vfs_shared {
    unsigned readers; // locks of level SHARED or more
    const void *reserved, *exclusive;
    bool pending;   // a writer waits for the readers
    unsigned users; // of the regions
    void **regions;
    size_t region_count;
    unsigned slot_readers[VFS_SLOTS];
    const void *slot_writer[VFS_SLOTS];
};

struct vfs_node {
    struct vfs_node *next;
    uint64_t inode;
    bool is_folder, named; // named: some name leads to it (used to find those that can be freed)
    int64_t changed;       // grows with each write
    struct vfs_bytes now, kept;
    struct vfs_change *changes; // since the last sync
    size_t count, room;
    struct vfs_shared shared;
};

// What a power cut keeps of the writes that were not synced.
struct vfs_fate {
    enum { VFS_KEEP_NONE, VFS_KEEP_ALL, VFS_KEEP_OLDEST, VFS_KEEP_SOME } what;
    uint64_t up_to; // OLDEST: the order of the last that is kept, on the whole disk
    size_t sector;  // SOME: each sector, or its beginning, has a chance of its own
};

void vfs_node_write(struct vfs_node *, uint64_t order, const void *bytes, size_t size, size_t at);
void vfs_node_resize(struct vfs_node *, uint64_t order, size_t size);
size_t vfs_node_read(const struct vfs_node *, void *bytes, size_t size, size_t at);

// Everything written is on the disk.
void vfs_node_sync(struct vfs_node *);

// A sync that failed: what it should have written is in memory, and counts as written, so no later sync
// writes it (Linux; see "fsyncgate", LWN 752063).
void vfs_node_forget_changes(struct vfs_node *);

void vfs_node_cut(struct vfs_node *, const struct vfs_fate *, struct prng *);
void vfs_node_drop_shared(struct vfs_node *);
void vfs_node_free(struct vfs_node *);

// Whether a change with this order survives; for names, which have no sectors.
bool vfs_fate_keeps(const struct vfs_fate *, uint64_t order, struct prng *);
