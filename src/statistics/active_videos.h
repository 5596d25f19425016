// The videos with the most viewers, of all readers together, as JSON. Pure.
//
// Each reader reports its ACTIVE_VIDEOS_MAX busiest ones. Viewers of a video at several readers are summed;
// comments are not, because each of them sees all of them: the highest rate counts.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "figures.h"

enum { ACTIVE_VIDEOS_DEFAULT = 20, ACTIVE_VIDEOS_MAX = 100 };

// Returns {"videos":[{"videoid","viewers","commentsPerSecond"}],"total"}, owned by the caller: at most
// `limit` videos, most viewers first. Reports older than `fresh_ms` do not count.
json_t *active_videos(const struct figures *, size_t limit, int64_t now_ms, int64_t fresh_ms);
