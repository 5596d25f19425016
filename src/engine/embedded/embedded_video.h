// Rows of videos: found by name, kept in memory with their position, written back once per transaction.
// Store's thread only.
//
// At most about VIDEO_CACHED rows are in memory (some 200 bytes each), and INDEX_ROWS of their lists; then
// some are forgotten between any two transactions, in the order of their ids, and read again when needed.
#pragma once

#include "base/uthash.h"
#include "embedded_store.h"
#include "engine/engine.h"

enum {
    VIDEO_CACHED = 100000,
    INDEX_ROWS = 1000000 // 8 MB
};

// Its newest entries; see embedded_index.h.
struct entry_index {
    int64_t *rows; // n of the entries, oldest first, without a gap
    uint32_t count, room;
    uint32_t kept; // at the last count: when there are twice as many, they are counted again
};

struct video {
    struct name_entry entry; // by name
    int64_t id;
    struct position at; // not set: it has a mapping only
    struct position
        prev;       // where the log stood when the epoch of `at` began, if this run of the engine did so
    int64_t logged; // entries it ever had
    int64_t newest; // n of the last one, 0: none
    int64_t bytes;  // that those took
    int64_t used_ms;
    struct entry_index index;
    struct video_gate *gate; // embedded_gate.h; NULL: none, or not read yet
    struct video *next_dirty, *next_by_id;
    bool of_this_run; // `at` was given by this run of the engine
    bool dirty;
    bool gate_is_read;
    char name[];
};

// Returns the video's row, or NULL if there is none. Valid until the transaction ends.
struct video *video_find(struct store *, const char *name);

// Adds one that there is not. NULL on failure.
struct video *video_add(struct store *, const char *name);

// Returns how many entries the video with this row id ever had; 0 if there is no such video.
int64_t video_logged(struct store *, int64_t id, int64_t *bytes);

// Has the position written before the transaction commits.
void video_changed(struct store *, struct video *);

// Notes that it is used. Costs a write at most once a day, or once a second where there are nearly as many
// videos as may be.
void video_mark_used(struct store *, struct video *);
void video_set_used(struct store *, struct video *, int64_t used_ms);

// Begins an epoch, with seq 0, that is greater than any the store has seen and than `known`.
void video_begin_epoch(struct store *, struct video *, struct position known);

// Deletes the row, and its mapping.
void video_drop(struct store *, struct video *);

// For transactions.
void video_write_dirty(struct store *);
void video_forget_all(struct store *);

// Keeps what is in memory bounded. Between transactions.
void video_limit_memory(struct store *);
