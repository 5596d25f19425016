// The engine that needs nothing else running: publish/subscribe inside the process, SQLite for what lasts.
//
// SQLite runs on a thread of its own. All writes that wait form one transaction, which is committed as soon
// as the one before has ended, never on a timer. An answer comes after the commit: kill -9 loses nothing that
// was answered; a power cut loses at most the last moments, or nothing with `durable`. An append's callback
// comes before the entry is published, so whoever posts does not wait for those who watch.
//
// Beyond engine.h: more than 16,384 requests or 32 MB of them waiting are BUSY. A token is good for as long
// as the log's age, but only among the newest 1,000,000 entries. A video that is used in any way (also by an
// append) keeps both its position and its mapping. While the file cannot be written (disk full), what needs
// no write is still answered, and the engine becomes ready again by itself.
//
// The engine's threads have all signals blocked. A process whose files may reach a limit (RLIMIT_FSIZE)
// should ignore SIGXFSZ for its other threads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct loop;

struct embedded_config {
    const char *folder;       // is made if missing (its parent must exist); holds chorus.db and chorus.lock
    bool durable;             // fsync at every commit
    uint64_t log_entries;     // kept per video
    int64_t log_age_ms;       // and no longer than this
    int64_t log_min_age_ms;   // younger entries are kept beyond log_entries
    uint64_t log_video_bytes; // as long as all of a video's JSON is no longer than this
    uint64_t max_videos;      // with a position or a mapping; 0: no limit
    int64_t keep_ms;          // unused positions, mappings and expired leases; 0: 30 days
};

// Opens or creates the store and starts its thread. Returns NULL on failure and writes into `why` one
// sentence that names the file and what to do (folder not writable, file in use by another process, damaged,
// or written by a newer version).
struct engine *embedded_open(struct loop *, const struct embedded_config *, char *why, size_t why_size);
