// Viewers on their way to a stream: from GET /connect until a worker holds the socket, or they are sent
// elsewhere. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/position.h"

struct http_exchange;
struct reader;

// Somebody wants to watch. `last` not set: from now on. Ends the request, possibly before it returns.
struct connect_params {
    const char *userid, *videoid; // checked ids
    struct position last;
    uint8_t asks;   // kinds of moments (moments.h)
    bool redirect;  // false: serve it here, whoever owns the video
    bool head_only; // HEAD: only say what would be answered
};
void reader_connect(struct reader *, struct http_exchange *, const struct connect_params *);

// Now and then: tells in the log how many viewers were refused since the last line about one.
void connect_log_shed(struct reader *, int64_t now_ms);
