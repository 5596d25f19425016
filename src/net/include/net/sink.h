// Where the bytes of one event stream go: an HTTP exchange passes a sink, by value, to the fan-out when a
// stream begins. Plain TCP is just a descriptor, which the fan-out writes to directly. Any other transport
// (TLS records, HTTP/2 frames) has a table of operations and a state.
//
// A sink belongs to one thread at a time: first to the one that made it; from attach() on to the worker that
// has the viewer. It sees bytes, not events: the fan-out frames the events as the sink demands and offers the
// bytes from the first one that the sink has not accepted yet.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct loop;
struct sink_ops;

// How events are framed before they are written to a sink.
enum sink_framing {
    SINK_RAW,    // not at all: HTTP/1.0, where the stream ends with the connection, and protocols that have
                 // their own frames
    SINK_CHUNKED // one chunk per event (RFC 9112, 7.1), and the last chunk only when the stream is complete
};

enum { SINK_ANY_WORKER = -1 };

struct sink {
    int fd; // plain TCP: the socket. Others: a socket to watch for on_socket(), or -1 if the sink watches for
            // itself.
    enum sink_framing framing;
    int worker;       // number of the worker that runs its connection, or SINK_ANY_WORKER
    uint32_t address; // whose stream it is (net/address_limits.h); 0: not counted
    uint32_t user;    // a hash of the viewer's user id; 0: none
    int64_t ends_ms;  // when the fan-out ends the stream, in order, by the loop's clock; 0: not by itself
    const struct sink_ops *ops; // NULL: plain TCP
    void *state;                // of the ops
};

// The events that a sink reports, in any combination.
enum sink_event {
    SINK_WRITABLE = 1, // it accepts bytes again, after a write() that accepted fewer than offered
    SINK_FIN = 2,      // the peer has closed its direction; it may still be reading
    SINK_GONE = 4      // the connection is dead: close the sink
};

// Receives the events of a sink that has no descriptor to watch. Embedded in the viewer.
//
// A sink calls on_sink() from an event or a job of the worker's loop, never from inside an operation: not of
// its own, as the fan-out is in the middle of its viewer then, and not of another sink, as that may be one of
// the same video. What an operation finds out about the other streams of a connection (it is broken, it has
// room again) is reported in a job (loop_defer()).
struct sink_owner {
    void (*on_sink)(struct sink_owner *, unsigned events); // may close the sink before it returns
};

enum sink_end {
    SINK_CUT,      // without ending the stream, so that the client reconnects
    SINK_COMPLETE, // after the stream's end: all bytes have been accepted, the last chunk (SINK_CHUNKED) too
    SINK_RESET     // immediately, discarding unsent data: the client does not read
};

// All operations but placed() run on the worker's thread and never block. They get the sink's descriptor as
// numbered in that thread's table (-1: none), so that a state need not store it.
struct sink_ops {
    size_t state_bytes; // memory of one state while its stream is idle; counts against the budget

    // The fan-out has chosen a worker for a sink that had SINK_ANY_WORKER: the connection's next streams must
    // name it. Called on the control loop, by the function that takes the sink, before the worker gets it.
    // NULL: the connection has only one stream.
    void (*placed)(void *state, int worker);

    // Starts the sink on the worker. The owner outlives the sink. Returns 0 or a negative errno; close() is
    // called after an error too.
    int (*attach)(void *state, int fd, struct loop *, struct sink_owner *);

    // Sends as many of the bytes as there is room for. Returns how many it has accepted, which are not
    // offered again; fewer than all (including 0) means that it is blocked and will report SINK_WRITABLE.
    // Returns a negative errno if the stream is broken (-ETIMEDOUT: the peer has acknowledged nothing for too
    // long). The boundaries between the pieces have no meaning.
    ssize_t (*write)(void *state, int fd, const struct iovec *pieces, size_t count);

    // Returns how many bytes, starting with the first one not accepted, the sink has begun to send: those of
    // an encrypted record that is only partly sent. The fan-out keeps them and offers the same bytes first in
    // the next write(), whatever else has become urgent, and never fewer. So the sink needs no copy: it
    // encrypts the same plaintext again, under the same record number, and sends the rest.
    size_t (*pinned)(const void *state);

    // The watched descriptor has events (EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP; edge-triggered).
    // Reads and answers the transport's own messages (a KeyUpdate, a WINDOW_UPDATE, a PING). Returns the
    // events for the fan-out (SINK_...), or 0. A sink that is blocked by something other than the socket (a
    // window, a credit) reports SINK_WRITABLE here, or to its owner, once the peer lifts that.
    unsigned (*on_socket)(void *state, int fd, uint32_t events);

    // Ends the sink: closes fd, which is no longer watched, and frees the state (later, if called from inside
    // on_sink()). Sends what such an end requires (END_STREAM or RST_STREAM, close_notify) as far as there is
    // room. Also called for a sink that was never attached, and then on any thread.
    void (*close)(void *state, int fd, enum sink_end);
};

// Returns a sink for plain TCP, which owns fd.
struct sink sink_from_socket(int fd, enum sink_framing);

// Ends a sink of any kind.
void sink_close(const struct sink *, enum sink_end);
