// The one place that writes to a viewer. In a header, so that a delivery takes one call: of sock_writev().
#pragma once

#include "channel.h"
#include "viewer.h"
#include "net/sock.h"

// Closes the viewer unless its socket is only full. Returns 0.
size_t viewer_send_failed(struct viewer *, int error);

// Sends. Returns the bytes taken, 0 if the socket is full; on an error the viewer is closed.
static inline size_t viewer_send(struct viewer *v, const struct iovec *iov, size_t count) {
    ssize_t n = sock_writev(v->watch.fd, iov, count);
    v->channel->tally.sends++;
    return n >= 0 ? (size_t)n : viewer_send_failed(v, (int)n);
}
