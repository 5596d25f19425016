// Private to placement: a cache of mappings, each with the queries that wait for it. At most
// PLACEMENT_CACHE_MAX; mappings_age() drops those too old to be used even while the store is away. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uthash.h"
#include "engine/engine.h"
#include "placement/placement.h"
#include "placement/reader_set.h"

// A reader's URL, shared by a mapping and the answers made from it.
struct shared_url {
    unsigned references;
    char text[];
};
void shared_url_unref(struct shared_url *); // NULL is fine

// A call of placement_register(), _resolve() or _confirm(), from the call to the callback.
struct placement_query {
    placement_cb *cb;
    void *arg;
    bool may_assign;
    bool later; // waits for a lookup that has not begun
    // The answer:
    enum placement_status status;
    bool registered, confirmed;
    struct shared_url *url;
    struct reader_set *set;              // NULL: none is in force
    struct placement_query *prev, *next; // in its mapping, or in placement.answered
    char video[];
};

enum mapping_state {
    MAPPING_AT_REST,    // no query waits
    MAPPING_UNLISTED,   // until the readers have been listed for the first time
    MAPPING_LOOKING_UP, // from here on operations of the engine are running
    MAPPING_TAKING_TURN,
    MAPPING_ASSIGNING,
    MAPPING_REASSIGNING
};

struct mapping {
    struct placement *placement;
    enum mapping_state state;
    struct shared_url *url; // NULL: unknown, or none
    struct reader_set *set; // NULL: unknown, or none was ever written
    int64_t known_ms;       // when the engine gave the URL
    unsigned awaited;       // answers to a lookup
    enum engine_status looked_up;
    struct placement_query *queries;
    struct mapping *next_unlisted;
    UT_hash_handle hh;
    char video[];
};

struct mappings {
    struct mapping *by_video; // least recently looked at first
};

void mappings_release(struct mappings *); // none may have queries

// Returns the video's mapping, which may be new; NULL if there is no room, because queries wait for all.
struct mapping *mappings_get(struct mappings *, struct placement *, const char *video);
void mappings_drop(struct mappings *, struct mapping *);

// For tests: how many there are.
size_t placement_cached_count(const struct placement *);

// Looks at some of them, and drops those that are too old. To be called now and then.
void mappings_age(struct mappings *, int64_t now_ms);

void mapping_set(struct mapping *, const char *reader_url, int64_t now_ms);
void mapping_unset(struct mapping *);

// Returns whether the engine gave the mapping in the last `ms`.
bool mapping_known_within(const struct mapping *, int64_t ms, int64_t now_ms);
