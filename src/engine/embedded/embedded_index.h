// Which rows of the log are a video's newest entries. On disk each entry only knows the one before it; here
// the last of them are a list, so that a range reads what it returns and nothing else. A list begins with the
// video's next append or is read backwards when a range first needs it. Store's thread only.
//
// Bounds: a list holds at most twice what the log keeps per video, all lists together about INDEX_ROWS rows;
// then videos are forgotten, with their lists (video_limit_memory()).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/position.h"
#include "embedded_video.h"

// Notes the video's newest entry, which comes after those noted before.
void index_add(struct store *, struct video *, int64_t n);

// Makes the list reach back to the first entry behind `after` that is kept, and returns its index: `count` if
// there is none. It may have expired.
size_t index_reach(struct store *, struct video *, struct position after);

// Makes the list reach back to `count` kept entries before `before` (not set: of all), or to the first one
// that is kept, and returns where these entries are: from the index that it returns up to *end. They may have
// expired.
size_t index_reach_before(struct store *, struct video *, struct position before, size_t count, size_t *end);

// Forgets the first entries: they have expired.
void index_drop(struct entry_index *, size_t count);
