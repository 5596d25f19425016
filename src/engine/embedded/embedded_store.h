// The SQLite file behind the embedded engine: its statements, and what of it is kept in memory. Everything
// here and in the files of its tables and operations (embedded_video, _index, _log, _mapping, ...) runs on
// the store's thread only.
//
// Failures are sticky: the first one in a transaction is kept in `failure`, statements after it do nothing,
// and the caller that began the transaction rolls it back. So an operation need not check each step, as long
// as it treats "no row" as harmless.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/name_table.h"
#include "embedded_damage.h"
#include "embedded_sql.h"
#include "engine/embedded_config.h"

struct video;
struct lease;
struct watched_video;

enum { STORE_BUSY_MS = 1000 }; // another tool has the file open

struct store_failure {
    int code; // SQLite's primary result code; 0: none
    char text[128];
};

struct store_totals {
    uint64_t entries;  // ever logged, of any kind: the newest one's n
    uint64_t comments; // ever logged
    uint64_t videos;   // with a position or a mapping
    uint64_t mappings;
    uint64_t tokens;   // the newest one's n; only here
    uint64_t archived; // embedded_archive.c: the newest entry's n that it has looked at; only here
};

// How far embedded_sweep.c has come with a table.
struct swept {
    uint64_t beyond; // rows added of which their video now has one too many
    int64_t n;       // the last row that was looked at
    bool all;        // up to the end of the table: the limits have changed
};

// From best to worst.
enum store_health {
    STORE_SOUND,
    STORE_FAILING, // the last write failed: it is tried again
    STORE_MOVED,   // not where it was opened: nothing is written until it is put back
    STORE_DAMAGED  // nothing is written any more
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    struct embedded_config config; // its folder is a copy
    char *path;                    // of the database
    int lock;                      // descriptor that holds the lock on the folder

    int64_t run;                              // this opening's id, never 0
    uint64_t epoch;                           // the highest seen of any video
    uint64_t epoch_floor;                     // new ones exceed it; this and what follows: embedded_epoch.c
    uint64_t epoch_reserved, epoch_reserving; // the next opening's floor: committed; in this transaction
    bool epoch_unsynced;                      // but not written through yet
    int64_t now_ms;                           // wall time, read when a transaction begins
    int64_t use_ms; // the same, but of a clock that ran on from opening: setting the wall clock makes nothing
                    // old, neither entries nor tokens nor videos
    int64_t use_offset_ms;         // between that and the monotonic clock
    int64_t passed_over_ms;        // embedded_room.c: the newest time of use it has given
    struct watched_video *watched; // embedded_room.c
    bool read_only;                // statements that write fail: see batch_run()
    bool write_failed;             // the last one: what can wait is not written
    struct damage damage;
    struct store_failure failure;
    struct store_totals totals, committed_totals;
    bool deletes_entries; // in this transaction
    bool unscrubbed;      // embedded_scrub.c: the write-ahead log has what was taken out since
    int wal_pages;        // in the write-ahead log after the last commit

    // embedded_video.c
    struct name_table videos;    // those in memory, by name
    struct video **videos_by_id; // their lists, by id modulo the room
    size_t videos_by_id_room;    // a power of two, or 0
    size_t forget_from;          // the list whose videos are forgotten next
    struct video *dirty_videos;
    struct lease *leases; // embedded_lease.c, by url
    bool leases_unwritten;

    size_t index_rows; // embedded_index.c, room for rows in all lists
    struct swept entries_swept, tokens_swept;
    uint64_t kept_for_age; // embedded_sweep.c: entries beyond the limit that were still too young
    int64_t revisit_ms;
    bool purges_wait;          // embedded_archive.c: comments to be overwritten
    int64_t archive_looked_at; // embedded_archive.c: the last video of which it was
};

void store_read_clocks(struct store *);

// Returns the worst that is known of it.
static inline enum store_health store_health(const struct store *s) {
    if (s->damage.damaged) return STORE_DAMAGED;
    if (s->damage.moved) return STORE_MOVED;
    return s->write_failed ? STORE_FAILING : STORE_SOUND;
}

// Returns whether nothing may be written: the file is damaged, or is not where it was opened.
static inline bool store_is_lost(const struct store *s) {
    return store_health(s) >= STORE_MOVED;
}

// See limits.h.
static inline bool store_expired(const struct store *s, int64_t at_ms) {
    return limits_expired(&s->config.limits, s->use_ms, at_ms);
}
static inline bool store_keeps(const struct store *s, int64_t at_ms, int64_t newer, int64_t newer_bytes) {
    return limits_keep(&s->config.limits, s->use_ms, at_ms, newer, newer_bytes);
}

// Returns a statement to bind values to.
static inline sqlite3_stmt *store_use(struct store *s, enum statement which) {
    return s->statements[which];
}

// Steps. Returns whether there is a row, whose columns are valid until store_end(); without one it has ended
// already.
bool store_row(struct store *, sqlite3_stmt *);
void store_end(sqlite3_stmt *);

// Carries out a statement that gives no rows. Returns false on failure.
bool store_run(struct store *, sqlite3_stmt *);

// Fails the transaction if it is one that must not write. For changes of what is kept in memory.
void store_will_write(struct store *);

// What a row may not be if the file is sound. Fails the transaction as damaged.
void store_found_damage(struct store *, const char *what);

// While the store is only read, clears the failure, so that reading goes on after the damage. Else does
// nothing.
void store_skip_damage(struct store *);

// Returns a column's text, one line of it; or NULL if the row holds something else, which is damage.
const char *store_text(struct store *, sqlite3_stmt *, int column);

// Writes what has been committed through to the disk. Returns false, as a failure, if it cannot be.
bool store_sync_log(struct store *);

// Binds a string, or NULL. The bytes must stay until the statement has ended.
void store_bind_text(sqlite3_stmt *, int at, const char *text);
