// Parses what arrives on a viewer's connection: the response head, then events. There are millions of these,
// mostly idle, so they have memory only for what is incomplete: llhttp while it parses the head (and
// afterwards only if the body is framed, by chunks or a length), and the state of an event of which a part
// has arrived. One thread.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "scan.h"

struct intake {
    llhttp_t *http;    // NULL: the rest of the connection is the body
    struct scan *scan; // NULL: between events
};

struct intake_calls {
    void (*on_stream)(void *arg); // the response is a stream (status 200)
    scan_cb *on_event;
};

// Starts with a response head.
void intake_begin(struct intake *);

// Parses bytes and calls back. Returns false if the response is not a stream, the stream has ended, or it is
// malformed: release it then.
bool intake_feed(struct intake *, const char *bytes, size_t len, const struct intake_calls *, void *arg);

// Returns the status of the response that intake_feed() rejected; 0 if it has not arrived.
int intake_status(const struct intake *);
void intake_release(struct intake *);
