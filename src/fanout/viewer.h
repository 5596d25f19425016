// One viewer of a channel, on its worker's thread. While it is up to date it needs no state but its slot;
// while it lags it keeps its place: in its first bytes (`pending`), in a gap to be announced, or in the
// channel's ring (`cursor`). A lagging viewer is in one of four lists, so that nothing has to visit all of
// them: of its channel, where it only waits for a flush, or of its worker, where its socket is full, or has
// room and it waits for its turn.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "fanout/report.h"
#include "viewer_state.h"

// Takes the sink and pending. Returns NULL if the sink cannot be watched or attached. The viewer has no slot
// yet.
struct viewer *viewer_new(struct channel *, const struct sink *, struct pending *, int64_t now_ms);

// Returns the number of events that its stream has had (fanout/report.h).
uint32_t viewer_events(const struct viewer *);

// Reports how its stream ended, ends its sink and removes it from the set; it is freed at the end of the
// turn.
void viewer_close(struct viewer *, enum fan_end);

// A viewer that is not ready has just come, or its socket has room again: sends what there is for it, or, if
// that is much, lets it wait for its turn (channels_send_behind). May close it.
void viewer_continue(struct viewer *, int64_t now_ms);

// Sends a slow viewer what it accepts, and at most a portion of its backlog; it is ready again when there is
// no more. May close it.
void viewer_drain(struct viewer *, int64_t now_ms);

// A ready viewer has accepted only `taken` bytes of the frames from `from` on, and of the moments behind
// them if it asks for all of those: it lags.
void viewer_lag_behind(struct viewer *, uint64_t from, size_t taken, int64_t now_ms);

// A ready viewer has accepted only a part of a heartbeat (borrowed): queues the rest. If it has accepted
// nothing, there are bytes on their way already, and it needs none.
void viewer_queue_rest(struct viewer *, struct frame *, size_t taken, int64_t now_ms);

// Sends it a frame (borrowed) that the channel's other viewers are not sent, after all that has been
// published so far. One that has fallen off the ring, or has as many frames to be sent as a ring may hold, is
// sent a gap instead. May close it.
void viewer_send_own(struct viewer *, struct frame *, int64_t now_ms);

// Sends a ready viewer that asks for any of these kinds their latest values, as soon as it accepts them.
void viewer_offer_moments(struct viewer *, uint8_t kinds, int64_t now_ms);

// The stream is over: sends a ready viewer the end, as soon as it accepts it, and closes it.
void viewer_finish(struct viewer *, int64_t now_ms);

// Another reader is to have it: after what is begun, and its head, it is sent this event (borrowed) and
// nothing else, and is closed. May close it.
void viewer_move(struct viewer *, struct frame *, int64_t now_ms);

// Returns how many frames, from the one that a slow viewer is at, are partly sent: nothing may come before
// their end.
uint32_t viewer_frames_begun(const struct viewer *);

// Makes what a slow viewer has been partly sent of the ring its own, so that it may be dropped or replaced
// there. Its cursor is then at the first frame that is not begun.
void viewer_keep_begun(struct viewer *);

// The frame a slow viewer is at is about to leave the ring: it will get a gap.
void viewer_fall_off_ring(struct viewer *);

// Drops a blocked viewer's backlog, except for a partly sent frame: it will get a gap.
void viewer_drop_backlog(struct viewer *);
