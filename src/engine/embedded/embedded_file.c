#include "embedded_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "embedded_disk.h"
#include "embedded_sql.h"

enum {
    BUSY_MS = 10000,
    STEP_PAGES = 1024 // between two looks at whether to stop: 4 MB
};

bool file_fail(struct file_error *e, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(e->why, e->size, format, args);
    va_end(args);
    return false;
}

bool file_fail_by_code(struct file_error *e, const char *path, sqlite3 *db, int code) {
    int error = db ? sqlite3_system_errno(db) : 0;
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: // a table is missing
        return file_fail(e, "%s is damaged or not a database of Chorus (%s)", path, sqlite3_errmsg(db));
    case SQLITE_FULL: return file_fail(e, "cannot write %s: the disk is full", path);
    case SQLITE_BUSY: return file_fail(e, "%s is locked by another program", path);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
        return file_fail(e, "cannot open %s: %s; run this as the user that Chorus runs as", path,
                         error ? strerrordesc_np(error) : sqlite3_errmsg(db));
    default:
        return file_fail(e, "cannot use %s: %s%s%s", path, sqlite3_errmsg(db), error ? ": " : "",
                         error ? strerrordesc_np(error) : "");
    }
}

int64_t file_number(sqlite3 *db, const char *sql) {
    sqlite3_stmt *q;
    int64_t number = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        number = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return number;
}

static bool file_is_ours(const char *path, sqlite3 *db, struct file_error *e) {
    int code = sqlite3_exec(db, "BEGIN; SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    if (code != SQLITE_OK) return file_fail_by_code(e, path, db, code);
    int64_t version = file_number(db, "PRAGMA user_version");
    if (file_number(db, "PRAGMA application_id") != SQL_APPLICATION_ID)
        return file_fail(e, "%s is not a database of Chorus", path);
    if (version > SQL_SCHEMA_VERSION)
        return file_fail(e, "%s was written by a newer Chorus (schema %d, this one knows %d)", path,
                         (int)version, SQL_SCHEMA_VERSION);
    if (version < 1) return file_fail(e, "%s is damaged (schema %d)", path, (int)version);
    return true;
}

sqlite3 *file_open(const char *path, struct file_error *e) {
    struct disk_file file;
    int error = disk_look_up(path, &file);
    if (error) {
        if (error == -ENOENT)
            file_fail(e, "there is no %s", path);
        else
            file_fail(e, "cannot open %s: %s", path, strerrordesc_np(-error));
        return NULL;
    }
    if (!file.is_file) {
        file_fail(
            e, file.is_folder ? "%s is a folder; name the file in it, such as chorus.db" : "%s is not a file",
            path);
        return NULL;
    }
    sqlite3 *db;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(path, &db, flags, NULL);
    sqlite3_busy_timeout(db, BUSY_MS);
    bool ok = code == SQLITE_OK ? file_is_ours(path, db, e) : file_fail_by_code(e, path, db, code);
    if (ok) return db;
    sqlite3_close(db);
    return NULL;
}

// In steps: the transaction of `from` keeps what is copied the same, and a signal is noticed.
static int copy_pages(sqlite3 *from, sqlite3 *to, embedded_stop stop) {
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b) return sqlite3_errcode(to);
    int code;
    do {
        code = stop && *stop ? SQLITE_INTERRUPT : sqlite3_backup_step(b, STEP_PAGES);
    } while (code == SQLITE_OK);
    int end = sqlite3_backup_finish(b);
    return code == SQLITE_DONE ? end : code;
}

// The mode with a write-ahead log is recorded in the file: without it, the copy is one file.
static int copy_into(sqlite3 *from, sqlite3 *to, embedded_stop stop) {
    sqlite3_busy_timeout(to, BUSY_MS);
    int code = sqlite3_exec(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL, NULL, NULL);
    if (code == SQLITE_OK) code = copy_pages(from, to, stop);
    if (code == SQLITE_OK) code = sqlite3_exec(to, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code;
}

bool file_copy(sqlite3 *from, const char *to, embedded_stop stop, struct file_error *e) {
    int error = disk_make_file(to, false);
    if (error) return file_fail(e, "cannot make %s: %s", to, strerrordesc_np(-error));
    sqlite3 *db;
    int code =
        sqlite3_open_v2(to, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    if (code == SQLITE_OK) code = copy_into(from, db, stop);
    bool ok = code == SQLITE_OK;
    if (code == SQLITE_INTERRUPT)
        file_fail(e, "it was interrupted");
    else if (!ok)
        file_fail_by_code(e, to, db, code);
    sqlite3_close(db);
    ok = ok && file_sync(to, e);
    if (!ok) disk_remove(to);
    return ok;
}

bool file_sync(const char *path, struct file_error *e) {
    int error = disk_sync(path);
    return !error || file_fail(e, "cannot write %s through to the disk: %s", path, strerrordesc_np(-error));
}

bool file_sync_folder_of(const char *path, struct file_error *e) {
    int error = disk_sync_folder_of(path);
    return !error || file_fail(e, "cannot write the folder of %s through to the disk: %s", path,
                               strerrordesc_np(-error));
}

bool file_give(const char *path, const char *folder, struct file_error *e) {
    int error = disk_give(path, folder);
    return !error ||
           file_fail(e, "cannot give %s to the owner of %s: %s", path, folder, strerrordesc_np(-error));
}
