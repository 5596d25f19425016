// Posts comments at a fixed pace, each viewer in its turn, without waiting for answers (an open loop: a slow
// server does not slow the load). Control loop only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "viewer.h"
#include "base/position.h"
#include "net/loop.h"

struct http_client;
struct stamps;
struct tally;

struct poster {
    struct loop *loop;
    struct http_client *client;
    const char *url; // of POST /comment
    struct viewer *viewers;
    size_t viewer_count;
    struct position *newest; // of each video, by its number: the last one answered 201
    struct stamps *stamps;
    struct tally *tally;
    int64_t period_ns; // from one comment to the next
    // A post begins (+1) or is over (-1): until then nothing here can be freed.
    void (*on_calls)(struct poster *, int change);

    struct log_sampler sampler;
    struct loop_timer timer; // zero-initialise the rest
    int64_t start_us, turn;
    size_t under_way;
};

void poster_start(struct poster *);
void poster_stop(struct poster *); // also if it was never started
