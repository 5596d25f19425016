#include "embedded_store.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "embedded_damage.h"
#include "embedded_video.h"

static void fail(struct store *s, int code, const char *text) {
    if (s->failure.code) return;
    s->failure.code = code & 0xff;
    // No statement of ours breaks a constraint, unless an index or a row lies.
    if (s->failure.code == SQLITE_CONSTRAINT || s->failure.code == SQLITE_NOTADB)
        s->failure.code = SQLITE_CORRUPT;
    if (s->failure.code == SQLITE_CORRUPT) damage_found(s, text);
    int error = sqlite3_system_errno(s->db);
    bool of_the_system = s->failure.code == SQLITE_IOERR || s->failure.code == SQLITE_FULL ||
                         s->failure.code == SQLITE_CANTOPEN;
    if (of_the_system && error)
        snprintf(s->failure.text, sizeof s->failure.text, "%s: %s", text, strerrordesc_np(error));
    else
        snprintf(s->failure.text, sizeof s->failure.text, "%s", text);
}

void store_found_damage(struct store *s, const char *what) {
    fail(s, SQLITE_CORRUPT, what);
}

void store_skip_damage(struct store *s) {
    if (s->read_only && s->failure.code == SQLITE_CORRUPT) s->failure.code = 0;
}

static bool is_line(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    return true;
}

const char *store_text(struct store *s, sqlite3_stmt *q, int column) {
    const char *text =
        sqlite3_column_type(q, column) == SQLITE_TEXT ? (const char *)sqlite3_column_text(q, column) : NULL;
    if (text && is_line(text, (size_t)sqlite3_column_bytes(q, column))) return text;
    store_found_damage(s, "a row lacks a text");
    return NULL;
}

void store_will_write(struct store *s) {
    if (s->read_only) fail(s, SQLITE_READONLY, "not now");
}

bool store_row(struct store *s, sqlite3_stmt *q) {
    if (s->read_only && !sqlite3_stmt_readonly(q)) store_will_write(s);
    if (s->failure.code) return false;
    int code = sqlite3_step(q);
    if (code == SQLITE_ROW) return true;
    if (code != SQLITE_DONE) fail(s, code, sqlite3_errmsg(s->db));
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

void store_bind_text(sqlite3_stmt *q, int at, const char *text) {
    sqlite3_bind_text(q, at, text, -1, SQLITE_STATIC);
}

void store_read_clocks(struct store *s) {
    s->now_ms = clock_wall_ms();
    s->use_ms = clock_monotonic_ms() + s->use_offset_ms;
}

void store_begin(struct store *s) {
    s->failure.code = 0;
    store_read_clocks(s);
    s->deletes_entries = false;
    store_run(s, store_use(s, SQL_BEGIN));
}

// What was ever logged also stands in the newest entry, so it need not be written with each; but before that
// entry is deleted, that is, in every transaction that deletes some.
static void write_totals(struct store *s) {
    const struct store_totals *now = &s->totals, *before = &s->committed_totals;
    bool same = now->videos == before->videos && now->mappings == before->mappings;
    if (same && !s->deletes_entries) return;
    sqlite3_stmt *q = store_use(s, SQL_TOTALS_WRITE);
    sqlite3_bind_int64(q, 1, (int64_t)now->entries);
    sqlite3_bind_int64(q, 2, (int64_t)now->comments);
    sqlite3_bind_int64(q, 3, (int64_t)now->videos);
    sqlite3_bind_int64(q, 4, (int64_t)now->mappings);
    store_run(s, q);
}

bool store_commit(struct store *s) {
    video_write_dirty(s);
    write_totals(s);
    if (!store_run(s, store_use(s, SQL_COMMIT))) return false;
    s->committed_totals = s->totals;
    return true;
}

void store_forget_changes(struct store *s) {
    s->totals = s->committed_totals;
    video_forget_all(s);
}

void store_rollback(struct store *s) {
    store_forget_changes(s);
    store_abandon(s);
}

void store_abandon(struct store *s) {
    // SQLite may have rolled back by itself, for instance when the disk is full. What is left to do must be
    // done whatever has failed.
    if (!sqlite3_get_autocommit(s->db)) sqlite3_step(store_use(s, SQL_ROLLBACK));
    sqlite3_reset(store_use(s, SQL_ROLLBACK));
}
