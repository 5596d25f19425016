// Which reader owns a video: looks the mapping up, makes one if there is none, and moves a video whose reader
// has lost its lease. Shared by all roles of a process.
//
// The engine decides (first writer wins, also among processes). Placement keeps a cache, so that resolving a
// video costs no trip to the store: an answer is at most PLACEMENT_FRESH_MS old, or PLACEMENT_STALE_MS while
// the store is away, and older ones are dropped, so that unused videos cost nothing here. The readers are
// those with a live lease, and those of a static list. A mapping to a URL of the list, or to one that never
// had a lease, is kept.
//
// Whether a reader is alive is judged by our own clock: see readers.h, also for grace_ms.
//
// Control loop only. Each callback comes exactly once, at the end of a turn and never from inside the call.
// It may call placement again.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/policy.h"

struct engine;
struct hot_crowd;
struct loop;
struct placement;
struct reader_set;
struct readers;

enum { PLACEMENT_FRESH_MS = 1000, PLACEMENT_STALE_MS = 60000, PLACEMENT_CACHE_MAX = 200000 };

struct placement_config {
    const char *static_readers; // comma-separated URLs, or NULL
    enum placement_policy policy;
    int grace_ms;
    bool distant_readers; // readers may be other processes: connects to their addresses (presence.h)
    bool sets;            // hot videos may have several readers (reader_set.h)
};

enum placement_status {
    PLACEMENT_OK,
    PLACEMENT_NONE,       // resolve: no mapping
    PLACEMENT_NO_READER,  // no reader is alive
    PLACEMENT_FULL,       // --max-videos is reached
    PLACEMENT_UNAVAILABLE // the store is away, and the cache has nothing recent
};

struct placement_answer {
    enum placement_status status;
    const char *reader_url; // valid during the callback, like all that follows
    const char *public_url; // NULL: no other than reader_url
    const char *owner_url;  // the reader that the mapping names
    // The readers that serve the video together, if there are several: reader_url is one of them that is
    // alive, chosen for this answer (hot_set.h), and owner_url usually the first. NULL: owner_url alone does.
    const struct reader_set *set;
    bool registered; // this call made the mapping
    bool confirmed;  // by the store, in answer to this call
};

typedef void placement_cb(void *arg, const struct placement_answer *);

// Knows no reader until placement_start(). Before that, the process's own readers must have renewed their
// leases.
struct placement *placement_new(struct loop *, struct engine *, const struct placement_config *);
void placement_start(struct placement *);
// Comes after the engine is closed. Runs the callbacks still due, which must not call placement.
void placement_free(struct placement *);

// Calls back with the video's reader; assigns one if it has none, or a dead one.
void placement_register(struct placement *, const char *video, placement_cb *, void *arg);

// The same, but answers PLACEMENT_NONE for a video without a mapping.
void placement_resolve(struct placement *, const char *video, placement_cb *, void *arg);

// Queries the store even if the cache has an answer, and sets `confirmed`: for decisions that must be right
// at this moment. If the store does not answer, calls back with the cached mapping, unconfirmed.
void placement_confirm(struct placement *, const char *video, bool may_assign, placement_cb *, void *arg);

// Counts the video's crowd, and returns how many viewers this reader should move to other members of the set
// now (hot_set_moves()): it has `viewers`. Without a set (NULL), or outside it, there are no others.
uint64_t placement_set_moves(struct placement *, const struct reader_set *, const char *video,
                             const char *reader_url, uint64_t viewers, struct hot_crowd *);

// Returns whether a viewer that came to this member of the answer's set, which has `viewers` of the video, is
// better sent on to answer.reader_url.
bool placement_sends_on(struct placement *, const struct placement_answer *, const char *video,
                        const char *reader_url, uint64_t viewers);

// Returns whether videos of this reader are to be given to others: its lease has ended, or it is draining.
bool placement_is_gone(const struct placement *, const char *reader_url);

// Returns whether `host` (a Host header) is that of a reader's reader_url.
bool placement_is_reader_host(struct placement *, const char *host);

// Returns whether a reader has, or had, a lease by this URL.
bool placement_is_leased(struct placement *, const char *reader_url);

// Returns whether the lease of this URL has ended, or is held by a later process than that of `generation`.
bool placement_lease_has_ended(struct placement *, const char *reader_url, uint64_t generation);

// Returns whether the list of readers has been read; the number of readers that may get videos.
bool placement_ready(struct placement *);
size_t placement_reader_count(struct placement *);

// Returns the readers, as they were last listed.
const struct readers *placement_readers(const struct placement *);
