// Fan-out over worker threads, shared by the readers of a process: the control loop publishes a frame once
// per video, workers send it to the viewers they hold.
//
// All functions belong to the control loop. Everything goes through an inbox per worker, in order: a viewer
// added after a publish does not get that frame, one added before it does.
//
// A video starts on one worker, the one with the fewest viewers at that moment, so that publishing wakes only
// that one; for every FAN_SPREAD viewers it gets one more, up to `workers`. With own descriptors a worker is
// full when its table is; then more workers are started.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fanout/report.h"

struct fan_video;
struct fanout;
struct frame;
struct ledger;
struct loop;
struct loop_lag;
struct pending;
struct sink;

enum { FAN_SPREAD = 64, FAN_WORKERS_MAX = 1024 };

// Limits of what a video's viewers on one worker hold, the same for all videos.
struct fan_bounds {
    uint32_t ring_frames;
    uint32_t ring_bytes;
    int heartbeat_ms, stall_ms;
    int64_t coalesce_us; // between the beginnings of two flushes, at most
};

struct fanout_config {
    unsigned workers;
    bool own_descriptors; // a descriptor table for each worker (fd_table.h)
    struct fan_bounds bounds;
};

// Starts the threads. Returns NULL and sets *error (a negative errno) if the kernel refuses a thread, a
// descriptor or a table.
struct fanout *fanout_new(struct loop *control, const struct fanout_config *, int *error);

// Ends the threads, and runs the control loop's pending jobs (loop_drain): theirs, and those of others. All
// videos have been freed; no callback follows.
void fanout_free(struct fanout *);

// A video of one reader. on_left(): some of its viewers have gone; how many are left, fan_video_viewers()
// returns. Takes a reference to the ledger, whose counters outlive the fanout, or their last channel
// (`channels` is 0). Borrows the name, for reports.
struct fan_video *fan_video_new(struct fanout *, struct ledger *, const char *name,
                                void (*on_left)(void *arg), void *arg);

// Returns another list of viewers of the same video, with the same ledger, on_left() and name, and the events
// of the moment that there are.
struct fan_video *fan_video_beside(const struct fan_video *);

// Cuts its viewers' streams and frees it; no on_left() follows. FAN_END_KILLED: as if the process had died,
// the viewers see a reset.
void fan_video_free(struct fan_video *, enum fan_end);

// Among the bits of `asks`: would only come back here if it were told to leave for another reader.
enum { FAN_STAYS = 1 << 5 };

// Adds a viewer: takes its sink and the pending frames. `asks` are the kinds of moments that it asked for, as
// bits, and FAN_STAYS. Returns false, without taking either, if no worker has room and none can be started.
bool fan_video_add(struct fan_video *, const struct sink *, uint8_t asks, struct pending *);

// The video is over: each viewer, also one that is added later, is sent what has been published, then the end
// of its stream, and is closed; on_left() follows. Nothing may be published any more. Any other way in which
// a viewer is closed, but that its time is over, leaves the end out, so that the client comes back.
void fan_video_end(struct fan_video *);

// The video goes on: those that have not got its end yet are closed as by fan_video_free().
void fan_video_begin_again(struct fan_video *, enum fan_end);

// Sends a frame (reference taken) to all viewers.
void fan_video_publish(struct fan_video *, struct frame *);

// Leaves a comment (reference taken) out for all viewers but those of its author: `user` is the hash that
// their sinks have, 0: none has it, `more` how many just before it were left out, too.
void fan_video_skip(struct fan_video *, struct frame *, uint32_t user, uint32_t more);

// Sets the latest event of the moment of one kind (a bit); takes the frame, which has no position. Only
// viewers that ask for the kind are sent it, only the latest, and each as soon as it has caught up: nothing
// is queued. Viewers that are added later are sent it after their pending frames.
void fan_video_publish_moment(struct fan_video *, uint8_t kind, struct frame *);

// Another reader is to have `count` of its viewers, those that are up to date first: they are closed as by
// FAN_END_MOVED, those that asked for this kind of moment (a bit) after they have been sent the event (taken;
// NULL: none is sent it), others after a short time to reconnect. They leave as any others do: on_left()
// follows. With FAN_STAYS beside the kind those with that bit are left out.
void fan_video_move(struct fan_video *, unsigned count, uint8_t kind, struct frame *);

// Changes the bounds, from a worker's next turn on.
void fanout_set_bounds(struct fanout *, const struct fan_bounds *);

// Tells all viewers after what time to reconnect, each another one (event_stream_draw_retry()): with the
// next heartbeat, or, where comments put that off, after one of them.
void fanout_set_retry(struct fanout *, uint32_t crowd_ms);

// Frees memory: the workers drop the backlog of viewers that have accepted no data for a second. Takes effect
// asynchronously; calls within 100 ms of the last one do nothing.
void fanout_relieve(struct fanout *);

// Frees places, descriptors and memory: each worker closes the viewers that have accepted no data for
// longest, five seconds at least, a few of them. Never one that reads. Like fanout_relieve() asynchronous,
// and rare.
void fanout_evict(struct fanout *);

// Returns the turns of all workers together; the longest is that of any.
struct loop_lag fanout_lag(const struct fanout *);

unsigned fanout_workers(const struct fanout *);

// Whether viewers' descriptors are in the process's own table, and how many viewers there are.
bool fanout_shares_descriptors(const struct fanout *);
unsigned fanout_viewers(const struct fanout *);

// Viewers are counted here and nowhere else: those of a video by this, those of a reader in its counters.
unsigned fan_video_viewers(const struct fan_video *);
