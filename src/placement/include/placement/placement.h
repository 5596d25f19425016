// Which reader a video belongs to: looks the mapping up, makes one where there is none, and moves a video
// whose reader's lease is gone. Shared by all roles of a process.
//
// The engine decides (first writer wins, also among processes); this keeps a cache, so that a resolve costs
// no trip to the store. An answer is at most PLACEMENT_FRESH_MS old, or PLACEMENT_STALE_MS while the store is
// away; older ones are dropped, so that a video nobody asks for costs nothing here. Readers are those with a
// live lease, and those of a static list. A mapping to a URL of the list, or to one that never had a lease,
// is honoured as it is.
//
// Whether a reader is alive is judged by our own clock: see readers.h, also for grace_ms.
//
// Control loop only. Each callback comes exactly once, at the end of a turn and never from inside the call.
// It may ask again.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/policy.h"

struct engine;
struct loop;
struct placement;

enum { PLACEMENT_FRESH_MS = 1000, PLACEMENT_STALE_MS = 60000, PLACEMENT_CACHE_MAX = 200000 };

struct placement_config {
    const char *static_readers; // comma-separated URLs, or NULL
    enum placement_policy policy;
    int grace_ms;
};

enum placement_status {
    PLACEMENT_OK,
    PLACEMENT_NONE,       // resolve: no mapping
    PLACEMENT_NO_READER,  // there is no live reader to give it to
    PLACEMENT_FULL,       // --max-videos is reached
    PLACEMENT_UNAVAILABLE // the store is away and nothing recent is known
};

struct placement_answer {
    enum placement_status status;
    const char *reader_url; // valid during the callback
    const char *public_url; // NULL: no other than reader_url
    bool registered;        // this call made the mapping
    bool confirmed;         // the store has said so just now, in answer to this question
};

typedef void placement_cb(void *arg, const struct placement_answer *);

// Knows no reader until placement_start(): a process's own readers must have renewed their leases before.
struct placement *placement_new(struct loop *, struct engine *, const struct placement_config *);
void placement_start(struct placement *);
// Comes after the engine is closed. Callbacks still due come from inside this call; they must not ask again.
void placement_free(struct placement *);

// Gives the video's reader, assigning one if it has none or a dead one.
void placement_register(struct placement *, const char *video, placement_cb *, void *arg);

// The same, but a video without a mapping gives PLACEMENT_NONE.
void placement_resolve(struct placement *, const char *video, placement_cb *, void *arg);

// Asks the store even if the cache has an answer, and sets `confirmed`: for decisions that must be right at
// this moment. If the store does not answer, the cached mapping is given, unconfirmed.
void placement_confirm(struct placement *, const char *video, bool may_assign, placement_cb *, void *arg);

// Whether `host` (a Host header) is that of some reader's reader_url.
bool placement_is_reader_host(struct placement *, const char *host);

// Whether some reader has, or had, a lease by this URL.
bool placement_is_leased(struct placement *, const char *reader_url);

// Whether the list of readers has been read; how many may be given videos.
bool placement_ready(struct placement *);
size_t placement_reader_count(struct placement *);

// How many videos' mappings are in memory: those asked for in the last two minutes.
size_t placement_cached_count(const struct placement *);
