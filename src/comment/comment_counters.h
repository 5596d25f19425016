// Private to comment: what the comment API has done since it started. Control loop only.
#pragma once

#include <stdint.h>

#include "base/durations.h"

struct service;

// What became of a POST /comment whose body was declared as JSON and not too long.
enum post_result {
    POST_ACCEPTED,
    POST_REPEATED, // with the Idempotency-Key of an earlier one
    POST_INVALID,
    POST_TOO_FAST,
    POST_KEY_REUSED,
    POST_TOO_MANY_VIDEOS,
    POST_OVERLOADED,
    POST_STORE_FULL,
    POST_STORE_UNAVAILABLE,
    POST_RESULTS
};

struct comment_counters {
    uint64_t posts[POST_RESULTS];
    struct durations commits; // of those accepted: from the complete request to the answer of the store
    uint64_t listings;        // GET /videos/VIDEO/comments
};

// Returns the counters of a comment API, which remain its own.
const struct comment_counters *comment_counters_of(const struct service *);
