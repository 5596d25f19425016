// Connect requests: from GET /connect until a worker has the viewer's socket, or the viewer is redirected or
// refused. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/position.h"

struct http_exchange;
struct reader;
struct reader_front;

struct connect_params {
    const char *userid, *videoid; // valid ids
    struct position last;         // position that the viewer has seen; not set: it starts live
    uint32_t history;             // comments to be shown first, if `last` is not set: HISTORY_MAX at most
    uint32_t heartbeat_s;         // how often the viewer expects one; 0: it does not say
    int64_t until_s;              // wall time at which the stream ends; 0: not by itself
    uint8_t asks;                 // kinds of moments (moments.h)
    uint64_t nonce;               // of its ticket, which this stream spends; 0: none
    bool sends_token;             // in Authorization, which a client can send elsewhere too
    bool whole;                   // it is not to be spared any comment
    bool redirect;                // false: serve it here, whichever reader owns the video
    bool head_only;               // HEAD: reply only what GET would be answered
};

// Ends the exchange, possibly before it returns.
void reader_connect(struct reader *, struct http_exchange *, const struct connect_params *);

// The same at an address that several readers share (reader/reader_front.h): `redirect` has no meaning there.
void reader_front_connect(const struct reader_front *, struct http_exchange *, const struct connect_params *);

// To be called now and then: logs how many viewers were refused since the last line about it.
void connect_log_shed(struct reader *, int64_t now_ms);

// To be called once there are no viewers and no requests yet: counts the descriptors that the process has.
void connect_count_descriptors(void);
