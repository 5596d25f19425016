// The engine that needs nothing else running: publish/subscribe inside the process, SQLite for what lasts.
//
// SQLite runs on a thread of its own. All writes that wait form one transaction, which is committed as soon
// as the one before has ended, never on a timer. An answer comes after the commit: kill -9 loses nothing that
// was answered; a power cut loses at most the last moments, or nothing with `durable`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct loop;

struct embedded_config {
    const char *folder;   // is made if missing (its parent must exist); holds chorus.db
    bool durable;         // fsync at every commit
    uint64_t log_entries; // kept per video
    int64_t log_age_ms;   // and no longer than this
    uint64_t max_videos;  // with a position or a mapping; 0: no limit
    int64_t keep_ms;      // unused positions, mappings and expired leases; 0: 30 days
};

// Opens or creates the store and starts its thread. Returns NULL on failure and writes into `why` one
// sentence that names the file and what to do (folder not writable, file in use by another process, damaged,
// or written by a newer version).
struct engine *embedded_open(struct loop *, const struct embedded_config *, char *why, size_t why_size);
