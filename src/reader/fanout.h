// Fan-out over N worker threads, shared by the readers of a process: the control loop publishes a frame once
// per video, workers send it to the viewers they hold.
//
// All functions belong to the control loop. Everything goes through an inbox per worker, in order: a viewer
// added after a publish does not get that frame, one added before it does. A video's first FAN_SPREAD viewers
// share one worker, so that a quiet video wakes only that; beyond, viewers go where the video has fewest.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "reader/channel.h"
#include "reader/counters.h"

struct fanout;
struct fan_video;

enum { FAN_SPREAD = 64, FAN_COALESCE_MAX_MS = 250 };

struct fanout_config {
    unsigned workers;
    struct channel_bounds bounds;
};

// Starts the threads. Returns NULL and sets *error if the kernel refuses a thread or descriptor.
struct fanout *fanout_new(struct loop *control, const struct fanout_config *, int *error);

// Closes all viewers, ends the threads. No callback follows.
void fanout_free(struct fanout *);

// A video of one reader. on_left(arg, n): n viewers have gone. The counters outlive the fanout.
struct fan_video *fan_video_new(struct fanout *, const char *video, struct fan_counters *,
                                void (*on_left)(void *arg, unsigned n), void *arg);

// Closes its viewers and frees it; no callback follows.
void fan_video_free(struct fan_video *);

// Hands a viewer over: takes fd and the pending frames.
void fan_video_add(struct fan_video *, int fd, struct pending *);

// Sends a frame (reference taken) to all viewers.
void fan_video_publish(struct fan_video *, struct frame *);

unsigned fan_video_viewers(const struct fan_video *);
