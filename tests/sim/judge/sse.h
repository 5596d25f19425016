// Reads an event stream as a browser does (WHATWG HTML, 9.2.6), in pieces of any size. Apart from the one of
// production (clients/event_parser.h), so that both cannot be wrong in the same way.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct sse_event {
    const char *id, *type, *data; // NUL-terminated; id and type "" if there is none
    size_t data_len;
};

// Zero-initialise.
struct sse {
    struct buf line, data;
    char id[48], type[32];
    int retry_ms; // 0: none has come
};

// Takes bytes; calls back for each event that is complete. Stops and returns false if the callback does.
bool sse_feed(struct sse *, const char *bytes, size_t len,
              bool (*on_event)(void *arg, const struct sse_event *), void *arg);

// Begins with a new stream. Keeps the retry time.
void sse_reset(struct sse *);
