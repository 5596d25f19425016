// SQLite's VFS on simulated disks (vfs_disk.h). Locks and shared memory are those between connections of one
// process; they are kept with the file (struct vfs_shared), and end with the process. As SQLite's own VFS for
// Unix does, it syncs the folder of a write-ahead log or a journal that it has made with the file's first
// sync.
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "vfs_disk.h"
#include "vfs_memory.h"
#include "vfs_node.h"

_Static_assert(VFS_SLOTS == SQLITE_SHM_NLOCK, "a slot for each lock");

struct handle {
    sqlite3_file file; // first
    struct vfs_disk *disk;
    struct vfs_node *node;
    unsigned life;
    char *path;       // NULL: a temporary file
    bool sync_folder; // with its next sync
    bool delete_on_close;
    bool read_only; // no writes and no locks for them: SQLite leaves a write-ahead log there
    int level;
    bool uses_regions;
    unsigned reads, writes; // slots, a bit each
};

static int last_error;
static void (*on_sleep)(int us);

static int answer(int error, int code) {
    if (!error) return SQLITE_OK;
    last_error = -error;
    return error == -ENOSPC ? SQLITE_FULL : code;
}

static struct handle *handle_of(sqlite3_file *file) {
    return (struct handle *)file;
}

static bool is_void(const struct handle *h) {
    return h->life != vfs_disk_life(h->disk) || vfs_disk_is_dead(h->disk);
}

// Bytes

static int file_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at) {
    struct handle *h = handle_of(file);
    size_t count;
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_READ);
    int error = vfs_read(h->disk, h->node, bytes, (size_t)size, (size_t)at, &count);
    if (error) return answer(error, SQLITE_IOERR_READ);
    if (count == (size_t)size) return SQLITE_OK;
    memset((char *)bytes + count, 0, (size_t)size - count);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at) {
    struct handle *h = handle_of(file);
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_WRITE);
    if (h->read_only) return answer(-EBADF, SQLITE_IOERR_WRITE);
    return answer(vfs_write(h->disk, h->node, bytes, (size_t)size, (size_t)at), SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct handle *h = handle_of(file);
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_TRUNCATE);
    if (h->read_only) return answer(-EBADF, SQLITE_IOERR_TRUNCATE);
    return answer(vfs_resize(h->disk, h->node, (size_t)size), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *file, int flags) {
    struct handle *h = handle_of(file);
    (void)flags;
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_FSYNC);
    int error = vfs_sync(h->disk, h->node);
    if (!error && h->sync_folder) {
        error = vfs_sync_folder_of(h->disk, h->path);
        h->sync_folder = error != 0;
    }
    return answer(error, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size) {
    const struct handle *h = handle_of(file);
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_FSTAT);
    *size = (sqlite3_int64)h->node->now.size;
    return SQLITE_OK;
}

// Locks of the whole file (SQLite, "File Locking And Concurrency")

static int file_lock(sqlite3_file *file, int level) {
    struct handle *h = handle_of(file);
    struct vfs_shared *s = &h->node->shared;
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_LOCK);
    if (level <= h->level) return SQLITE_OK;
    if (h->read_only && level > SQLITE_LOCK_SHARED) return answer(-EBADF, SQLITE_IOERR_LOCK);
    if (h->level == SQLITE_LOCK_NONE) {
        if (s->exclusive || s->pending) return SQLITE_BUSY;
        s->readers++;
        h->level = SQLITE_LOCK_SHARED;
    }
    if (level >= SQLITE_LOCK_RESERVED && h->level < SQLITE_LOCK_RESERVED) {
        if (s->reserved && s->reserved != h) return SQLITE_BUSY;
        s->reserved = h;
        h->level = SQLITE_LOCK_RESERVED;
    }
    if (level == SQLITE_LOCK_EXCLUSIVE) {
        s->pending = true;
        h->level = SQLITE_LOCK_PENDING;
        if (s->readers > 1) return SQLITE_BUSY;
        s->exclusive = h;
        h->level = level;
    }
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *file, int level) {
    struct handle *h = handle_of(file);
    struct vfs_shared *s = &h->node->shared;
    if (h->life != vfs_disk_life(h->disk) || level >= h->level) return SQLITE_OK;
    if (h->level >= SQLITE_LOCK_PENDING) s->pending = false;
    if (s->exclusive == h) s->exclusive = NULL;
    if (s->reserved == h) s->reserved = NULL;
    if (level == SQLITE_LOCK_NONE) s->readers--;
    h->level = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *file, int *reserved) {
    const struct handle *h = handle_of(file);
    *reserved = h->node->shared.reserved != NULL;
    return SQLITE_OK;
}

// Shared memory (SQLite, "WAL-mode File Format", 2)

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **at) {
    struct handle *h = handle_of(file);
    struct vfs_shared *s = &h->node->shared;
    *at = NULL;
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_SHMMAP);
    if (!h->uses_regions) s->users++;
    h->uses_regions = true;
    while (extend && s->region_count <= (size_t)region) {
        s->regions = vfs_grow(s->regions, (s->region_count + 1) * sizeof *s->regions);
        s->regions[s->region_count++] = vfs_alloc((size_t)size);
    }
    if ((size_t)region < s->region_count) *at = s->regions[region];
    return SQLITE_OK;
}

static void shm_release(struct handle *h, unsigned slots) {
    struct vfs_shared *s = &h->node->shared;
    for (unsigned i = 0; i < VFS_SLOTS; i++) {
        unsigned bit = slots & 1u << i;
        if (bit & h->writes) s->slot_writer[i] = NULL;
        if (bit & h->reads) s->slot_readers[i]--;
    }
    h->writes &= ~slots;
    h->reads &= ~slots;
}

static bool shm_is_free(const struct handle *h, unsigned slot, bool exclusive) {
    const struct vfs_shared *s = &h->node->shared;
    if (s->slot_writer[slot] && s->slot_writer[slot] != h) return false;
    unsigned own = (h->reads >> slot) & 1;
    return !exclusive || s->slot_readers[slot] == own;
}

static int shm_lock(sqlite3_file *file, int from, int count, int flags) {
    struct handle *h = handle_of(file);
    struct vfs_shared *s = &h->node->shared;
    unsigned slots = ((1u << count) - 1) << from;
    if (h->life != vfs_disk_life(h->disk)) return answer(-EIO, SQLITE_IOERR_SHMLOCK);
    if (flags & SQLITE_SHM_UNLOCK) {
        shm_release(h, slots);
        return SQLITE_OK;
    }
    if (is_void(h)) return answer(-EIO, SQLITE_IOERR_SHMLOCK);
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    for (unsigned i = 0; i < VFS_SLOTS; i++)
        if (slots & 1u << i && !shm_is_free(h, i, exclusive)) return SQLITE_BUSY;
    for (unsigned i = 0; i < VFS_SLOTS; i++) {
        if (!(slots & 1u << i)) continue;
        if (exclusive)
            s->slot_writer[i] = h;
        else if (!(h->reads & 1u << i))
            s->slot_readers[i]++;
    }
    if (exclusive)
        h->writes |= slots;
    else
        h->reads |= slots;
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file) {
    (void)file;
}

static int shm_unmap(sqlite3_file *file, int delete) {
    struct handle *h = handle_of(file);
    (void)delete;
    if (!h->uses_regions || h->life != vfs_disk_life(h->disk)) return SQLITE_OK;
    shm_release(h, ~0u);
    h->uses_regions = false;
    struct vfs_shared *s = &h->node->shared;
    if (--s->users) return SQLITE_OK;
    for (size_t i = 0; i < s->region_count; i++) vfs_release(s->regions[i]);
    vfs_release(s->regions);
    s->regions = NULL;
    s->region_count = 0;
    return SQLITE_OK;
}

static int file_close(sqlite3_file *file) {
    struct handle *h = handle_of(file);
    shm_unmap(file, 0);
    file_unlock(file, SQLITE_LOCK_NONE);
    if (h->delete_on_close && h->path && !is_void(h)) vfs_remove(h->disk, h->path);
    free(h->path);
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int what, void *arg) {
    (void)file;
    (void)what;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *file) {
    (void)file;
    return 4096;
}

// What SQLite's VFS for Unix says of every disk.
static int file_characteristics(sqlite3_file *file) {
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = file_close,
                                           .xRead = file_read,
                                           .xWrite = file_write,
                                           .xTruncate = file_truncate,
                                           .xSync = file_sync,
                                           .xFileSize = file_size,
                                           .xLock = file_lock,
                                           .xUnlock = file_unlock,
                                           .xCheckReservedLock = file_check_reserved,
                                           .xFileControl = file_control,
                                           .xSectorSize = file_sector_size,
                                           .xDeviceCharacteristics = file_characteristics,
                                           .xShmMap = shm_map,
                                           .xShmLock = shm_lock,
                                           .xShmBarrier = shm_barrier,
                                           .xShmUnmap = shm_unmap};

// Names

static int open_node(struct handle *h, const char *path, int flags) {
    enum { NEW_NAME = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL };
    h->node = vfs_find(h->disk, path);
    if (h->node) return h->node->is_folder ? -EISDIR : 0;
    if (!(flags & SQLITE_OPEN_CREATE)) return -ENOENT;
    h->sync_folder = flags & NEW_NAME;
    return vfs_make(h->disk, path, false, &h->node);
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
    struct handle *h = handle_of(file);
    (void)vfs;
    *h = (struct handle){.disk = vfs_disk_of(path ? path : "/")};
    if (!h->disk) return answer(-ENOENT, SQLITE_CANTOPEN);
    if (vfs_disk_is_dead(h->disk)) return answer(-EIO, SQLITE_CANTOPEN);
    int error = path ? open_node(h, path, flags) : 0;
    if (error) return answer(error, SQLITE_CANTOPEN);
    if (!path) h->node = vfs_make_unnamed(h->disk);
    h->life = vfs_disk_life(h->disk);
    h->path = path ? strdup(path) : NULL;
    if (path && !h->path) return SQLITE_NOMEM;
    h->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    h->read_only = flags & SQLITE_OPEN_READONLY;
    h->file.pMethods = &methods;
    if (given) *given = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder) {
    struct vfs_disk *d = vfs_disk_of(path);
    (void)vfs;
    int error = d ? vfs_remove(d, path) : -ENOENT;
    if (error == -ENOENT) return SQLITE_IOERR_DELETE_NOENT;
    if (!error && sync_folder) error = vfs_sync_folder_of(d, path);
    return answer(error, SQLITE_IOERR_DELETE);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *result) {
    struct vfs_disk *d = vfs_disk_of(path);
    (void)vfs;
    if (d && vfs_disk_is_dead(d)) return answer(-EIO, SQLITE_IOERR_ACCESS);
    const struct vfs_node *n = d ? vfs_find(d, path) : NULL;
    // As on Unix, an empty file does not exist: it may be a journal that was just made.
    *result = n && (flags != SQLITE_ACCESS_EXISTS || n->now.size);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *full) {
    (void)vfs;
    sqlite3_snprintf(size, full, "%s", path);
    return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *vfs, int size, char *out) {
    (void)vfs;
    for (int i = 0; i < size; i++) out[i] = (char)hash_random();
    return size;
}

// A busy connection counts by itself how long it has slept.
static int vfs_sleep(sqlite3_vfs *vfs, int us) {
    (void)vfs;
    if (on_sleep) on_sleep(us);
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *julian_ms) {
    (void)vfs;
    *julian_ms = INT64_C(210866760000000) + clock_wall_ms();
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int size, char *text) {
    (void)vfs;
    (void)size;
    (void)text;
    return last_error;
}

void vfs_install(void (*sleep_us)(int us)) {
    static sqlite3_vfs vfs = {.iVersion = 2,
                              .szOsFile = sizeof(struct handle),
                              .mxPathname = 512,
                              .zName = "simulated",
                              .xOpen = vfs_open,
                              .xDelete = vfs_delete,
                              .xAccess = vfs_access,
                              .xFullPathname = vfs_full_path,
                              .xRandomness = vfs_randomness,
                              .xSleep = vfs_sleep,
                              .xGetLastError = vfs_last_error,
                              .xCurrentTimeInt64 = vfs_time};
    on_sleep = sleep_us;
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    sqlite3_initialize();
    sqlite3_vfs_register(&vfs, 1);
}
