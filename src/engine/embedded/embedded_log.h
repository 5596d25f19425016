// The log: appending, its position, reading. Store's thread; failures as in embedded_store.h.
#pragma once

#include "engine/local.h"
#include "embedded_video.h"

// Gives an entry the video's next number and adds its row, behind the tombstone of a loss, if there was one.
void log_add(struct store *, struct video *, struct position known, struct engine_entry *loss,
             struct engine_entry *);

request_carry_out log_append, log_head, log_range, log_range_before; // see struct local_store
