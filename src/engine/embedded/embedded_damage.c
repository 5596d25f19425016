#include "embedded_damage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

// What does not change in a file that is not written.
struct looks {
    uint64_t inode;
    int64_t size, changed_s, changed_ns;
};

static struct looks looks_of(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0) return (struct looks){0};
    return (struct looks){st.st_ino, st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec};
}

static bool look_alike(const struct looks *a, const struct looks *b) {
    return a->inode == b->inode && a->size == b->size && a->changed_s == b->changed_s &&
           a->changed_ns == b->changed_ns;
}

// The note

static char *beside(const struct damage *d, const char *ending) {
    size_t size = strlen(d->path) + strlen(ending) + 1;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s%s", d->path, ending);
    return path;
}

static FILE *open_note(const struct damage *d, const char *mode) {
    char *path = beside(d, ".damaged");
    FILE *note = fopen(path, mode);
    free(path);
    return note;
}

static void remove_note(const struct damage *d) {
    char *path = beside(d, ".damaged");
    unlink(path);
    free(path);
}

// On a full disk there may be no room for it; then the damage is found again when it is read again.
static void write_note(const struct damage *d) {
    struct looks l = looks_of(d->path);
    FILE *note = open_note(d, "we");
    if (!note) return;
    fprintf(note, "%" PRIu64 " %" PRId64 " %" PRId64 ".%09" PRId64 "\n%s\n", l.inode, l.size, l.changed_s,
            l.changed_ns, d->what);
    fflush(note);
    fsync(fileno(note));
    fclose(note);
}

// A note that cannot be understood fits no file.
static bool read_note(struct damage *d, struct looks *l) {
    FILE *note = open_note(d, "re");
    if (!note) return false;
    *l = (struct looks){0};
    char line[128] = "", *at = line;
    if (fgets(line, sizeof line, note)) {
        l->inode = strtoull(at, &at, 10);
        l->size = strtoll(at, &at, 10);
        l->changed_s = strtoll(at, &at, 10);
        l->changed_ns = *at == '.' ? strtoll(at + 1, &at, 10) : -1;
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
    if (d->opened) write_note(d);
}

void damage_recall(struct damage *d, bool (*is_sound)(void *arg), void *arg) {
    struct looks then, now = looks_of(d->path);
    if (!read_note(d, &then)) return;
    if (!look_alike(&then, &now) && is_sound(arg)) {
        remove_note(d);
        return;
    }
    d->damaged = true;
    if (!d->what[0]) snprintf(d->what, sizeof d->what, "found damaged earlier");
    write_note(d);
}

void damage_keep(const struct damage *d) {
    if (d->damaged && d->opened && !d->moved) write_note(d);
}

// Where the files are

static bool find(const struct damage *d, const char *ending, struct damage_file *file) {
    struct stat st;
    char *path = beside(d, ending);
    bool there = stat(path, &st) == 0;
    free(path);
    if (there) *file = (struct damage_file){.device = st.st_dev, .inode = st.st_ino};
    return there;
}

bool damage_remember_files(struct damage *d) {
    return find(d, "", &d->files[0]) && find(d, "-wal", &d->files[1]);
}

static bool is_there(const struct damage *d, const char *ending, const struct damage_file *opened) {
    struct damage_file now;
    return find(d, ending, &now) && now.device == opened->device && now.inode == opened->inode;
}

void damage_look_for_files(struct damage *d) {
    d->moved = !is_there(d, "", &d->files[0]) || !is_there(d, "-wal", &d->files[1]);
}
