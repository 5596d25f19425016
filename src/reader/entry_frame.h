// What viewers are shown of a log entry.
#pragma once

struct engine_entry;

// Returns the entry's event as a frame with one reference, the caller's; NULL where there is nothing to
// show.
struct frame *frame_of_entry(const struct engine_entry *);
