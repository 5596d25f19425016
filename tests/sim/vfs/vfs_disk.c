#include "vfs_disk.h"

#include <errno.h>
#include <string.h>

#include "vfs_memory.h"
#include "vfs_node.h"

struct name {
    char *path;
    struct vfs_node *node;
};

struct names {
    struct name *list;
    size_t count, room;
};

// A change of names: of one, or of two by a rename.
struct naming {
    uint64_t order;
    char *from, *to; // `from` is removed, `to` leads to the node; NULL: not part of it
    struct vfs_node *node;
};

struct vfs_disk {
    struct vfs_disk *next;
    char *root;
    struct prng chance;
    struct vfs_faults faults;
    void (*on_call)(void *arg, enum vfs_call);
    void *arg;
    uint64_t order, inodes;
    uint64_t dies_after; // 0: does not
    bool dead;
    unsigned life;
    struct vfs_node *nodes;
    struct names now, kept;
    struct naming *namings; // not on the disk yet, oldest first
    size_t naming_count, naming_room;
};

static struct vfs_disk *disks;

static void *grown(void *list, size_t count, size_t *room, size_t size) {
    if (count < *room) return list;
    *room = *room ? 2 * *room : 16;
    return vfs_grow(list, *room * size);
}

static char *copy_of(const char *text) {
    return text ? memcpy(vfs_alloc(strlen(text) + 1), text, strlen(text)) : NULL;
}

// Names

static size_t names_at(const struct names *names, const char *path) {
    size_t i = 0;
    while (i < names->count && strcmp(names->list[i].path, path) != 0) i++;
    return i;
}

static void names_remove(struct names *names, const char *path) {
    size_t i = names_at(names, path);
    if (i == names->count) return;
    vfs_release(names->list[i].path);
    names->list[i] = names->list[--names->count];
}

static void names_set(struct names *names, const char *path, struct vfs_node *node) {
    size_t i = names_at(names, path);
    if (i == names->count) {
        names->list = grown(names->list, names->count, &names->room, sizeof *names->list);
        names->list[names->count++].path = copy_of(path);
    }
    names->list[i].node = node;
}

static void names_clear(struct names *names) {
    while (names->count) vfs_release(names->list[--names->count].path);
}

static void names_copy(struct names *to, const struct names *from) {
    names_clear(to);
    for (size_t i = 0; i < from->count; i++) names_set(to, from->list[i].path, from->list[i].node);
}

static void names_apply(struct names *names, const struct naming *n) {
    if (n->from) names_remove(names, n->from);
    if (n->to) names_set(names, n->to, n->node);
}

static bool is_in_folder(const char *path, const char *folder) {
    size_t len = strlen(folder);
    return path && !strncmp(path, folder, len) && path[len] == '/' && !strchr(path + len + 1, '/');
}

static char *folder_of(const char *path) {
    char *folder = copy_of(path), *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    return folder;
}

static void disk_change_names(struct vfs_disk *d, const char *from, const char *to, struct vfs_node *node) {
    d->namings = grown(d->namings, d->naming_count, &d->naming_room, sizeof *d->namings);
    struct naming *n = &d->namings[d->naming_count++];
    *n = (struct naming){.order = ++d->order, .from = copy_of(from), .to = copy_of(to), .node = node};
    names_apply(&d->now, n);
}

static void naming_release(struct naming *n) {
    vfs_release(n->from);
    vfs_release(n->to);
}

// Life

struct vfs_disk *vfs_disk_new(const char *root, uint64_t seed) {
    struct vfs_disk *d = vfs_alloc(sizeof *d);
    d->root = copy_of(root);
    d->chance.state = seed;
    d->next = disks;
    disks = d;
    return d;
}

void vfs_disk_free(struct vfs_disk *d) {
    struct vfs_disk **at = &disks;
    while (*at != d) at = &(*at)->next;
    *at = d->next;
    names_clear(&d->now);
    names_clear(&d->kept);
    for (size_t i = 0; i < d->naming_count; i++) naming_release(&d->namings[i]);
    for (struct vfs_node *n = d->nodes, *next; n; n = next) {
        next = n->next;
        vfs_node_free(n);
    }
    vfs_release(d->now.list);
    vfs_release(d->kept.list);
    vfs_release(d->namings);
    vfs_release(d->root);
    vfs_release(d);
}

struct vfs_disk *vfs_disk_of(const char *path) {
    for (struct vfs_disk *d = disks; d; d = d->next) {
        size_t len = strlen(d->root);
        if (!strncmp(path, d->root, len) && (path[len] == '/' || !path[len])) return d;
    }
    return NULL;
}

void vfs_disk_set_faults(struct vfs_disk *d, const struct vfs_faults *faults) {
    d->faults = *faults;
}

void vfs_disk_on_call(struct vfs_disk *d, void (*on_call)(void *arg, enum vfs_call), void *arg) {
    d->on_call = on_call;
    d->arg = arg;
}

void vfs_disk_die_after(struct vfs_disk *d, uint64_t calls) {
    d->dies_after = calls;
}

void vfs_disk_die(struct vfs_disk *d) {
    d->dead = true;
}

bool vfs_disk_is_dead(const struct vfs_disk *d) {
    return d->dead;
}

unsigned vfs_disk_life(const struct vfs_disk *d) {
    return d->life;
}

uint64_t vfs_disk_bytes(const struct vfs_disk *d) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < d->now.count; i++) bytes += d->now.list[i].node->now.size;
    return bytes;
}

uint64_t vfs_disk_room(const struct vfs_disk *d) {
    return d->faults.room_bytes ? d->faults.room_bytes : UINT64_C(1) << 40;
}

// The power cut

// What lies in a folder that was lost is lost with it.
static void disk_drop_unreachable(struct vfs_disk *d) {
    for (size_t i = 0; i < d->kept.count;) {
        char *folder = folder_of(d->kept.list[i].path);
        bool reachable = !strcmp(folder, d->root) || names_at(&d->kept, folder) < d->kept.count;
        vfs_release(folder);
        if (reachable) {
            i++;
        } else {
            names_remove(&d->kept, d->kept.list[i].path);
            i = 0;
        }
    }
}

static void disk_free_unnamed(struct vfs_disk *d) {
    for (struct vfs_node *n = d->nodes; n; n = n->next) n->named = false;
    for (size_t i = 0; i < d->now.count; i++) d->now.list[i].node->named = true;
    for (size_t i = 0; i < d->kept.count; i++) d->kept.list[i].node->named = true;
    for (size_t i = 0; i < d->naming_count; i++)
        if (d->namings[i].node) d->namings[i].node->named = true;
    for (struct vfs_node **at = &d->nodes, *n; (n = *at);) {
        if (n->named) {
            at = &n->next;
        } else {
            *at = n->next;
            vfs_node_free(n);
        }
    }
}

static struct vfs_fate disk_draw_fate(struct vfs_disk *d) {
    struct vfs_fate fate = {.sector = prng_below(&d->chance, 2) ? 512 : 4096};
    uint64_t drawn = prng_below(&d->chance, 8); // half of them keep some
    fate.what = drawn == 0   ? VFS_KEEP_NONE
                : drawn == 1 ? VFS_KEEP_ALL
                : drawn < 4  ? VFS_KEEP_OLDEST
                             : VFS_KEEP_SOME;
    uint64_t waiting = 1;
    for (const struct vfs_node *n = d->nodes; n; n = n->next) waiting += n->count;
    waiting += d->naming_count;
    fate.up_to = d->order - prng_below(&d->chance, waiting < d->order ? waiting : d->order + 1);
    return fate;
}

static void disk_cut(struct vfs_disk *d) {
    struct vfs_fate fate = disk_draw_fate(d);
    for (size_t i = 0; i < d->naming_count; i++) {
        if (vfs_fate_keeps(&fate, d->namings[i].order, &d->chance)) names_apply(&d->kept, &d->namings[i]);
        naming_release(&d->namings[i]);
    }
    d->naming_count = 0;
    disk_drop_unreachable(d);
    names_copy(&d->now, &d->kept);
    for (struct vfs_node *n = d->nodes; n; n = n->next) vfs_node_cut(n, &fate, &d->chance);
}

void vfs_disk_restart(struct vfs_disk *d, bool power_cut) {
    d->dead = false;
    d->dies_after = 0;
    d->life++;
    if (power_cut) disk_cut(d);
    for (struct vfs_node *n = d->nodes; n; n = n->next) vfs_node_drop_shared(n);
    disk_free_unnamed(d);
}

// Calls

// A call begins. Returns 0, or the error with which it ends; `done`: it has its effect in spite of that.
static int disk_call(struct vfs_disk *d, enum vfs_call call, unsigned per_million, bool *done) {
    *done = false;
    if (d->on_call) d->on_call(d->arg, call);
    if (d->dead) return -EIO;
    if (call != VFS_READ && d->dies_after && !--d->dies_after) {
        d->dead = true;
        *done = prng_below(&d->chance, 2);
        return -EIO;
    }
    return per_million && prng_below(&d->chance, 1000000) < per_million ? -EIO : 0;
}

struct vfs_node *vfs_find(struct vfs_disk *d, const char *path) {
    size_t i = names_at(&d->now, path);
    return i < d->now.count ? d->now.list[i].node : NULL;
}

struct vfs_node *vfs_make_unnamed(struct vfs_disk *d) {
    struct vfs_node *n = vfs_alloc(sizeof *n);
    n->inode = ++d->inodes;
    n->next = d->nodes;
    d->nodes = n;
    return n;
}

static bool disk_has_folder(struct vfs_disk *d, const char *path) {
    char *folder = folder_of(path);
    const struct vfs_node *n = vfs_find(d, folder);
    bool has = !strcmp(folder, d->root) || (n && n->is_folder);
    vfs_release(folder);
    return has;
}

int vfs_make(struct vfs_disk *d, const char *path, bool folder, struct vfs_node **made) {
    bool done;
    if (vfs_find(d, path)) return d->dead ? -EIO : -EEXIST;
    if (!disk_has_folder(d, path)) return d->dead ? -EIO : -ENOENT;
    int error = disk_call(d, VFS_NAMES, 0, &done);
    if (error && !done) return error;
    struct vfs_node *n = vfs_make_unnamed(d);
    n->is_folder = folder;
    disk_change_names(d, NULL, path, n);
    if (made) *made = n;
    return error;
}

// Whoever renames a folder takes what is in it along; nothing here does.
int vfs_rename(struct vfs_disk *d, const char *from, const char *to, bool replace) {
    bool done;
    struct vfs_node *n = vfs_find(d, from);
    if (!n || !disk_has_folder(d, to)) return d->dead ? -EIO : -ENOENT;
    if (!replace && vfs_find(d, to)) return d->dead ? -EIO : -EEXIST;
    int error = disk_call(d, VFS_NAMES, 0, &done);
    if (!error || done) disk_change_names(d, from, to, n);
    return error;
}

int vfs_remove(struct vfs_disk *d, const char *path) {
    bool done;
    if (!vfs_find(d, path)) return d->dead ? -EIO : -ENOENT;
    int error = disk_call(d, VFS_NAMES, 0, &done);
    if (!error || done) disk_change_names(d, path, NULL, NULL);
    return error;
}

int vfs_read(struct vfs_disk *d, const struct vfs_node *n, void *bytes, size_t size, size_t at,
             size_t *count) {
    bool done;
    int error = disk_call(d, VFS_READ, d->faults.read, &done);
    *count = error ? 0 : vfs_node_read(n, bytes, size, at);
    return error;
}

static bool disk_has_room(const struct vfs_disk *d, const struct vfs_node *n, size_t size) {
    if (!d->faults.room_bytes || size <= n->now.size) return true;
    return vfs_disk_bytes(d) + size - n->now.size <= d->faults.room_bytes;
}

int vfs_write(struct vfs_disk *d, struct vfs_node *n, const void *bytes, size_t size, size_t at) {
    bool done;
    int error = disk_call(d, VFS_WRITE, d->faults.write, &done);
    if (!disk_has_room(d, n, at + size)) return error ? error : -ENOSPC;
    if (!error || done) vfs_node_write(n, ++d->order, bytes, size, at);
    return error;
}

int vfs_resize(struct vfs_disk *d, struct vfs_node *n, size_t size) {
    bool done;
    int error = disk_call(d, VFS_WRITE, d->faults.write, &done);
    if (!disk_has_room(d, n, size)) return error ? error : -ENOSPC;
    if (!error || done) vfs_node_resize(n, ++d->order, size);
    return error;
}

int vfs_sync(struct vfs_disk *d, struct vfs_node *n) {
    bool done, was_alive = !d->dead;
    int error = disk_call(d, VFS_SYNC, d->faults.sync, &done);
    if (d->faults.ignores_sync) return error;
    if (!error || done)
        vfs_node_sync(n);
    else if (was_alive && d->faults.sync_forgets)
        vfs_node_forget_changes(n);
    return error;
}

int vfs_sync_folder(struct vfs_disk *d, const char *folder) {
    bool done;
    int error = disk_call(d, VFS_SYNC, d->faults.sync, &done);
    if ((error && !done) || d->faults.ignores_sync) return error;
    size_t left = 0;
    for (size_t i = 0; i < d->naming_count; i++) {
        struct naming *n = &d->namings[i];
        if (is_in_folder(n->from, folder) || is_in_folder(n->to, folder)) {
            names_apply(&d->kept, n);
            naming_release(n);
        } else {
            d->namings[left++] = *n;
        }
    }
    d->naming_count = left;
    return error;
}

int vfs_sync_folder_of(struct vfs_disk *d, const char *path) {
    char *folder = folder_of(path);
    int error = vfs_sync_folder(d, folder);
    vfs_release(folder);
    return error;
}

void vfs_disk_put(struct vfs_disk *d, const char *path, const void *bytes, size_t size) {
    struct vfs_node *n = vfs_make_unnamed(d);
    n->is_folder = !bytes;
    if (bytes) vfs_node_write(n, ++d->order, bytes, size, 0);
    vfs_node_sync(n);
    names_set(&d->now, path, n);
    names_set(&d->kept, path, n);
}
