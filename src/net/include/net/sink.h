// Where the bytes of one event stream go: what an HTTP exchange hands to the fan-out when a stream begins, by
// value. Plain TCP is a descriptor and nothing else; the fan-out writes to it directly. Any other transport
// (TLS records, HTTP/2 frames) is a table of operations and a state of its own.
//
// Belongs to one thread at a time: first to the one that made it; from attach() on to the worker that holds
// the viewer. A sink sees bytes, not events: the fan-out lays events out in the sink's framing and shows them
// from the first byte that the sink has not taken yet.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct loop;
struct sink_ops;

// How a stream's events are laid out before a sink gets them.
enum sink_framing {
    SINK_RAW,    // as they are: HTTP/1.0, where the stream ends with the connection; protocols with frames of
                 // their own
    SINK_CHUNKED // a chunk for each event (RFC 9112, 7.1), and a last chunk only at the stream's end
};

enum { SINK_ANY_WORKER = -1 };

struct sink {
    int fd; // plain TCP: the socket. Others: a socket whose events on_socket() wants, or -1: the sink watches
            // for itself.
    enum sink_framing framing;
    int worker;                 // the worker (by number) that its connection lives on, or SINK_ANY_WORKER
    const struct sink_ops *ops; // NULL: plain TCP
    void *state;                // of the ops
};

// What a sink reports, in any combination.
enum sink_event {
    SINK_WRITABLE = 1, // it takes bytes again: write() had taken less than it was shown
    SINK_FIN = 2,      // the peer has ended its side; it may go on reading
    SINK_GONE = 4      // the peer cannot be reached any more: close it
};

// Receives the events of a sink for which no descriptor is watched. Embedded in the viewer.
struct sink_owner {
    void (*on_sink)(struct sink_owner *, unsigned events); // may close the sink before it returns
};

enum sink_end {
    SINK_CUT,      // without an end of the stream: the client is to come back
    SINK_COMPLETE, // after the stream's end: all bytes have been taken, in SINK_CHUNKED the last chunk among
                   // them
    SINK_RESET     // at once, with all that is still on its way: the client does not read
};

// All operations run on the worker's thread, never block, and get the sink's descriptor as that thread knows
// it (-1: none), so that a state need not know it.
struct sink_ops {
    size_t state_bytes; // what a state costs in memory while its stream sleeps; counts in the budget

    // Begins. The owner outlives the sink. Returns 0, or a negative errno: then close() follows.
    int (*attach)(void *state, int fd, struct loop *, struct sink_owner *);

    // Sends of the bytes shown what there is room for. Returns how many it has taken, which will not be shown
    // again; fewer than all (0, too) means that it is blocked, and that SINK_WRITABLE will be reported. A
    // negative errno: the stream is broken (-ETIMEDOUT: the peer has acknowledged nothing for too long).
    // Borders between the pieces mean nothing.
    ssize_t (*write)(void *state, int fd, const struct iovec *pieces, size_t count);

    // Returns how many bytes, from the first that has not been taken, the sink has begun to send without
    // having taken them: a sealed record of which only a part has gone out. The fan-out keeps them and shows
    // the same bytes first in the next write(), whatever else has become urgent, and never fewer. So the sink
    // keeps no copy: it seals the same plaintext again, under the same number, and sends the rest.
    size_t (*pinned)(const void *state);

    // The watched descriptor has events (EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLERR, EPOLLHUP; edge-triggered).
    // Reads and answers what is the transport's own (a KeyUpdate, a WINDOW_UPDATE, a PING). Returns what the
    // fan-out should know, SINK_... or 0. What is blocked by something else than the socket (a window, a
    // credit) reports SINK_WRITABLE here, or to its owner, when the peer has lifted it.
    unsigned (*on_socket)(void *state, int fd, uint32_t events);

    // Ends the sink: takes fd, which is no longer watched, and frees the state, later if it is the caller of
    // on_sink(). Sends what belongs to such an end (END_STREAM or RST_STREAM, close_notify) as far as there
    // is room. Also for a sink that was never attached; then on any thread.
    void (*close)(void *state, int fd, enum sink_end);
};

// Returns a sink for plain TCP. Takes fd.
struct sink sink_from_socket(int fd, enum sink_framing);

// Ends a sink of any kind.
void sink_close(const struct sink *, enum sink_end);
