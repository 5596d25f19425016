// The audit trail of a video: what moderators did, as engine.h has it. Store's thread; failures as in
// embedded_store.h.
#pragma once

#include "engine/local.h"

struct store;
struct video;

// Adds a note, and drops those beyond ENGINE_NOTES, or of the automatic ones beyond ENGINE_NOTES_AUTOMATIC.
// NULL: none.
void audit_write(struct store *, const struct video *, const char *note);

// See struct local_store.
request_carry_out audit_read;
