// A backup and a restore are the same copy in two directions. Both write beside the place where the file is
// to be, check what was written, and rename it as the last step.
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "embedded_disk.h"
#include "embedded_file.h"
#include "embedded_sql.h"

// What SQLite and Chorus keep for a database, the database first.
static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".damaged"};
enum { ENDINGS = sizeof endings / sizeof *endings };

struct first_problem {
    char sentence[512];
};

static void on_copy_problem(void *arg, const char *sentence) {
    struct first_problem *first = arg;
    if (!*first->sentence) snprintf(first->sentence, sizeof first->sentence, "%s", sentence);
}

static bool path_join(char path[EMBEDDED_PATH_SIZE], const char *folder, const char *name, const char *ending,
                      struct file_error *e) {
    int len = snprintf(path, EMBEDDED_PATH_SIZE, "%s%s%s%s", folder, *name ? "/" : "", name, ending);
    return len < EMBEDDED_PATH_SIZE || file_fail(e, "the path of %s is too long", folder);
}

static bool is_same_file(const char *a, const char *b) {
    struct disk_file at_a, at_b;
    return !disk_look_up(a, &at_a) && !disk_look_up(b, &at_b) && at_a.device == at_b.device &&
           at_a.inode == at_b.inode;
}

// Copies a database to `part` and checks the copy. Removes it on failure.
static bool copy_checked(const char *from, const char *part, embedded_stop stop,
                         struct embedded_contents *contents, struct file_error *e) {
    sqlite3 *db = file_open(from, e);
    if (!db) return false;
    bool ok = file_copy(db, part, stop, e);
    sqlite3_close(db);
    if (!ok) return false;
    struct first_problem first = {""};
    ok = embedded_check(part, stop, on_copy_problem, &first, contents, e->why, e->size);
    if (ok && contents->problems) ok = file_fail(e, "%s is damaged: %s", from, first.sentence);
    if (!ok) disk_remove(part);
    return ok;
}

// Backup

// A name beside the database's, such as chorus.db-wal, would be taken for a part of it.
static bool is_own_name(const char *folder, const char *file) {
    char *copy = mem_strdup(file), *name = mem_strdup(file);
    bool own = is_same_file(dirname(copy), folder) && !strncmp(basename(name), "chorus.", strlen("chorus."));
    free(copy);
    free(name);
    return own;
}

static bool backup_may_write(const char *folder, const char *database, const char *file, bool replace,
                             struct file_error *e) {
    struct disk_file at;
    if (is_own_name(folder, file) || is_same_file(file, database))
        return file_fail(e, "%s is a name of the database's own files; choose another one", file);
    if (disk_look_up(file, &at)) return true; // a folder that is missing is found later
    if (at.is_folder) return file_fail(e, "%s is a folder; name a file in it", file);
    if (!at.is_file) return file_fail(e, "%s is not a file; name one to write", file);
    return replace || file_fail(e, "%s exists; choose another file, or replace it with --force", file);
}

bool embedded_backup(const char *folder, const char *file, bool replace, embedded_stop stop,
                     struct embedded_contents *contents, char *why, size_t why_size) {
    struct file_error e = {why, why_size};
    char database[EMBEDDED_PATH_SIZE], part[EMBEDDED_PATH_SIZE], ending[32];
    snprintf(ending, sizeof ending, ".part-%d", (int)getpid());
    if (!path_join(database, folder, "chorus.db", "", &e) || !path_join(part, file, "", ending, &e) ||
        !backup_may_write(folder, database, file, replace, &e))
        return false;
    disk_remove(part); // of one that was killed: in a container each has the same pid
    if (!copy_checked(database, part, stop, contents, &e)) return false;
    int error = disk_rename(part, file, replace);
    if (!error) return file_sync_folder_of(file, &e);
    disk_remove(part);
    return file_fail(&e, "cannot make %s: %s", file, strerrordesc_np(-error));
}

// Restore

// Returns the lock on the folder, or -1.
static int restore_lock(const char *folder, struct file_error *e) {
    char path[EMBEDDED_PATH_SIZE];
    int error = disk_make_folder(folder);
    if (error && error != -EEXIST) {
        file_fail(e, "cannot make the data folder %s: %s", folder, strerrordesc_np(-error));
        return -1;
    }
    if (!error && !file_sync_folder_of(folder, e)) return -1;
    if (!path_join(path, folder, "chorus.lock", "", e)) return -1;
    int lock = disk_lock(path);
    if (lock >= 0) {
        if (file_give(path, folder, e)) return lock;
        disk_unlock(lock);
    } else if (lock == -EWOULDBLOCK) {
        file_fail(e, "a process of Chorus uses the data folder %s; stop it first", folder);
    } else {
        file_fail(e, "cannot lock the data folder %s: %s", folder, strerrordesc_np(-lock));
    }
    return -1;
}

// An empty file is what a start that failed leaves.
static bool restore_finds_data(const char *database) {
    struct disk_file file;
    return !disk_look_up(database, &file) && file.size > 0;
}

// The highest epoch in a database; 0 if it cannot be read.
static int64_t highest_epoch(const char *path) {
    char ignored[512];
    sqlite3 *db = file_open(path, &(struct file_error){ignored, sizeof ignored});
    if (!db) return 0;
    int64_t highest = file_number(
        db, "SELECT max(ifnull((SELECT max(epoch) FROM video), 0), ifnull((SELECT max(epoch) FROM entry), 0),"
            " ifnull((SELECT value FROM counter WHERE name = '" SQL_EPOCH_FLOOR "'), 0))");
    sqlite3_close(db);
    return highest > 0 ? highest : 0;
}

// The data that the copy is to replace may have given numbers that the copy does not know. With a clock that
// is right, an epoch that begins later is greater than all of them. With one that is behind, epochs were
// counted up from the copy's by one at each start; they cannot have come as far as this.
static int64_t restore_epoch_floor(const char *part, int64_t replaced) {
    enum { JUMP_MS = 10000, SPREAD_MS = 50000 };
    int64_t copied = highest_epoch(part), now = clock_wall_ms();
    int64_t highest = copied > replaced ? copied : replaced;
    return now > highest ? now : highest + JUMP_MS + (int64_t)(hash_random() % SPREAD_MS);
}

static bool restore_begin_history(const char *part, int64_t replaced, struct file_error *e) {
    char sql[160];
    sqlite3 *db;
    snprintf(sql, sizeof sql,
             "INSERT OR REPLACE INTO counter(name, value) VALUES('" SQL_EPOCH_FLOOR "', %" PRId64 ")",
             restore_epoch_floor(part, replaced));
    int code = sqlite3_open_v2(part, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    bool ok = code == SQLITE_OK || file_fail_by_code(e, part, db, code);
    sqlite3_close(db);
    return ok && file_sync(part, e);
}

// The files stay together, under their names: the folder can be used as a data folder. Its name is on the
// disk before anything is moved into it.
static bool restore_make_aside(const char *folder, char aside[EMBEDDED_PATH_SIZE], struct file_error *e) {
    char name[64];
    time_t now = (time_t)(clock_wall_ms() / 1000);
    int error = 0;
    struct tm utc;
    gmtime_r(&now, &utc);
    for (int i = 1; i < 100; i++) {
        size_t len = strftime(name, sizeof name, "before-restore-%Y%m%dT%H%M%SZ", &utc);
        if (i > 1) snprintf(name + len, sizeof name - len, "-%d", i);
        if (!path_join(aside, folder, name, "", e)) return false;
        error = disk_make_folder(aside);
        if (!error) return file_give(aside, folder, e) && file_sync(folder, e);
        if (error != -EEXIST) break;
    }
    return file_fail(e, "cannot make %s: %s", aside, strerrordesc_np(-error));
}

// First where the files have come to, lest a name be in neither folder.
static bool restore_sync_folders(const char *aside, const char *folder, struct file_error *e) {
    return file_sync(aside, e) && file_sync(folder, e);
}

// The database first: without it, SQLite ignores what stands beside it; without the others it would be
// damaged. A file system may write names in another order than that of the calls, unless there is a sync
// between them. What is in the way belongs to no database.
static bool restore_move_aside(const char *folder, const char *aside, struct file_error *e) {
    for (int i = 0; i < ENDINGS; i++) {
        char from[EMBEDDED_PATH_SIZE], to[EMBEDDED_PATH_SIZE];
        if (!path_join(from, folder, "chorus.db", endings[i], e) ||
            !path_join(to, aside, "chorus.db", endings[i], e))
            return false;
        int error = disk_rename(from, to, false);
        if (error == -EEXIST) error = disk_remove(from);
        if (error && error != -ENOENT)
            return file_fail(e, "cannot move %s to %s: %s", from, aside, strerrordesc_np(-error));
        if (i == 0 && !restore_sync_folders(aside, folder, e)) return false;
    }
    return restore_sync_folders(aside, folder, e);
}

// A note beside the database names the folder until all has been moved: one that is killed when only the
// database is there is repeated, and the newest comments are in the write-ahead log.

static bool restore_note_aside(const char *folder, const char *aside, struct file_error *e) {
    char note[EMBEDDED_PATH_SIZE];
    if (!path_join(note, folder, "chorus.db.aside", "", e)) return false;
    int error = disk_write(note, aside + strlen(folder) + 1, true);
    if (error) return file_fail(e, "cannot write %s: %s", note, strerrordesc_np(-error));
    return file_give(note, folder, e) && file_sync(folder, e);
}

static bool restore_forget_aside(const char *folder, struct file_error *e) {
    char note[EMBEDDED_PATH_SIZE];
    if (!path_join(note, folder, "chorus.db.aside", "", e)) return false;
    int error = disk_remove(note);
    if (error && error != -ENOENT) return file_fail(e, "cannot remove %s: %s", note, strerrordesc_np(-error));
    return file_sync(folder, e);
}

// Leaves `aside` empty if no database has been moved.
static bool restore_recall_aside(const char *folder, char aside[EMBEDDED_PATH_SIZE], struct file_error *e) {
    char note[EMBEDDED_PATH_SIZE], name[64], moved[EMBEDDED_PATH_SIZE];
    struct disk_file ignored;
    if (!path_join(note, folder, "chorus.db.aside", "", e)) return false;
    int error = disk_read(note, name, sizeof name);
    if (error == -ENOENT) return true;
    if (error) return file_fail(e, "cannot read %s: %s", note, strerrordesc_np(-error));
    if (!path_join(aside, folder, name, "", e) || !path_join(moved, aside, "chorus.db", "", e)) return false;
    if (!*name || strchr(name, '/') || disk_look_up(moved, &ignored)) *aside = 0;
    return true;
}

static bool restore_exchange(const char *folder, const char *part, const char *database, char *aside,
                             struct file_error *e) {
    bool ok = restore_finds_data(database)
                  ? restore_make_aside(folder, aside, e) && restore_note_aside(folder, aside, e)
                  : restore_recall_aside(folder, aside, e);
    if (!ok) return false;
    // The rest of a database that is not there must not be taken for a part of the new one.
    char ending[EMBEDDED_PATH_SIZE];
    for (int i = 0; i < ENDINGS && !*aside; i++)
        if (path_join(ending, database, "", endings[i], e)) disk_remove(ending);
    if (*aside && !restore_move_aside(folder, aside, e)) return false;
    if (!restore_forget_aside(folder, e)) return false;
    int error = disk_rename(part, database, true);
    if (error) return file_fail(e, "cannot make %s: %s", database, strerrordesc_np(-error));
    return file_sync_folder_of(database, e);
}

// The copy takes the name `part` when it is whole. While there is a file of that name and no database, no
// start makes an empty one.
static bool restore_make_part(const char *file, const char *folder, const char *part, int64_t replaced,
                              embedded_stop stop, struct embedded_contents *contents, struct file_error *e) {
    char copy[EMBEDDED_PATH_SIZE];
    if (!path_join(copy, part, "", ".new", e)) return false;
    disk_remove(copy); // of one that was killed
    if (!copy_checked(file, copy, stop, contents, e)) return false;
    bool ok = restore_begin_history(copy, replaced, e) && file_give(copy, folder, e);
    int error = ok ? disk_rename(copy, part, true) : 0;
    if (error) ok = file_fail(e, "cannot make %s: %s", part, strerrordesc_np(-error));
    if (!ok) disk_remove(copy);
    return ok && file_sync(folder, e);
}

static bool restore_locked(const char *file, const char *folder, bool replace, embedded_stop stop,
                           struct embedded_contents *contents, char *aside, struct file_error *e) {
    char database[EMBEDDED_PATH_SIZE], part[EMBEDDED_PATH_SIZE];
    if (!path_join(database, folder, "chorus.db", "", e) ||
        !path_join(part, folder, "chorus.db.restoring", "", e))
        return false;
    if (is_same_file(file, database)) return file_fail(e, "%s is the database of that folder itself", file);
    if (restore_finds_data(database) && !replace)
        return file_fail(
            e, "%s has data; choose another folder, or replace it with --force, which keeps it aside",
            folder);
    // What one has done that was killed is read from now on.
    if (!file_sync(folder, e)) return false;
    // One that was killed when the database had been moved aside left its copy, which knows that one's
    // epochs.
    int64_t replaced = highest_epoch(database), interrupted = highest_epoch(part);
    int error = disk_make_file(part, false);
    if (error && error != -EEXIST) return file_fail(e, "cannot make %s: %s", part, strerrordesc_np(-error));
    if (restore_make_part(file, folder, part, replaced > interrupted ? replaced : interrupted, stop, contents,
                          e) &&
        restore_exchange(folder, part, database, aside, e))
        return true;
    // Not if the database has been moved aside, now or earlier.
    if (restore_finds_data(database) || (!error && !*aside)) disk_remove(part);
    return false;
}

bool embedded_restore(const char *file, const char *folder, bool replace, embedded_stop stop,
                      struct embedded_contents *contents, char aside[EMBEDDED_PATH_SIZE], char *why,
                      size_t why_size) {
    struct file_error e = {why, why_size};
    *aside = 0;
    int lock = restore_lock(folder, &e);
    if (lock < 0) return false;
    bool ok = restore_locked(file, folder, replace, stop, contents, aside, &e);
    disk_unlock(lock);
    return ok;
}
