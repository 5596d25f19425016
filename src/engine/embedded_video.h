// Rows of videos: found by name, kept in memory with their position, written back once per transaction.
// Store's thread only.
//
// At most VIDEO_CACHED rows are in memory (a row costs about 200 bytes); then all are forgotten at once,
// between two transactions, and read again when needed.
#pragma once

#include "base/map.h"
#include "engine/embedded_store.h"
#include "engine/engine.h"

enum { VIDEO_CACHED = 100000 };

// n of an entry = video's row id << VIDEO_PLACE_BITS | place. See embedded_sql.c.
enum { VIDEO_PLACE_BITS = 40, VIDEO_ID_BITS = 23 };

struct video {
    int64_t id;
    struct position at; // not set: it has a mapping only
    int64_t run;        // of the engine that gave `at`
    int64_t logged;     // place of the newest entry, 0: never had one
    int64_t used_ms;
    bool dirty;
    struct video *next_dirty;
    UT_hash_handle hh;
    char name[];
};

// Returns the video's row, or NULL if there is none. Valid until the transaction ends.
struct video *video_find(struct store *, const char *name);

// Returns it, made if there is none. NULL with *status ENGINE_FULL if there are too many.
struct video *video_find_or_add(struct store *, const char *name, enum engine_status *status);

// Has the position written before the transaction commits.
void video_changed(struct store *, struct video *);

// Notes that somebody uses it. Costs a write at most once a day.
void video_mark_used(struct store *, struct video *);

// Begins the epoch in which this run of the engine counts, with seq 0.
void video_begin_epoch(struct store *, struct video *);

// Frees the row for another video. There must be no entry left; a mapping goes with it.
void video_drop(struct store *, struct video *);

static inline int64_t video_entry_n(const struct video *v, int64_t place) {
    return v->id << VIDEO_PLACE_BITS | place;
}

// For store_commit() and store_rollback().
void video_write_dirty(struct store *);
void video_forget_all(struct store *);

// Keeps the number of rows in memory bounded. Between transactions.
void video_limit_memory(struct store *);
