// A video's entries in log order, without holes or repeats: subscribes, finds the log's position, and reads
// from the log whatever the subscription missed. Control loop only.
//
// Only the next entry passes through. An entry with a higher number makes the feed read the log; one with a
// number already passed makes it compare positions with the store. So a store that has lost entries, or has
// gone back, is never mistaken for a quiet one.
//
// A failed query is repeated after 250 ms, growing to 10 s. If the store fails, and not only this query, one
// feed at a time probes it on behalf of all.
//
// Embedded in its owner, and small, because most videos are quiet: the state of reading the log (catch_up)
// exists only while the log is read.
#pragma once

#include <stdbool.h>

#include "base/log.h"
#include "engine/engine.h"
#include "net/loop.h"

struct catch_up;
struct feed;
struct frame;

// What the feeds of a reader share. It outlives them, and their queries to the engine.
struct feed_env {
    struct loop *loop;
    struct engine *engine;
    const char *instance_id; // for log lines
    unsigned most_asking;    // limit of queries at a time: after an interruption all feeds need one
    // The feed has found the log's position. Called once.
    void (*on_live)(struct feed *);
    // The next event, an entry or a gap; the callee owns the frame. feed_position() is still the position in
    // front of it.
    void (*on_frame)(struct feed *, struct frame *);
    // The video has ended, after the event that says so, or goes on, before it. feed_is_over() says which.
    void (*on_over)(struct feed *);
    // The store has confirmed that it has ended: feed_was_over() may be true for more.
    void (*on_still_over)(struct feed *);
    // Private:
    unsigned asking;          // queries that the engine has not answered
    struct catch_up *in_line; // waiting for one of them to be answered
    struct catch_up *probe;   // asks a failing store on behalf of all; may be NULL
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
    const struct position *held; // not NULL: on_frame() holds an entry back, and this is the position before
                                 // it, borrowed; set and cleared by the owner
    struct position passed;      // the highest that it has left for another epoch; not set: none
    uint64_t overlap; // entries of this epoch after this number, up to `at`, were read and may still arrive
    struct catch_up *catch_up; // NULL: it follows the subscription
    int64_t over_ms;           // not 0: the video has ended, as the store was asked at that time
};

// `video` is borrowed until feed_close().
void feed_open(struct feed *, struct feed_env *, const char *video);

// No callback follows.
void feed_close(struct feed *);

bool feed_is_live(const struct feed *);

// Whether the video has ended: then only a start goes on with it. feed_was_over(): whether the store, asked
// at `since_ms` or later, has said so; what has arrived may be late.
bool feed_is_over(const struct feed *);
bool feed_was_over(const struct feed *, int64_t since_ms);

// Returns why the last query failed; ENGINE_OK: it did not, or none has been answered.
enum engine_status feed_failure(const struct feed *);

// Returns the position up to which entries have been passed on, without one that is held back.
struct position feed_position(const struct feed *);

// Returns whether the position is in an epoch between the feed's and the one that it left for that: an entry
// there was appended after the store had lost the feed's epoch.
bool feed_has_left_out(const struct feed *, struct position);

// Checks whether the log is ahead of the feed: a viewer has seen an entry that the feed has not.
void feed_check(struct feed *);
