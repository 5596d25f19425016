#include "embedded_store.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static void store_fail(struct store *s, int code, const char *text) {
    if (s->failure.code) return;
    s->failure.code = code & 0xff;
    // No statement of ours breaks a constraint, unless an index or a row is wrong.
    if (s->failure.code == SQLITE_CONSTRAINT || s->failure.code == SQLITE_NOTADB)
        s->failure.code = SQLITE_CORRUPT;
    if (s->failure.code == SQLITE_CORRUPT) damage_found(&s->damage, text);
    int error = sqlite3_system_errno(s->db);
    bool of_the_system = s->failure.code == SQLITE_IOERR || s->failure.code == SQLITE_FULL ||
                         s->failure.code == SQLITE_CANTOPEN;
    if (of_the_system && error)
        snprintf(s->failure.text, sizeof s->failure.text, "%s: %s", text, strerrordesc_np(error));
    else
        snprintf(s->failure.text, sizeof s->failure.text, "%s", text);
}

void store_found_damage(struct store *s, const char *what) {
    store_fail(s, SQLITE_CORRUPT, what);
}

void store_skip_damage(struct store *s) {
    if (s->read_only && s->failure.code == SQLITE_CORRUPT) s->failure.code = 0;
}

static bool store_is_line(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    return true;
}

const char *store_text(struct store *s, sqlite3_stmt *q, int column) {
    const char *text =
        sqlite3_column_type(q, column) == SQLITE_TEXT ? (const char *)sqlite3_column_text(q, column) : NULL;
    if (text && store_is_line(text, (size_t)sqlite3_column_bytes(q, column))) return text;
    store_found_damage(s, "a row lacks a text");
    return NULL;
}

void store_will_write(struct store *s) {
    if (s->read_only) store_fail(s, SQLITE_READONLY, "not now");
}

bool store_row(struct store *s, sqlite3_stmt *q) {
    if (s->read_only && !sqlite3_stmt_readonly(q)) store_will_write(s);
    if (s->failure.code) return false;
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) store_fail(s, code, sqlite3_errmsg(s->db));
    sqlite3_reset(q);
    return false;
}

void store_end(sqlite3_stmt *q) {
    sqlite3_reset(q);
}

bool store_run(struct store *s, sqlite3_stmt *q) {
    if (store_row(s, q)) store_end(q);
    return !s->failure.code;
}

bool store_sync_log(struct store *s) {
    sqlite3_file *log = NULL;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
    int code = log && log->pMethods ? log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) : SQLITE_IOERR_FSYNC;
    if (code != SQLITE_OK) store_fail(s, code, "the write-ahead log cannot be synced");
    return code == SQLITE_OK;
}

void store_bind_text(sqlite3_stmt *q, int at, const char *text) {
    sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

void store_read_clocks(struct store *s) {
    s->now_ms = clock_wall_ms();
    s->use_ms = clock_monotonic_ms() + s->use_offset_ms;
}
