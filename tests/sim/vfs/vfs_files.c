// The functions of embedded_disk.h on simulated disks (vfs_disk.h).
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/embedded/embedded_disk.h"
#include "vfs_disk.h"
#include "vfs_node.h"

enum { LOCKS = 64 };

struct file_lock {
    const struct vfs_disk *disk; // NULL: free
    const struct vfs_node *node;
    unsigned life;
};

static struct file_lock locks[LOCKS];

static int file_find(const char *path, struct vfs_disk **disk, struct vfs_node **node) {
    *disk = vfs_disk_of(path);
    if (!*disk || vfs_disk_is_dead(*disk)) return *disk ? -EIO : -ENOENT;
    *node = vfs_find(*disk, path);
    return *node ? 0 : -ENOENT;
}

int disk_look_up(const char *path, struct disk_file *file) {
    struct vfs_disk *d;
    struct vfs_node *n;
    int error = file_find(path, &d, &n);
    if (error) return error;
    *file = (struct disk_file){.is_file = !n->is_folder,
                               .is_folder = n->is_folder,
                               .device = 1,
                               .inode = n->inode,
                               .size = (int64_t)n->now.size,
                               .changed_s = n->changed};
    return 0;
}

int disk_make_folder(const char *path) {
    struct vfs_disk *d = vfs_disk_of(path);
    return d ? vfs_make(d, path, true, NULL) : -ENOENT;
}

int disk_make_file(const char *path, bool may_exist) {
    struct vfs_disk *d = vfs_disk_of(path);
    int error = d ? vfs_make(d, path, false, NULL) : -ENOENT;
    return error == -EEXIST && may_exist ? 0 : error;
}

int disk_rename(const char *from, const char *to, bool replace) {
    struct vfs_disk *d = vfs_disk_of(from);
    return d ? vfs_rename(d, from, to, replace) : -ENOENT;
}

int disk_remove(const char *path) {
    struct vfs_disk *d = vfs_disk_of(path);
    return d ? vfs_remove(d, path) : -ENOENT;
}

int disk_sync(const char *path) {
    struct vfs_disk *d;
    struct vfs_node *n;
    int error = file_find(path, &d, &n);
    if (error == -ENOENT && d && vfs_disk_of(path) == d && !strrchr(path + 1, '/'))
        return vfs_sync_folder(d, path); // the disk's root
    if (error) return error;
    return n->is_folder ? vfs_sync_folder(d, path) : vfs_sync(d, n);
}

int disk_sync_folder_of(const char *path) {
    struct vfs_disk *d = vfs_disk_of(path);
    return d ? vfs_sync_folder_of(d, path) : -ENOENT;
}

int disk_read(const char *path, char *text, size_t size) {
    struct vfs_disk *d;
    struct vfs_node *n;
    size_t count = 0;
    int error = file_find(path, &d, &n);
    if (!error) error = vfs_read(d, n, text, size - 1, 0, &count);
    text[count] = 0;
    return error;
}

int disk_write(const char *path, const char *text, bool sync) {
    struct vfs_disk *d;
    struct vfs_node *n;
    int error = disk_make_file(path, true);
    if (!error) error = file_find(path, &d, &n);
    if (!error) error = vfs_resize(d, n, 0);
    if (!error) error = vfs_write(d, n, text, strlen(text), 0);
    return !error && sync ? vfs_sync(d, n) : error;
}

int disk_rewrite(const char *path) {
    struct vfs_disk *d;
    struct vfs_node *n;
    int error = file_find(path, &d, &n);
    if (error) return error;
    size_t size = n->now.size;
    char *bytes = malloc(size + 1);
    if (!bytes) return -ENOMEM;
    error = vfs_read(d, n, bytes, size, 0, &size);
    if (!error) error = vfs_write(d, n, bytes, size, 0);
    free(bytes);
    return error ? error : vfs_sync(d, n);
}

static bool lock_is_held(const struct file_lock *l) {
    return l->disk && l->life == vfs_disk_life(l->disk);
}

int disk_lock(const char *path) {
    struct vfs_disk *d;
    struct vfs_node *n;
    int error = disk_make_file(path, true), unused = -1;
    if (!error) error = file_find(path, &d, &n);
    if (error) return error;
    for (int i = 0; i < LOCKS; i++) {
        if (lock_is_held(&locks[i]) && locks[i].node == n) return -EWOULDBLOCK;
        if (!lock_is_held(&locks[i])) unused = i;
    }
    if (unused < 0) return -ENOLCK;
    locks[unused] = (struct file_lock){d, n, vfs_disk_life(d)};
    return unused;
}

void disk_unlock(int lock) {
    locks[lock].disk = NULL;
}

int disk_give(const char *path, const char *folder) {
    struct disk_file ignored;
    (void)folder;
    return disk_look_up(path, &ignored);
}

int disk_room(const char *path, uint64_t *bytes, uint64_t *free_bytes) {
    const struct vfs_disk *d = vfs_disk_of(path);
    if (!d) return -ENOENT;
    *bytes = vfs_disk_room(d);
    uint64_t used = vfs_disk_bytes(d);
    *free_bytes = used < *bytes ? *bytes - used : 0;
    return 0;
}
