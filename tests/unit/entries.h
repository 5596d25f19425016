// Positions, log entries and frames, briefly.
#pragma once

#include "engine/engine.h"

struct frame;

static inline struct position pos(uint64_t epoch, uint64_t seq) {
    return (struct position){epoch, seq};
}

// Return entries as an engine gives them; comments without a body.
struct engine_entry comment_at(uint64_t epoch, uint64_t seq);
struct engine_entry comment_after(uint64_t epoch, uint64_t seq, struct position prev); // first of an epoch
struct engine_entry tombstone_at(uint64_t epoch, uint64_t seq);
struct engine_entry foreign_message(const char *json); // an object, borrowed

// Return a frame; the caller's reference.
struct frame *comment_frame(uint64_t epoch, uint64_t seq);
struct frame *padded_frame(uint64_t epoch, uint64_t seq, size_t padding_bytes);
struct frame *foreign_frame(const char *data);

// Returns event_reader_text() of what these frames say; valid until the next call.
const char *frames_text(struct frame *const *frames, size_t count);
