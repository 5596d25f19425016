// Private to placement: the mappings known of videos that were asked for of late, each with the questions
// that wait for it. At most PLACEMENT_CACHE_MAX; one that could not be used any more even while the store is
// away is dropped by mappings_age(). Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/uthash.h"
#include "placement/placement.h"

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
    bool later; // wants the answer to a lookup that has not begun
    // Its answer:
    enum placement_status status;
    bool registered, confirmed;
    struct shared_url *url;
    struct placement_query *prev, *next; // of its mapping, or of all that are answered
};

enum mapping_state {
    MAPPING_AT_REST,    // no question waits
    MAPPING_UNLISTED,   // until the readers have been listed for the first time
    MAPPING_LOOKING_UP, // and so on: the engine is being asked
    MAPPING_TAKING_TURN,
    MAPPING_ASSIGNING,
    MAPPING_REASSIGNING
};

struct mapping {
    struct placement *placement;
    enum mapping_state state;
    struct shared_url *url; // NULL: not known, or none
    int64_t known_ms;       // when the engine said so
    struct placement_query *queries;
    struct mapping *next_unlisted;
    UT_hash_handle hh;
    char video[];
};

struct mappings {
    struct mapping *by_video; // those found busy come last
};

void mappings_release(struct mappings *); // none has questions

// Returns the video's mapping, a new one if need be. NULL if there is room for none, as all are waited for.
struct mapping *mappings_get(struct mappings *, struct placement *, const char *video);
void mappings_drop(struct mappings *, struct mapping *);

// Looks at a share of them, and drops what is too old to be of use. To be called now and then.
void mappings_age(struct mappings *, int64_t now_ms);

void mapping_set(struct mapping *, const char *reader_url, int64_t now_ms);
void mapping_unset(struct mapping *);

// Whether the engine has given the mapping in the last `ms`.
bool mapping_known_within(const struct mapping *, int64_t ms, int64_t now_ms);
