// What comes in on a viewer's connection: the answer's head, then events. There are millions of these, mostly
// at rest, so what they hold is what is begun: llhttp while it reads the head (for ever only if the body is
// framed: chunks, a length), and the scan of an event while there is half of one. One thread.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "scan.h"

struct intake {
    llhttp_t *http;    // NULL: what comes is the body as it is
    struct scan *scan; // NULL: at rest
};

struct intake_calls {
    void (*on_stream)(void *arg); // the head is that of a stream (status 200)
    scan_cb *on_event;
};

// Expects a head next.
void intake_begin(struct intake *);

// Takes bytes and calls back. Returns false if there is no stream, it has ended, or it makes no sense:
// release it then.
bool intake_feed(struct intake *, const char *bytes, size_t len, const struct intake_calls *, void *arg);

// Returns the status of the answer that intake_feed() would not have; 0 if it has not come.
int intake_status(const struct intake *);
void intake_release(struct intake *);
