// Log entries as events for viewers.
#pragma once

struct engine_entry;

// Returns the entry's event as a frame with one reference, owned by the caller; NULL if viewers are not shown
// entries of this kind.
struct frame *frame_of_entry(const struct engine_entry *);
