// Makes room when max_videos is reached: evicts the least recently used video that is not in use, those
// without any comment first. A video is in use while it is watched or has entries that have not expired.
// Store's thread only; failures as in embedded_store.h.
//
// A video found to be in use is marked as used now, so that it is not examined again soon; at most
// ROOM_LOOKED_AT are examined for each new one.
#pragma once

#include <stdbool.h>

#include "embedded_store.h"
#include "embedded_video.h"
#include "engine/local.h"

enum { ROOM_LOOKED_AT = 1024 };

// Notes whether a video is watched; see struct local_store.
request_carry_out room_watch;

// Returns the video's row, made if there is none. NULL with *status ENGINE_FULL if there are too many, NULL
// on failure.
struct video *room_find_or_add(struct store *, const char *name, enum engine_status *status);

// Forgets notes that have not been repeated.
void room_sweep(struct store *);
void room_release(struct store *);
