#include "vfs_node.h"

#include <string.h>

#include "vfs_memory.h"

// Bytes

static void bytes_resize(struct vfs_bytes *b, size_t size) {
    if (size > b->room) {
        b->room = size > 2 * b->room ? size : 2 * b->room;
        b->at = vfs_grow(b->at, b->room);
    }
    if (size > b->size) memset(b->at + b->size, 0, size - b->size);
    b->size = size;
}

static void bytes_write(struct vfs_bytes *b, const void *bytes, size_t size, size_t at) {
    if (at + size > b->size) bytes_resize(b, at + size);
    if (size) memcpy(b->at + at, bytes, size);
}

// Changes

static struct vfs_change *node_add_change(struct vfs_node *n) {
    if (n->count == n->room) {
        n->room = n->room ? 2 * n->room : 16;
        n->changes = vfs_grow(n->changes, n->room * sizeof *n->changes);
    }
    n->changed++;
    return &n->changes[n->count++];
}

void vfs_node_write(struct vfs_node *n, uint64_t order, const void *bytes, size_t size, size_t at) {
    struct vfs_change *c = node_add_change(n);
    *c = (struct vfs_change){.order = order, .at = at, .size = size, .bytes = vfs_alloc(size)};
    memcpy(c->bytes, bytes, size);
    bytes_write(&n->now, bytes, size, at);
}

void vfs_node_resize(struct vfs_node *n, uint64_t order, size_t size) {
    *node_add_change(n) = (struct vfs_change){.order = order, .is_size = true, .at = size};
    bytes_resize(&n->now, size);
}

size_t vfs_node_read(const struct vfs_node *n, void *bytes, size_t size, size_t at) {
    size_t there = at < n->now.size ? n->now.size - at : 0;
    if (there > size) there = size;
    if (there) memcpy(bytes, n->now.at + at, there);
    return there;
}

void vfs_node_forget_changes(struct vfs_node *n) {
    for (size_t i = 0; i < n->count; i++) vfs_release(n->changes[i].bytes);
    n->count = 0;
}

void vfs_node_sync(struct vfs_node *n) {
    for (size_t i = 0; i < n->count; i++) {
        const struct vfs_change *c = &n->changes[i];
        if (c->is_size)
            bytes_resize(&n->kept, c->at);
        else
            bytes_write(&n->kept, c->bytes, c->size, c->at);
    }
    vfs_node_forget_changes(n);
}

// The power cut

bool vfs_fate_keeps(const struct vfs_fate *fate, uint64_t order, struct prng *chance) {
    switch (fate->what) {
    case VFS_KEEP_NONE: return false;
    case VFS_KEEP_ALL: return true;
    case VFS_KEEP_OLDEST: return order <= fate->up_to;
    case VFS_KEEP_SOME: break;
    }
    return prng_below(chance, 2);
}

// The file has grown, but its new blocks were not written: they hold zeroes, or what was there before.
static void node_grow_unwritten(struct vfs_node *n, size_t size, struct prng *chance) {
    size_t from = n->kept.size;
    if (size <= from || prng_below(chance, 2)) return;
    bytes_resize(&n->kept, size);
    if (prng_below(chance, 4)) return;
    for (size_t i = from; i < size; i++) n->kept.at[i] = (uint8_t)prng_below(chance, 256);
}

static void node_keep_sectors(struct vfs_node *n, const struct vfs_change *c, size_t sector,
                              struct prng *chance) {
    enum { TORN = 16 }; // one sector of so many
    for (size_t done = 0, piece; done < c->size; done += piece) {
        piece = sector - (c->at + done) % sector;
        if (piece > c->size - done) piece = c->size - done;
        if (!prng_below(chance, 2)) continue;
        size_t written = prng_below(chance, TORN) ? piece : prng_below(chance, piece + 1);
        bytes_write(&n->kept, c->bytes + done, written, c->at + done);
    }
    node_grow_unwritten(n, c->at + c->size, chance);
}

void vfs_node_cut(struct vfs_node *n, const struct vfs_fate *fate, struct prng *chance) {
    for (size_t i = 0; i < n->count; i++) {
        const struct vfs_change *c = &n->changes[i];
        if (fate->what == VFS_KEEP_SOME && !c->is_size)
            node_keep_sectors(n, c, fate->sector, chance);
        else if (!vfs_fate_keeps(fate, c->order, chance))
            continue;
        else if (c->is_size)
            bytes_resize(&n->kept, c->at);
        else
            bytes_write(&n->kept, c->bytes, c->size, c->at);
    }
    vfs_node_forget_changes(n);
    n->now.size = 0;
    bytes_write(&n->now, n->kept.at, n->kept.size, 0);
    n->changed++;
}

void vfs_node_drop_shared(struct vfs_node *n) {
    for (size_t i = 0; i < n->shared.region_count; i++) vfs_release(n->shared.regions[i]);
    vfs_release(n->shared.regions);
    n->shared = (struct vfs_shared){0};
}

void vfs_node_free(struct vfs_node *n) {
    vfs_node_forget_changes(n);
    vfs_node_drop_shared(n);
    vfs_release(n->changes);
    vfs_release(n->now.at);
    vfs_release(n->kept.at);
    vfs_release(n);
}
