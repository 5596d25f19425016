#include "sim_disk.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "sim.h"
#include "sqlite_memory.h"
#include "vfs/vfs_disk.h"
#include "vfs/vfs_memory.h"

enum { VIDEO_NAME = 32, MILLISECOND = 1000 };

static struct vfs_disk *disk;
static struct vfs_faults faults;
static struct prng chance; // of how long calls take, and which fail
static bool is_durable, is_slow;

// Memory of the disk (vfs/vfs_memory.h). free() and realloc() know which process a block is of.

void *vfs_alloc(size_t size) {
    struct sim_process *p = sim_step_out();
    void *made = mem_zalloc(size);
    sim_step_in(p);
    return made;
}

void *vfs_grow(void *old, size_t size) {
    struct sim_process *p = sim_step_out();
    void *grown = mem_realloc(old, size);
    sim_step_in(p);
    return grown;
}

void vfs_release(void *p) {
    free(p);
}

// How long calls take

// Most reads and writes are those of the kernel's memory.
static int64_t disk_draw_us(enum vfs_call call) {
    uint64_t most = is_slow ? 2000 * MILLISECOND : 8 * MILLISECOND;
    switch (call) {
    case VFS_READ: return prng_below(&chance, 64) ? 0 : (int64_t)prng_below(&chance, 500);
    case VFS_WRITE: return prng_below(&chance, 16) ? 0 : (int64_t)prng_below(&chance, 500);
    case VFS_NAMES: return (int64_t)prng_below(&chance, 200);
    case VFS_SYNC: break;
    }
    return 200 + (int64_t)prng_below(&chance, 1 + prng_below(&chance, most));
}

static void on_call(void *arg, enum vfs_call call) {
    (void)arg;
    if (!sim_self()) return;
    int64_t us = disk_draw_us(call);
    if (us) sim_sleep(us);
}

static void on_sleep(int us) {
    if (sim_self()) sim_sleep(us);
}

// Life

void sim_disk_start(uint64_t seed, bool durable) {
    chance.state = seed ^ 0x6469736b;
    is_durable = durable;
    is_slow = false;
    faults = (struct vfs_faults){0};
    sqlite_memory_install();
    vfs_install(on_sleep);
    disk = vfs_disk_new("/disk", seed);
    vfs_disk_on_call(disk, on_call, NULL);
}

void sim_disk_free(void) {
    if (disk) vfs_disk_free(disk);
    disk = NULL;
}

void sim_disk_restart(void) {
    if (disk) vfs_disk_restart(disk, false);
}

// What a power cut loses is what is in the database for a process that starts after a kill, but not after it.

struct entry {
    char video[VIDEO_NAME];
    uint64_t epoch, seq;
};

struct entries {
    struct entry *list;
    size_t count;
};

// Also where a video stands that was only looked at.
static const char sql_entries[] = "SELECT name, entry.epoch, entry.seq FROM entry JOIN video ON id = video"
                                  " UNION SELECT name, epoch, seq FROM video";

static int by_place(const void *a, const void *b) {
    const struct entry *x = a, *y = b;
    int order = strcmp(x->video, y->video);
    if (!order) order = x->epoch < y->epoch ? -1 : x->epoch > y->epoch;
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static void entries_add(struct entries *e, sqlite3_stmt *q) {
    e->list = mem_realloc(e->list, (e->count + 1) * sizeof *e->list);
    struct entry *added = &e->list[e->count++];
    *added = (struct entry){.epoch = (uint64_t)sqlite3_column_int64(q, 1),
                            .seq = (uint64_t)sqlite3_column_int64(q, 2)};
    sqlite3_snprintf(VIDEO_NAME, added->video, "%s", sqlite3_column_text(q, 0));
}

// There may be no database yet, or no tables in it.
static void disk_read_entries(struct entries *e) {
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    vfs_disk_set_faults(disk, &(struct vfs_faults){0});
    vfs_disk_restart(disk, false);
    int code = sqlite3_open_v2(SIM_DISK_FOLDER "/chorus.db", &db, SQLITE_OPEN_READONLY, NULL);
    if (code == SQLITE_OK) code = sqlite3_prepare_v2(db, sql_entries, -1, &q, NULL);
    bool is_empty = code == SQLITE_CANTOPEN || code == SQLITE_ERROR;
    while (code == SQLITE_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        entries_add(e, q);
        code = SQLITE_OK;
    }
    if (code != SQLITE_DONE && !is_empty) sim_fail("unreadable: the database: %s", sqlite3_errmsg(db));
    sqlite3_finalize(q);
    sqlite3_close(db);
    vfs_disk_restart(disk, false);
    vfs_disk_set_faults(disk, &faults);
    if (e->count) qsort(e->list, e->count, sizeof *e->list, by_place);
}

void sim_disk_cut_power(sim_disk_loss_cb *on_loss, void *arg) {
    struct entries before = {0}, after = {0};
    if (!disk) return;
    disk_read_entries(&before);
    vfs_disk_restart(disk, true);
    disk_read_entries(&after);
    for (size_t i = 0; i < before.count && !is_durable; i++) {
        const struct entry *e = &before.list[i];
        if (!after.count || !bsearch(e, after.list, after.count, sizeof *e, by_place))
            on_loss(arg, e->video, e->epoch, e->seq);
    }
    free(before.list);
    free(after.list);
}

// Faults

// Without --durable no sync forgets what it should have written: then the file may be damaged, and has to be
// replaced.
void sim_disk_begin(enum sim_disk_fault fault, uint64_t number) {
    switch (fault) {
    case SIM_DISK_FULL: faults.room_bytes = vfs_disk_bytes(disk) + number % 40000 + 1; break;
    case SIM_DISK_ERRORS:
        faults.write = number % 3 ? 20000 : 0;
        faults.sync = number % 3 < 2 ? 200000 : 0;
        faults.sync_forgets = is_durable && number % 2;
        break;
    case SIM_DISK_SLOW: is_slow = true; break;
    case SIM_DISK_FAULTS: break;
    }
    vfs_disk_set_faults(disk, &faults);
}

void sim_disk_end(enum sim_disk_fault fault) {
    switch (fault) {
    case SIM_DISK_FULL: faults.room_bytes = 0; break;
    case SIM_DISK_ERRORS:
        faults.write = faults.sync = 0;
        faults.sync_forgets = false;
        break;
    case SIM_DISK_SLOW: is_slow = false; break;
    case SIM_DISK_FAULTS: break;
    }
    vfs_disk_set_faults(disk, &faults);
}

void sim_disk_calm(void) {
    for (int i = 0; disk && i < SIM_DISK_FAULTS; i++) sim_disk_end((enum sim_disk_fault)i);
}
