// A room as JSON, and what a JSON merge patch (RFC 7396) changes in it. This is the one
// table of its fields, with their bounds. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "engine/room.h"

struct http_exchange;

enum {
    ROOM_SLOW_MAX_MS = 3600000,
    ROOM_DELAY_MAX_MS = 60000,
    ROOM_RATE_MAX = 10000,
    ROOM_REPEAT_MS = 60000 // what `unique` means
};

struct room_patch {
    struct engine_room to; // the fields that are set
    unsigned sets;         // bits of them
};

// Reads the body. Returns false, and has replied, if it is no JSON object, or a field is wrong. null is the
// default; unknown fields are ignored.
bool room_patch_read(struct http_exchange *, struct room_patch *);

// Returns whether it changes anything.
bool room_patch_apply(const struct room_patch *, struct engine_room *);

// Returns the fields that it sets, as a new object.
json_t *room_patch_sets_json(const struct room_patch *);

// Returns the fields of a room, as a new object.
json_t *room_patch_json(const struct engine_room *);
