// The one place that writes to a viewer. In a header, so that a delivery takes one call, that of
// sock_writev().
#pragma once

#include "channel_core.h"
#include "net/sock.h"
#include "viewer_state.h"

// Closes the viewer unless its socket is only full. Returns 0.
size_t viewer_send_failed(struct viewer *, int error);

// Sends. Returns the bytes taken, 0 if it is blocked; on an error the viewer is closed.
static inline size_t viewer_send(struct viewer *v, const struct iovec *iov, size_t count) {
    const struct viewer_transport *t = v->transport;
    ssize_t n = v->is_socket ? sock_writev(v->watch.fd, iov, count)
                             : t->ops->write(t->state, v->watch.fd, iov, count);
    v->channel->sends++;
    return n >= 0 ? (size_t)n : viewer_send_failed(v, (int)n);
}
