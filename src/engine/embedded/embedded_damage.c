#include "embedded_damage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

// Unchanged as long as the file is not written.
struct file_state {
    uint64_t inode;
    int64_t size, changed_s, changed_ns;
};

static struct file_state file_state_of(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0) return (struct file_state){0};
    return (struct file_state){st.st_ino, st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
}

static bool file_state_equals(const struct file_state *a, const struct file_state *b) {
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

static FILE *damage_open_note(const struct damage *d, const char *mode) {
    char *path = damage_path(d, ".damaged");
    FILE *note = fopen(path, mode);
    free(path);
    return note;
}

// If the disk is full, the note may be lost. Then the damage is found again when the damaged row is read.
static void damage_write_note(const struct damage *d) {
    struct file_state now = file_state_of(d->path);
    FILE *note = damage_open_note(d, "we");
    if (!note) return;
    fprintf(note, "%" PRIu64 " %" PRId64 " %" PRId64 ".%09" PRId64 "\n%s\n", now.inode, now.size,
            now.changed_s, now.changed_ns, d->what);
    fflush(note);
    fsync(fileno(note));
    fclose(note);
}

// A note that cannot be parsed matches no file.
static bool damage_read_note(struct damage *d, struct file_state *then) {
    FILE *note = damage_open_note(d, "re");
    if (!note) return false;
    *then = (struct file_state){0};
    char line[128] = "", *at = line;
    if (fgets(line, sizeof line, note)) {
        then->inode = strtoull(at, &at, 10);
        then->size = strtoll(at, &at, 10);
        then->changed_s = strtoll(at, &at, 10);
        then->changed_ns = *at == '.' ? strtoll(at + 1, &at, 10) : -1;
    }
    if (!fgets(d->what, sizeof d->what, note)) d->what[0] = 0;
    d->what[strcspn(d->what, "\n")] = 0;
    fclose(note);
    return true;
}

void damage_found(struct damage *d, const char *what) {
    if (d->damaged) return;
    d->damaged = true;
    snprintf(d->what, sizeof d->what, "%s", what);
    if (d->opened) damage_write_note(d);
}

void damage_recall(struct damage *d, bool (*is_sound)(void *arg), void *arg) {
    struct file_state then, now = file_state_of(d->path);
    if (!damage_read_note(d, &then)) return;
    if (!file_state_equals(&then, &now) && is_sound(arg)) {
        char *path = damage_path(d, ".damaged");
        unlink(path);
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
    struct stat st;
    char *path = damage_path(d, ending);
    bool there = stat(path, &st) == 0;
    free(path);
    if (there) *file = (struct damage_file){.device = st.st_dev, .inode = st.st_ino};
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
