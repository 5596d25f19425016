// How room is made where there are as many videos as may be: the least recently used that is not in use is
// evicted, first of those that have never had a comment. In use is what is watched, and what has entries that
// have not expired. Store's thread only; failures as in embedded_store.h.
//
// One that is found to be in use counts as used now, so that it is not looked at again soon; at most
// ROOM_LOOKED_AT are looked at for one that comes.
#pragma once

#include <stdbool.h>

#include "engine/embedded_request.h"
#include "engine/embedded_store.h"

enum { ROOM_LOOKED_AT = 1024 };

// Notes that a video is watched, or is not any more.
void room_watch(struct store *, struct request *);

// Makes room for one more video. Returns false if there is none, or on failure.
bool room_make(struct store *);

// Forgets notes that have not been repeated.
void room_sweep(struct store *);
void room_release(struct store *);
