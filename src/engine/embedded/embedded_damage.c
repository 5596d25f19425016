#include "embedded_damage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "embedded_disk.h"

enum { NOTE_SIZE = 256 };

// Returns false once the file has been written, or another is in its place.
static bool file_is_unchanged(const struct disk_file *a, const struct disk_file *b) {
    return a->inode == b->inode && a->size == b->size && a->changed_s == b->changed_s &&
           a->changed_ns == b->changed_ns;
}

// The note

static char *damage_path(const struct damage *d, const char *ending) {
    size_t size = strlen(d->path) + strlen(ending) + 1;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s%s", d->path, ending);
    return path;
}

// If the disk is full, the note may be lost. Then the damage is found again when the damaged row is read.
static void damage_write_note(const struct damage *d) {
    struct disk_file now = {0};
    char note[NOTE_SIZE], *path = damage_path(d, ".damaged");
    disk_look_up(d->path, &now);
    snprintf(note, sizeof note, "%" PRIu64 " %" PRId64 " %" PRId64 ".%09" PRId64 "\n%s\n", now.inode,
             now.size, now.changed_s, now.changed_ns, d->what);
    disk_write(path, note, true);
    free(path);
}

// A note that cannot be parsed matches no file.
static bool damage_read_note(struct damage *d, struct disk_file *then) {
    char note[NOTE_SIZE], *path = damage_path(d, ".damaged"), *at = note;
    int error = disk_read(path, note, sizeof note);
    free(path);
    if (error) return false;
    char *what = strchr(note, '\n');
    *then = (struct disk_file){.inode = strtoull(at, &at, 10)};
    then->size = strtoll(at, &at, 10);
    then->changed_s = strtoll(at, &at, 10);
    then->changed_ns = *at == '.' ? strtoll(at + 1, &at, 10) : -1;
    snprintf(d->what, sizeof d->what, "%s", what ? what + 1 : "");
    d->what[strcspn(d->what, "\n")] = 0;
    return true;
}

void damage_found(struct damage *d, const char *what) {
    if (d->damaged) return;
    d->damaged = true;
    snprintf(d->what, sizeof d->what, "%s", what);
    if (d->opened) damage_write_note(d);
}

void damage_recall(struct damage *d, bool (*is_sound)(void *arg), void *arg) {
    struct disk_file then, now = {0};
    if (!damage_read_note(d, &then)) return;
    disk_look_up(d->path, &now);
    if (!file_is_unchanged(&then, &now) && is_sound(arg)) {
        char *path = damage_path(d, ".damaged");
        disk_remove(path);
        free(path);
        return;
    }
    d->damaged = true;
    if (!d->what[0]) snprintf(d->what, sizeof d->what, "found damaged earlier");
    damage_write_note(d);
}

void damage_keep(const struct damage *d) {
    if (d->damaged && d->opened && !d->moved) damage_write_note(d);
}

// Where the files are

static bool damage_find_file(const struct damage *d, const char *ending, struct damage_file *file) {
    struct disk_file found;
    char *path = damage_path(d, ending);
    bool there = !disk_look_up(path, &found);
    free(path);
    if (there) *file = (struct damage_file){.device = found.device, .inode = found.inode};
    return there;
}

bool damage_remember_files(struct damage *d) {
    return damage_find_file(d, "", &d->files[0]) && damage_find_file(d, "-wal", &d->files[1]);
}

static bool damage_file_is_there(const struct damage *d, const char *ending,
                                 const struct damage_file *opened) {
    struct damage_file now;
    return damage_find_file(d, ending, &now) && now.device == opened->device && now.inode == opened->inode;
}

void damage_check_files(struct damage *d) {
    d->moved = !damage_file_is_there(d, "", &d->files[0]) || !damage_file_is_there(d, "-wal", &d->files[1]);
}
