// One HTTP/1.1 request and its response, which may be an event stream without an end, over a connection of
// its own or one that has been used before. Strict: what llhttp refuses ends the call. Loop thread only.
//
// Not http/client.h, because what is tested should not be read by itself, and for control over the pace of
// reading.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "net/loop.h"
#include "net/stream.h"

enum http_call_end {
    HTTP_CALL_DONE,     // the response is complete
    HTTP_CALL_FAILED,   // there was no connection
    HTTP_CALL_CUT,      // it has ended before the response was complete
    HTTP_CALL_MALFORMED // `why`
};

struct http_call;
struct http_call_ops {
    // The head of the response is there: `status` and `location`. Returns whether to read the body.
    bool (*on_head)(struct http_call *);
    void (*on_body)(struct http_call *, const char *bytes, size_t len);
    void (*on_end)(struct http_call *, enum http_call_end); // last; may start another call
};

// Embedded in its owner.
struct http_call {
    const struct http_call_ops *ops;
    struct stream stream;
    llhttp_t parser;
    struct buf out, field, location;
    size_t sent, room; // how many bytes may still be read; SIZE_MAX: any number
    unsigned status;
    bool busy, in_location, keep, complete, refused;
    const char *why; // static
    char origin[64]; // of the connection, if it is kept
};

void http_call_init(struct http_call *, const struct http_call_ops *, struct loop *);
void http_call_release(struct http_call *);

// Sends a request: http://ADDRESS:PORT/PATH, header lines with their ends, and a body that may be NULL.
// Returns 0, or a negative errno, and then no callback follows.
int http_call_start(struct http_call *, const char *method, const char *url, const char *headers,
                    const char *body);

// Reads on, this many bytes more from now on.
void http_call_allow(struct http_call *, size_t bytes);

// Ends the call; no callback follows. `reset`: the peer sees a reset.
void http_call_close(struct http_call *, bool reset);
