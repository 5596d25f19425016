// The SQLite file behind the embedded engine: opening it, transactions, failures. Everything here and in the
// files of its operations (embedded_video, _trail, _log, _mapping, _lease, _overview, _sweep) runs on the
// store's thread only.
//
// Failures are sticky: the first one in a transaction is kept in `failure`, statements after it do nothing,
// and whoever began the transaction rolls it back. So an operation need not check each step, as long as it
// treats "no row" as harmless.
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/embedded.h"
#include "embedded_sql.h"

struct video;
struct lease;
struct watched_video;

struct store_failure {
    int code; // SQLite's primary result code; 0: none
    char text[128];
};

struct store_file {
    uint64_t device, inode;
};

struct store_totals {
    uint64_t entries;  // ever logged, of any kind: the newest one's n
    uint64_t comments; // ever logged
    uint64_t videos;   // with a position or a mapping
    uint64_t mappings;
    uint64_t tokens; // the newest one's n; only here
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[SQL_STATEMENTS];
    struct embedded_config config; // its folder is a copy
    char *path;                    // of the database
    int lock;                      // descriptor that holds the lock on the folder

    int64_t run;    // this opening's id, never 0
    uint64_t epoch; // the highest seen of any video
    int64_t now_ms; // wall time, read at store_begin()
    int64_t use_ms; // the same, but of a clock that ran on from opening: setting the wall clock makes nothing
                    // old, neither entries nor tokens nor videos
    int64_t use_offset_ms;         // between that and the monotonic clock
    int64_t passed_over_ms;        // embedded_room.c: the newest time of use it has given
    struct watched_video *watched; // embedded_room.c
    bool read_only;                // statements that write fail: see batch_run()
    bool refuses;                  // the last write failed: what can wait is not written
    bool opened;                   // all that opening finds out is known
    bool damaged;                  // embedded_damage.c, like the next three
    char damage[128];
    bool moved;
    struct store_file files[2]; // the database and its write-ahead log
    struct store_failure failure;
    struct store_totals totals, committed_totals;
    bool deletes_entries; // in this transaction
    int wal_pages;        // in the write-ahead log after the last commit

    struct video *videos, *videos_by_id, *dirty_videos; // embedded_video.c
    struct lease *leases;                               // embedded_lease.c, by url
    bool leases_unwritten;

    size_t trail_rows;     // embedded_trail.c, room for rows in all lists
    uint64_t beyond_limit; // embedded_sweep.c, entries that their video has had too many newer ones of
    uint64_t kept_for_age; // of those, still there
    int64_t look_again_ms;
    int64_t sweep_n;        // the last one that was looked at
    uint64_t tokens_beyond; // embedded_token.c, the same for tokens
    int64_t token_n;
};

// Opens or creates the store: takes the lock on the folder, checks that the file is one of ours. Returns NULL
// on failure and writes a sentence into `why`.
struct store *store_open(const struct embedded_config *, char *why, size_t why_size);
void store_close(struct store *);

// A transaction. Commit returns false if anything in it failed, and then it has to be rolled back. `failure`
// stays until the next begin.
void store_begin(struct store *); // reads the clocks, too
void store_read_clocks(struct store *);
bool store_commit(struct store *);
void store_rollback(struct store *);

// Rolls back a transaction that has changed nothing of what is kept in memory.
void store_abandon(struct store *);

// Brings what is kept in memory in line with what was committed last. Part of store_rollback().
void store_forget_changes(struct store *);

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

// Binds a string, or NULL. The bytes must stay until the statement has ended.
void store_bind_text(sqlite3_stmt *, int at, const char *text);
