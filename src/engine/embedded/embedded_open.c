// Whatever is wrong with the folder or the file is found here, before anything is written,
// and becomes one sentence that says what to do.
#include "embedded_open.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "embedded_archive.h"
#include "embedded_disk.h"
#include "embedded_epoch.h"
#include "embedded_follow.h"
#include "embedded_lease.h"
#include "embedded_row.h"
#include "embedded_room.h"
#include "embedded_scrub.h"
#include "embedded_store.h"
#include "embedded_token.h"
#include "embedded_transaction.h"
#include "embedded_video.h"

enum {
    CLOSING_PAGES = 2048 // of the write-ahead log are copied at closing; more takes too long on a slow disk
};

// Small, because the kernel caches the file anyway: what a batch touches has to fit, not what there is.
static const char settings[] =
    "PRAGMA cache_size = -4096;" // KiB
    "PRAGMA secure_delete = ON;" // what is taken out is not to stay in a page that is free, or has been moved
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA wal_autocheckpoint = 0;" // see embedded_checkpoint.h
    "PRAGMA journal_size_limit = 67108864;";

// Text for `why`, and what is being opened.
struct opening {
    struct store *store;
    char *why;
    size_t why_size;
};

static bool open_refuse(struct opening *o, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool open_refuse(struct opening *o, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(o->why, o->why_size, format, args);
    va_end(args);
    return false;
}

char *store_path(const char *folder, const char *name) {
    size_t size = strlen(folder) + 1 + strlen(name) + 1;
    char *path = mem_alloc(size);
    snprintf(path, size, "%s/%s", folder, name);
    return path;
}

// The folder and the lock

static bool open_make_folder(struct opening *o) {
    const char *folder = o->store->config.folder;
    int error = disk_make_folder(folder);
    if (!error || error == -EEXIST) return true;
    return open_refuse(o, "cannot make the data folder %s: %s; make it yourself or choose another one",
                       folder, strerrordesc_np(-error));
}

static bool open_refuse_in_use(struct opening *o, const char *lock) {
    char pid[16] = "";
    disk_read(lock, pid, sizeof pid);
    pid[strcspn(pid, "\n")] = 0;
    return open_refuse(o, "%s is in use by another process%s%s; stop that one or choose another data folder",
                       o->store->path, *pid ? ", pid " : "", pid);
}

static bool open_lock_file(struct opening *o, const char *path) {
    struct store *s = o->store;
    int error = disk_make_file(path, true);
    if (error)
        return open_refuse(
            o, "cannot write in the data folder %s: %s; let this user write there or choose another folder",
            s->config.folder, strerrordesc_np(-error));
    s->lock = disk_lock(path);
    if (s->lock == -EWOULDBLOCK) return open_refuse_in_use(o, path);
    if (s->lock < 0)
        return open_refuse(o, "cannot lock the data folder %s: %s; choose one on a local disk",
                           s->config.folder, strerrordesc_np(-s->lock));
    char pid[16];
    snprintf(pid, sizeof pid, "%d\n", (int)getpid());
    disk_write(path, pid, false); // for users only, and the disk may be full
    return true;
}

// The lock ends with the process that holds it.
static bool open_lock(struct opening *o) {
    char *path = store_path(o->store->config.folder, "chorus.lock");
    bool locked = open_lock_file(o, path);
    free(path);
    return locked;
}

// The file

// A restore that was killed may have moved the database aside, or have begun where there was none.
static bool open_check_restore(struct opening *o) {
    char *copy = store_path(o->store->config.folder, "chorus.db.restoring");
    struct disk_file ignored;
    bool interrupted = !disk_look_up(copy, &ignored) && disk_look_up(o->store->path, &ignored);
    if (interrupted)
        open_refuse(o, "a restore into %s was interrupted; run it again, or remove %s to start without data",
                    o->store->config.folder, copy);
    free(copy);
    return !interrupted;
}

// SQLite would make it readable for all users.
static bool open_make_file(struct opening *o) {
    const char *path = o->store->path;
    int error = disk_make_file(path, true);
    if (!error) return true;
    return open_refuse(o,
                       "cannot open %s for writing: %s; let this user write it or choose another data folder",
                       path, strerrordesc_np(-error));
}

// What a process that was killed has left in the write-ahead log may be in memory alone: after a sync that
// failed, the kernel takes it for written. Then what follows it in the log would be lost with it.
static bool open_rewrite_log(struct opening *o) {
    struct disk_file file;
    char *path = store_path(o->store->config.folder, "chorus.db-wal");
    int error = disk_look_up(path, &file) ? 0 : disk_rewrite(path);
    if (error) open_refuse(o, "cannot write %s: %s; check the disk", path, strerrordesc_np(-error));
    free(path);
    return !error;
}

static bool open_refuse_by_code(struct opening *o, int code) {
    struct store *s = o->store;
    const char *text = s->failure.code ? s->failure.text : sqlite3_errmsg(s->db);
    switch (code & 0xff) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: // a table or a column is missing
        return open_refuse(
            o,
            "%s is damaged or not a Chorus database (%s); put a good copy in its place, or move it away to "
            "start with an empty one",
            s->path, text);
    case SQLITE_BUSY:
        return open_refuse(o, "%s is locked by another program; end that one or choose another data folder",
                           s->path);
    case SQLITE_FULL:
        return open_refuse(o, "cannot write %s: the disk is full; make room or choose another data folder",
                           s->path);
    default:
        return open_refuse(o, "cannot use %s: %s (%s); check the disk and the permissions", s->path, text,
                           strerrordesc_np(sqlite3_system_errno(s->db)));
    }
}

static bool open_execute(struct opening *o, const char *sql) {
    int code = sqlite3_exec(o->store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK || open_refuse_by_code(o, code);
}

// Reads one number.
static bool open_query(struct opening *o, const char *sql, int64_t *value) {
    sqlite3_stmt *q;
    int code = sqlite3_prepare_v2(o->store->db, sql, -1, &q, NULL);
    if (code == SQLITE_OK) code = sqlite3_step(q);
    if (code != SQLITE_ROW) {
        open_refuse_by_code(o, code);
        sqlite3_finalize(q);
        return false;
    }
    *value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return true;
}

// An empty file becomes a store; also one that was left without tables by a kill in this very place.
static bool open_check_file(struct opening *o, bool *empty) {
    const char *path = o->store->path;
    int64_t application, version, tables;
    if (!open_query(o, "PRAGMA application_id", &application) ||
        !open_query(o, "PRAGMA user_version", &version) ||
        !open_query(o, "SELECT count(*) FROM sqlite_schema", &tables))
        return false;
    if (sqlite3_db_readonly(o->store->db, "main"))
        return open_refuse(o, "cannot write %s; let this user write it or choose another data folder", path);
    *empty = tables == 0 && application == 0;
    if (*empty) return true;
    if (application != SQL_APPLICATION_ID)
        return open_refuse(
            o, "%s is the database of another program; move it away or choose another data folder", path);
    if (version > SQL_SCHEMA_VERSION)
        return open_refuse(
            o,
            "%s was written by a newer Chorus (schema %d, this one knows %d); run that one or choose another "
            "data folder",
            path, (int)version, SQL_SCHEMA_VERSION);
    if (version < 1)
        return open_refuse(o, "%s is damaged (schema %d); put a good copy in its place or move it away", path,
                           (int)version);
    return true;
}

static bool open_prepare(struct opening *o) {
    struct store *s = o->store;
    for (int i = 0; i < SQL_STATEMENTS; i++) {
        int code = sqlite3_prepare_v3(s->db, sql_statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &s->statements[i], NULL);
        if (code != SQLITE_OK) return open_refuse_by_code(o, code);
    }
    return true;
}

static bool open_load_totals(struct store *s) {
    sqlite3_stmt *q = store_use(s, SQL_TOTALS_READ);
    if (!store_row(s, q)) return false;
    s->totals.entries = (uint64_t)sqlite3_column_int64(q, 0);
    s->totals.comments = (uint64_t)sqlite3_column_int64(q, 1);
    s->totals.videos = (uint64_t)sqlite3_column_int64(q, 2);
    s->totals.mappings = (uint64_t)sqlite3_column_int64(q, 3);
    store_end(q);
    q = store_use(s, SQL_ENTRY_LAST);
    if (store_row(s, q)) {
        s->totals.entries = (uint64_t)sqlite3_column_int64(q, 0);
        s->totals.comments = (uint64_t)sqlite3_column_int64(q, 1);
        struct position last = {.epoch = (uint64_t)sqlite3_column_int64(q, 2)};
        if (position_is_plausible(last)) s->epoch = last.epoch;
        store_end(q);
    }
    token_load(s);
    archive_load(s);
    s->committed_totals = s->totals;
    return !s->failure.code;
}

static bool open_load(struct opening *o) {
    struct store *s = o->store;
    const char *why = NULL;
    if (open_load_totals(s) && lease_load(s) && epoch_load(s) && scrub_load(s) && follow_load(s, &why))
        return true;
    if (why) return open_refuse(o, "%s %s", s->path, why);
    if (!s->failure.code) store_found_damage(s, "a row is missing");
    return open_refuse_by_code(o, s->failure.code);
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
    while ((code = sqlite3_step(q)) == SQLITE_ROW && row_is_sound(q)) continue;
    sqlite3_finalize(q);
    return code == SQLITE_DONE;
}

static bool open_is_sound(void *store) {
    return says_ok(store, "PRAGMA integrity_check(1)") && rows_are_sound(store);
}

// Opening

// Some network file systems cannot do it, and SQLite then stays with what it had, without an error.
static bool use_write_ahead_log(struct opening *o) {
    int64_t in_use;
    if (!open_execute(o, "PRAGMA journal_mode = WAL")) return false;
    if (!open_query(o, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &in_use)) return false;
    if (in_use) return true;
    return open_refuse(o, "cannot keep a write-ahead log beside %s; choose a data folder on a local disk",
                       o->store->path);
}

// A commit that is written through does not help while the name of the file, or of its folder, is not on the
// disk. SQLite syncs the folder only for a write-ahead log that it has made itself, not for one that a
// process left behind which was killed before that.
static bool open_sync_names(struct opening *o) {
    const char *folder = o->store->config.folder;
    int error = disk_sync(folder);
    if (!error) error = disk_sync_folder_of(folder);
    if (!error || error == -EACCES) return true; // the parent may be closed to this user
    return open_refuse(o, "cannot write the names in %s through to the disk: %s; check the disk", folder,
                       strerrordesc_np(-error));
}

static int on_commit(void *arg, sqlite3 *db, const char *schema, int pages) {
    (void)db;
    (void)schema;
    struct store *s = arg;
    s->wal_pages = pages;
    return SQLITE_OK;
}

static bool open_migrate(struct opening *o) {
    int64_t has_bytes, version;
    if (!open_execute(o, sql_additions) || !open_query(o, sql_has_bytes, &has_bytes)) return false;
    if (!has_bytes && !open_execute(o, sql_add_bytes)) return false;
    if (!open_query(o, "PRAGMA user_version", &version)) return false;
    return version >= SQL_SCHEMA_VERSION || open_execute(o, sql_to_version_2);
}

static bool open_file(struct opening *o) {
    struct store *s = o->store;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int code = sqlite3_open_v2(s->path, &s->db, flags, NULL);
    if (code != SQLITE_OK) return open_refuse_by_code(o, code);
    sqlite3_busy_timeout(s->db, STORE_BUSY_MS);
    bool empty;
    if (!open_check_file(o, &empty) || !use_write_ahead_log(o) || !open_execute(o, settings)) return false;
    if (!open_execute(o, s->config.durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL"))
        return false;
    if ((empty && !open_execute(o, sql_schema)) || !open_migrate(o)) return false;
    sqlite3_wal_hook(s->db, on_commit, s);
    if (!open_prepare(o) || !open_load(o)) return false;
    if (!damage_remember_files(&s->damage)) return open_refuse_by_code(o, SQLITE_CANTOPEN);
    if (!open_sync_names(o)) return false;
    damage_recall(&s->damage, open_is_sound, s);
    s->damage.opened = true;
    return true;
}

// The whole

// Each connection belongs to one thread, and SQLite's memory statistics are not used.
static void configure_library(void) {
    sqlite3_config(SQLITE_CONFIG_MULTITHREAD);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static struct store *open_new_store(const struct embedded_config *config) {
    struct store *s = mem_zalloc(sizeof *s);
    s->config = *config;
    s->config.folder = mem_strdup(config->folder);
    if (!s->config.keep_ms) s->config.keep_ms = (int64_t)30 * 24 * 60 * 60 * 1000;
    if (s->config.keep_ms < s->config.limits.log_age_ms) s->config.keep_ms = s->config.limits.log_age_ms;
    if (config->archive_ms && config->archive_ms < s->config.limits.log_age_ms)
        s->config.archive_ms = s->config.limits.log_age_ms;
    s->path = store_path(config->folder, "chorus.db");
    s->damage.path = s->path;
    s->lock = -1;
    s->use_offset_ms = clock_wall_ms() - clock_monotonic_ms();
    s->run = (int64_t)(hash_random() >> 1) | 1;
    return s;
}

struct store *store_open(const struct embedded_config *config, char *why, size_t why_size) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, configure_library);
    struct opening o = {.store = open_new_store(config), .why = why, .why_size = why_size};
    if (open_make_folder(&o) && open_lock(&o) && open_check_restore(&o) && open_make_file(&o) &&
        (!config->durable || open_rewrite_log(&o)) && open_file(&o))
        return o.store;
    store_close(o.store);
    return NULL;
}

static void close_epochs(struct store *s) {
    if (!s->damage.opened || store_health(s) != STORE_SOUND || !epoch_release(s)) return;
    transaction_begin(s);
    if (!transaction_commit(s)) transaction_rollback(s);
}

void store_close(struct store *s) {
    close_epochs(s);
    video_forget_all(s);
    lease_free_all(s);
    room_release(s);
    for (int i = 0; i < SQL_STATEMENTS; i++) sqlite3_finalize(s->statements[i]);
    // Closing copies the write-ahead log into the file. If that is long, the next opening reads it as after a
    // kill.
    // But not beside a damaged file: the old log would be applied to a good copy put in its place.
    if (s->wal_pages > CLOSING_PAGES && !s->damage.damaged)
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close(s->db);
    damage_keep(&s->damage);
    if (s->lock >= 0) disk_unlock(s->lock);
    free((char *)s->config.folder);
    free(s->path);
    free(s);
}
