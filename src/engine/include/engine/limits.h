// What a store keeps, and for how long: the same for every engine. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct engine_limits {
    uint64_t log_entries;     // kept per video
    int64_t log_age_ms;       // and no longer than this
    int64_t log_min_age_ms;   // younger entries are kept beyond log_entries
    uint64_t log_video_bytes; // as long as all of a video take no more than this, as the engine counts them
    uint64_t max_videos;      // with a position or a mapping; 0: no limit
};

// Returns whether an entry from `at_ms` has expired. One from far in the future has, too: the clock was wrong
// then, and the entry must not stay for years.
bool limits_expired(const struct engine_limits *, int64_t now_ms, int64_t at_ms);

// Returns whether an entry that has not expired is kept: it is among its video's newest `log_entries`, or
// young enough. `newer` entries came after it, with `newer_bytes` bytes.
bool limits_keep(const struct engine_limits *, int64_t now_ms, int64_t at_ms, int64_t newer,
                 int64_t newer_bytes);
