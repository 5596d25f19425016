// A check reads the log once, in the order in which it was written, and remembers where each video stands.
// The entries of a video are deleted oldest first: what is left of it has to follow one another.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/position.h"
#include "base/uthash.h"
#include "embedded_disk.h"
#include "embedded_file.h"
#include "embedded_row.h"

enum {
    PROBLEMS_SHOWN = 20,
    ROWS_BETWEEN_LOOKS = 1024 // at whether to stop
};

// The video's last entry so far.
struct log_end {
    int64_t video, n, place;
    struct position at;
    UT_hash_handle hh;
};

struct check {
    sqlite3 *db;
    embedded_stop stop;
    void (*on_problem)(void *arg, const char *sentence);
    void *arg;
    struct embedded_contents *contents;
    struct log_end *ends; // by video
    int code;             // of the statement that failed
};

static void check_problem(struct check *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void check_problem(struct check *c, const char *format, ...) {
    if (c->contents->problems++ >= PROBLEMS_SHOWN) return;
    char sentence[512];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    c->on_problem(c->arg, sentence);
}

// Calls on_row() for each row. A failure of SQLite is a problem of the file.
static void check_rows(struct check *c, const char *sql, void (*on_row)(struct check *, sqlite3_stmt *)) {
    sqlite3_stmt *q;
    int code = sqlite3_prepare_v2(c->db, sql, -1, &q, NULL);
    for (unsigned i = 0; code == SQLITE_OK || code == SQLITE_ROW; i++) {
        if (i % ROWS_BETWEEN_LOOKS == 0 && c->stop && *c->stop) break;
        code = sqlite3_step(q);
        if (code == SQLITE_ROW) on_row(c, q);
    }
    if (code != SQLITE_DONE && code != SQLITE_ROW && code != SQLITE_OK)
        check_problem(c, "reading fails: %s", sqlite3_errmsg(c->db));
    sqlite3_finalize(q);
}

static void on_integrity_row(struct check *c, sqlite3_stmt *q) {
    const char *text = (const char *)sqlite3_column_text(q, 0);
    if (!text || strcmp(text, "ok") != 0) check_problem(c, "SQLite: %s", text ? text : "out of memory");
}

// The log

static void check_follows(struct check *c, const struct log_end *last, const struct log_end *now) {
    bool new_epoch = now->at.epoch > last->at.epoch && now->at.seq == 1;
    bool next = now->at.epoch == last->at.epoch && now->at.seq == last->at.seq + 1;
    if (!new_epoch && !next)
        check_problem(c,
                      "entry %" PRId64 " has number %" PRIu64 "-%" PRIu64 ", which does not follow %" PRIu64
                      "-%" PRIu64 " of the same video",
                      now->n, now->at.epoch, now->at.seq, last->at.epoch, last->at.seq);
    else if (now->place != last->place + 1)
        check_problem(c, "entry %" PRId64 " is not counted as the one after entry %" PRId64, now->n, last->n);
}

static void on_entry_row(struct check *c, sqlite3_stmt *q) {
    struct log_end now = {.video = sqlite3_column_int64(q, 7),
                          .n = sqlite3_column_int64(q, 8),
                          .place = sqlite3_column_int64(q, 9),
                          .at = {(uint64_t)sqlite3_column_int64(q, 1), (uint64_t)sqlite3_column_int64(q, 2)}};
    int64_t before = sqlite3_column_int64(q, 10);
    c->contents->entries++;
    c->contents->newest_ms = sqlite3_column_int64(q, 11);
    if (!row_is_sound(q)) check_problem(c, "entry %" PRId64 " is not as it was written", now.n);
    struct log_end *last;
    HASH_FIND(hh, c->ends, &now.video, sizeof now.video, last);
    // Without a predecessor it is the first of a video, perhaps with the row of one that was deleted.
    if (last && before && before != last->n)
        check_problem(c, "an entry before entry %" PRId64 " is missing", now.n);
    else if (last && before)
        check_follows(c, last, &now);
    if (!last) {
        last = mem_zalloc(sizeof *last);
        last->video = now.video;
        HASH_ADD(hh, c->ends, video, sizeof last->video, last);
    }
    last->n = now.n;
    last->place = now.place;
    last->at = now.at;
}

// Videos and mappings

static void on_video_row(struct check *c, sqlite3_stmt *q) {
    int64_t id = sqlite3_column_int64(q, 0), newest = sqlite3_column_int64(q, 4);
    const char *name = (const char *)sqlite3_column_text(q, 1);
    struct position at = {(uint64_t)sqlite3_column_int64(q, 2), (uint64_t)sqlite3_column_int64(q, 3)};
    c->contents->videos++;
    if (!name || !*name) check_problem(c, "video %" PRId64 " has no name", id);
    struct log_end *last;
    HASH_FIND(hh, c->ends, &id, sizeof id, last);
    if (!last || !newest) return;
    if (newest != last->n)
        check_problem(c, "the newest entry of video %s, %" PRId64 ", is missing", name ? name : "?", newest);
    else if (position_compare(at, last->at) < 0)
        check_problem(c,
                      "the position of video %s, %" PRIu64 "-%" PRIu64 ", is behind its log, at %" PRIu64
                      "-%" PRIu64,
                      name ? name : "?", at.epoch, at.seq, last->at.epoch, last->at.seq);
}

static void on_mapping_row(struct check *c, sqlite3_stmt *q) {
    const char *reader = (const char *)sqlite3_column_text(q, 1);
    int64_t video = sqlite3_column_int64(q, 0);
    c->contents->mappings++;
    if (sqlite3_column_type(q, 2) == SQLITE_NULL)
        check_problem(c, "the mapping of video %" PRId64 " is of no video", video);
    if (!reader || !*reader || strpbrk(reader, " \t\r\n"))
        check_problem(c, "the mapping of video %" PRId64 " names no reader", video);
}

static void check_totals(struct check *c) {
    int64_t videos = file_number(c->db, "SELECT videos FROM totals"),
            mappings = file_number(c->db, "SELECT mappings FROM totals");
    int64_t comments = file_number(
        c->db,
        "SELECT max(t.comments, ifnull((SELECT comments FROM entry ORDER BY n DESC LIMIT 1), 0)) FROM totals t");
    c->contents->comments = comments > 0 ? (uint64_t)comments : 0;
    if (videos < 0 || (uint64_t)videos != c->contents->videos)
        check_problem(c, "there are %" PRIu64 " videos, but %" PRId64 " are counted", c->contents->videos,
                      videos);
    if (mappings < 0 || (uint64_t)mappings != c->contents->mappings)
        check_problem(c, "there are %" PRIu64 " mappings, but %" PRId64 " are counted", c->contents->mappings,
                      mappings);
}

// Version 1 has the whole object in the place of body, and no checksum (embedded_sql.c).
static void check_all(struct check *c) {
    bool old = file_number(c->db, "PRAGMA user_version") < 2;
    check_rows(c, "PRAGMA integrity_check(20)", on_integrity_row);
    check_rows(
        c,
        old ? "SELECT kind, epoch, seq, prev_epoch, prev_seq, json, NULL, video, n, place, before, at_ms FROM entry ORDER BY n"
            : "SELECT kind, epoch, seq, prev_epoch, prev_seq, body, checksum, video, n, place, before, at_ms FROM entry ORDER BY n",
        on_entry_row);
    check_rows(c, "SELECT id, name, epoch, seq, newest FROM video", on_video_row);
    check_rows(
        c, "SELECT mapping.video, reader, video.id FROM mapping LEFT JOIN video ON video.id = mapping.video",
        on_mapping_row);
    check_totals(c);
}

bool embedded_check(const char *path, embedded_stop stop, void (*on_problem)(void *arg, const char *sentence),
                    void *arg, struct embedded_contents *contents, char *why, size_t why_size) {
    struct file_error error = {why, why_size};
    *contents = (struct embedded_contents){0};
    struct disk_file file;
    sqlite3 *db = file_open(path, &error);
    if (!db) return false;
    if (!disk_look_up(path, &file)) contents->bytes = (uint64_t)file.size;
    struct check c = {.db = db, .stop = stop, .on_problem = on_problem, .arg = arg, .contents = contents};
    check_all(&c);
    struct log_end *ends = c.ends;
    HASH_CLEAR(hh, c.ends); // the table, not what was in it
    for (struct log_end *next; ends; ends = next) {
        next = ends->hh.next;
        free(ends);
    }
    sqlite3_close(db);
    return !(stop && *stop) || file_fail(&error, "it was interrupted");
}
