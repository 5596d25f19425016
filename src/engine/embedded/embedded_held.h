// Comments that wait, for a moderator or for some time. Store's thread; failures as in embedded_store.h.
#pragma once

#include <stdbool.h>

#include "engine/local.h"

struct store;
struct video;

// Returns whether a comment with this token waits already: then that is the answer.
bool held_repeats(struct store *, const struct video *, struct append_request *);

// Stores a comment that the room has refused in order to have it wait. Returns false, with another refusal,
// if too many wait.
bool held_add(struct store *, const struct video *, struct append_request *);

// See struct local_store.
request_carry_out held_read, held_drop;
