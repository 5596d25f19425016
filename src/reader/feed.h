// A video's entries as they come, in log order, without holes or repeats: subscribes, finds out where the log
// stands, and fills from the log whatever the subscription missed. Control loop only.
//
// Only the next entry passes through. One with a higher number makes the feed read the log; one with a number
// already passed makes it compare positions with the store. So a store that has lost entries, or has gone
// back, is never mistaken for a quiet one.
//
// A failed query is repeated after 250 ms, growing to 10 s. If the store fails, and not only this video, one
// feed at a time asks on behalf of all.
//
// Embedded in its owner, and small: most videos are quiet. What it takes to ask the log is there only while
// it is asked.
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "engine/engine.h"
#include "net/loop.h"

struct catch_up;
struct feed;
struct frame;

// What all feeds of a reader have in common. It outlives them, and what they have asked the engine.
struct feed_env {
    struct loop *loop;
    struct engine *engine;
    const char *instance_id; // for log lines
    unsigned most_asking;    // so many ask the log at a time: after an interruption they all want to at once
    // The feed knows where the log stands: said once.
    void (*on_live)(struct feed *);
    // The next event to show, an entry or a gap; the frame is the listener's. feed_position() is still where
    // those stand who have not seen it.
    void (*on_frame)(struct feed *, struct frame *);
    // The feeds' own:
    unsigned asking;
    struct catch_up *in_line; // those whose turn comes
    struct catch_up *probe;   // asks the store that fails on behalf of all; may be NULL
    int pause_ms;             // not 0: the store fails, and the next query is sent when `resume` is due
    int64_t hopeful_ms;       // when a pause was last cut short
    struct loop_timer resume;
    struct log_sampler sampler;
};

struct feed {
    struct feed_env *env;
    const char *video; // borrowed
    struct engine_subscription *subscription;
    struct position at;
    uint64_t
        overlap; // entries of this epoch after this number, up to `at`, have been read and may still arrive
    struct catch_up *catch_up; // NULL: it follows the subscription
};

// `video` is borrowed until feed_close().
void feed_open(struct feed *, struct feed_env *, const char *video);

// No callback follows.
void feed_close(struct feed *);

bool feed_is_live(const struct feed *);

// Returns why the last query failed; ENGINE_OK: it did not, or none has been answered.
enum engine_status feed_failure(const struct feed *);
struct position feed_position(const struct feed *);

// Looks whether the log is ahead of the feed: somebody has seen an entry that has not come here.
void feed_check(struct feed *);
