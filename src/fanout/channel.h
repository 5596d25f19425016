// One video's viewers on one worker. A viewer that is up to date gets each new frame with one send; a slow
// viewer has a cursor into a bounded ring; one that falls off the ring gets a `gap` and continues with the
// newest; one that accepts no data for stall_ms is closed. Belongs to the worker's thread.
//
// Publishing only adds to the ring. Flushing goes in slices, so that a video with many viewers does not keep
// the worker from the others: channel_flush_some() sends one run of frames to some of the viewers that are
// ready, and continues with it when it is called again.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/sink.h"
#include "channel_core.h"
#include "viewer.h"

struct pending;

void channel_init(struct channel *, struct channel_env *, struct ledger *, void *owner);

// Closes the streams of viewers that are left, which end like this.
void channel_release(struct channel *, enum fan_end);

// Adds a viewer that will get `pending`, then what is published from now on, and the latest of the kinds of
// moments that it `asks` for. Takes sink and pending. If the sink cannot be watched, the viewer counts as
// refused, and as gone.
void channel_add(struct channel *, const struct sink *, uint8_t asks, struct pending *, int64_t now_ms);
void channel_refuse(struct channel *);

// Returns how many viewers have gone since the last call.
uint32_t channel_report_left(struct channel *);

// Adds a frame, whose reference is taken; a flush sends it.
void channel_publish(struct channel *, struct frame *);

// Leaves a comment, whose reference is taken, out for all viewers but those with this hash of a user (0:
// none), which are sent it after all that has been published, and that `more` before it were left out.
void channel_skip(struct channel *, struct frame *, uint32_t user, uint32_t more, int64_t now_ms);

// Sets the latest moment of a kind (one bit); takes the frame. A flush brings it to viewers that are up to
// date and ask for it, with the frames that there are; others get the latest there is when they have caught
// up.
void channel_publish_moment(struct channel *, uint8_t kind, struct frame *);

// Nothing more will be published: viewers that have been sent everything get the stream's end, and are
// closed.
void channel_end(struct channel *);

// Another reader is to have `count` of its viewers: those that are up to date first. Those that asked for
// this kind of moment are sent the event, which is taken, or NULL, others that are up to date a short time to
// reconnect after; all are closed. With FAN_STAYS beside the kind those with that bit are left out.
void channel_move(struct channel *, uint32_t count, uint8_t kind, struct frame *, int64_t now_ms);

// Whether a flush would have something to do, and when it may begin or continue.
bool channel_is_dirty(const struct channel *);
int64_t channel_flush_due_us(const struct channel *); // 0, immediately: where memory is used up

enum flush_outcome { FLUSH_UNFINISHED, FLUSH_FINISHED };

// Continues with the run of frames that is being sent, or begins one with everything new that fits; at most
// `sends` sends. When the run is finished, the pace determines when the next may begin.
enum flush_outcome channel_flush_some(struct channel *, int64_t now_ms, uint32_t sends);

// Sends everything new to all viewers that are ready, in one call.
void channel_flush(struct channel *, int64_t now_ms);

// Sets the next heartbeat: after the interval, or up to an eighth early, each channel at another time.
void channel_put_off_heartbeat(struct channel *, int64_t now_ms);

// Begins heartbeats, which a flush sends, and drops frames that are no longer needed. To be called at least
// once a second.
void channel_sweep(struct channel *, int64_t now_ms);

// Sends a portion to each of the first `most` viewers of the environment's channels that are behind and
// accept data. Returns how many there were.
unsigned channels_send_behind(struct channel_env *, int64_t now_ms, unsigned most);

// Closes at most `most` viewers of the environment's channels that have accepted no data for stall_ms; not
// all in one call, as the kernel takes long to free their buffers. Returns how many.
unsigned channels_close_stalled(struct channel_env *, int64_t now_ms, unsigned most);

// Frees places: closes at most `most` of those that have accepted no data for five seconds, though there is
// some for them, the longest first. Returns how many.
unsigned channels_evict(struct channel_env *, int64_t now_ms, unsigned most);

// Frees memory: drops the backlog of at most `most` viewers that have accepted no data for a second. They
// will get a gap. Returns how many.
unsigned channels_relieve(struct channel_env *, int64_t now_ms, unsigned most);
