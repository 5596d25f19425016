// Posts comments without waiting for responses (an open loop: a slow server does not reduce the load): at a
// fixed rate for each viewer in turn, with the time in each, or as people talk. Control loop only.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "client_viewer.h"
#include "base/position.h"
#include "net/loop.h"

struct http_client;
struct stamps;
struct talk;
struct tally;

struct poster {
    struct loop *loop;
    struct http_client *client;
    const char *url;           // of POST /comment
    const char *authorization; // value of that header; NULL: none
    struct client_viewer *viewers;
    size_t viewer_count;
    struct position *newest; // by video number: the newest comment answered 201
    struct stamps *stamps;
    struct tally *tally;
    int64_t period_ns; // from one comment to the next
    struct talk *talk; // NULL: at that rate, with stamps
    // A request begins (+1) or completes (-1); while any is pending, nothing here may be freed.
    void (*on_calls)(struct poster *, int change);

    struct log_sampler sampler;
    struct loop_timer timer; // zero-initialise the rest
    int64_t start_us, turn;
    size_t unanswered;
};

void poster_start(struct poster *);
void poster_stop(struct poster *); // even if it was never started
