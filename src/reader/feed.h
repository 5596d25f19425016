// A video's entries as they come, in log order, without holes or repeats: subscribes, finds out where the log
// stands, and fills from the log whatever the subscription missed. Control loop only.
#pragma once

#include <stdbool.h>

#include "engine/engine.h"

struct feed;
struct frame;
struct loop;

struct feed_listener {
    // The feed knows where the log stands: said once.
    void (*on_live)(void *arg);
    // The next event to show, an entry or a gap; the frame is the listener's. feed_position() is where it
    // leads.
    void (*on_frame)(void *arg, struct frame *);
    void *arg;
};

struct feed *feed_open(struct loop *, struct engine *, const char *video, const struct feed_listener *);

// No callback follows.
void feed_close(struct feed *);

bool feed_is_live(const struct feed *);
struct position feed_position(const struct feed *);

// Looks whether the log is ahead of the feed: somebody has seen an entry that has not come here.
void feed_check(struct feed *);
