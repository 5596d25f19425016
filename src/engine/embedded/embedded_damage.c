#include "embedded_damage.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "embedded_log.h"

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

static char *beside(const struct store *s, const char *ending) {
    size_t size = strlen(s->path) + strlen(ending) + 1;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s%s", s->path, ending);
    return path;
}

static FILE *open_note(const struct store *s, const char *mode) {
    char *path = beside(s, ".damaged");
    FILE *note = fopen(path, mode);
    free(path);
    return note;
}

static void remove_note(const struct store *s) {
    char *path = beside(s, ".damaged");
    unlink(path);
    free(path);
}

// On a full disk there may be no room for it; then the damage is found again when it is read again.
static void write_note(const struct store *s) {
    struct looks l = looks_of(s->path);
    FILE *note = open_note(s, "we");
    if (!note) return;
    fprintf(note, "%" PRIu64 " %" PRId64 " %" PRId64 ".%09" PRId64 "\n%s\n", l.inode, l.size, l.changed_s,
            l.changed_ns, s->damage);
    fflush(note);
    fsync(fileno(note));
    fclose(note);
}

// A note that cannot be understood fits no file.
static bool read_note(struct store *s, struct looks *l) {
    FILE *note = open_note(s, "re");
    if (!note) return false;
    *l = (struct looks){0};
    char line[128] = "", *at = line;
    if (fgets(line, sizeof line, note)) {
        l->inode = strtoull(at, &at, 10);
        l->size = strtoll(at, &at, 10);
        l->changed_s = strtoll(at, &at, 10);
        l->changed_ns = *at == '.' ? strtoll(at + 1, &at, 10) : -1;
    }
    if (!fgets(s->damage, sizeof s->damage, note)) s->damage[0] = 0;
    s->damage[strcspn(s->damage, "\n")] = 0;
    fclose(note);
    return true;
}

void damage_found(struct store *s, const char *what) {
    if (s->damaged) return;
    s->damaged = true;
    snprintf(s->damage, sizeof s->damage, "%s", what);
    if (s->opened) write_note(s);
}

// Checking all of it

// Returns whether the statement's first row is the text "ok".
static bool says_ok(struct store *s, const char *sql) {
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK) return false;
    const char *text = sqlite3_step(q) == SQLITE_ROW ? (const char *)sqlite3_column_text(q, 0) : NULL;
    bool ok = text && !strcmp(text, "ok");
    sqlite3_finalize(q);
    return ok;
}

static bool rows_are_sound(struct store *s) {
    sqlite3_stmt *q;
    if (sqlite3_prepare_v2(s->db, sql_all_entries, -1, &q, NULL) != SQLITE_OK) return false;
    int code;
    while ((code = sqlite3_step(q)) == SQLITE_ROW && log_row_is_sound(q)) continue;
    sqlite3_finalize(q);
    return code == SQLITE_DONE;
}

void damage_recall(struct store *s) {
    struct looks then, now = looks_of(s->path);
    if (!read_note(s, &then)) return;
    if (!look_alike(&then, &now) && says_ok(s, "PRAGMA integrity_check(1)") && rows_are_sound(s)) {
        remove_note(s);
        return;
    }
    s->damaged = true;
    if (!s->damage[0]) snprintf(s->damage, sizeof s->damage, "found damaged earlier");
    write_note(s);
}

void damage_keep(struct store *s) {
    if (s->damaged && s->opened && !s->moved) write_note(s);
}

// Where the files are

static bool find(const struct store *s, const char *ending, struct store_file *file) {
    struct stat st;
    char *path = beside(s, ending);
    bool there = stat(path, &st) == 0;
    free(path);
    if (there) *file = (struct store_file){.device = st.st_dev, .inode = st.st_ino};
    return there;
}

bool files_remember(struct store *s) {
    return find(s, "", &s->files[0]) && find(s, "-wal", &s->files[1]);
}

static bool is_there(const struct store *s, const char *ending, const struct store_file *opened) {
    struct store_file now;
    return find(s, ending, &now) && now.device == opened->device && now.inode == opened->inode;
}

void files_look(struct store *s) {
    s->moved = !is_there(s, "", &s->files[0]) || !is_there(s, "-wal", &s->files[1]);
}
