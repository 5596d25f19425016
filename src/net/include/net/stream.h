// The bytes of one connection in both directions, whatever carries them: plain TCP now, TLS later. Embedded
// in its connection; all but the viewers of the fan-out, which write to sinks, use one. Loop thread only.
//
// The socket is watched once, edge-triggered, so that no request costs a change of what is watched; what the
// transport wants of its socket (TLS may have to write in order to read) is its own business. Once the stream
// is open, its owner goes by four flags, which only the stream changes:
//
// readable: stream_read() may return something. Set until a read has found nothing more, and not reported
// again until then, whether the bytes are in the kernel or in the stream (decrypted, say). So an owner reads
// until it is clear, or stops and comes back of its own accord, or calls stream_ready_again().
//
// writable: stream_writev() may take something. Clear after it has taken less than it was given, and while
// the stream itself holds some of what it took: so one that is writable may be closed without loss.
//
// fin: the peer has ended its direction; what came before may still be unread.
//
// broken: nothing can be sent any more; what came before may still be unread.
//
// on_ready() runs when a flag has been set, at times when none has, and never from inside a function of this
// header but stream_wait(). It may close the stream; the owner is freed at the end of the turn (loop_defer).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/address.h"
#include "net/loop.h"
#include "net/sink.h"

struct iovec;
struct stream_ops;

struct stream {
    const struct stream_ops *ops;
    void *state; // of the ops; NULL with plain TCP
    void (*on_ready)(struct stream *);
    struct loop *loop;
    struct loop_fd watch; // the socket; -1 while there is none
    int error;            // of the opening: -EINPROGRESS, 0 once it is open, or why it never will be
    bool readable, writable, fin, broken;
};

// Prepares a stream that is not open. Nothing to release.
void stream_init(struct stream *, const struct stream_ops *, struct loop *,
                 void (*on_ready)(struct stream *));

// Begins a connection; also after a close. Returns 0, or a negative errno if it cannot even be tried.
// on_ready() then runs once for the outcome, which `error` says: 0, and the stream may be used; or it is to
// be closed.
int stream_connect(struct stream *, const union address *);

// Takes an accepted socket over, also if it fails. Returns 0, or a negative errno. `error` is 0 at once where
// the transport needs no handshake.
int stream_accept(struct stream *, int fd);

static inline bool stream_is_closed(const struct stream *s) {
    return s->watch.fd < 0;
}

// Returns how many bytes were read, at most `room`; 0 at the end of what the peer sends; -EAGAIN if there are
// none for now; or why the connection is broken.
ssize_t stream_read(struct stream *, void *bytes, size_t room);

// Returns how many bytes were taken; -EAGAIN if none for now; or why the connection is broken (-EPIPE,
// -ECONNRESET). Bytes taken are sent without further calls. After an error what the peer sent may still be
// read.
ssize_t stream_writev(struct stream *, const struct iovec *, size_t count);
ssize_t stream_write(struct stream *, const void *bytes, size_t len);

// Makes on_ready() run in the next turn, though nothing has changed: for an owner that has not read all.
void stream_ready_again(struct stream *);

// Ends our direction, behind what was taken; the peer reads the end of the stream. Reading goes on.
void stream_shutdown(struct stream *);

// Closes; no callback follows. What was taken and is not with the kernel yet is lost (with plain TCP:
// nothing); an owner that minds shuts down and reads to the peer's end first. Does nothing to a stream that
// is closed.
void stream_close(struct stream *);

// Gives the connection away, closed from here on, for events to be written to. What is unread is lost.
struct sink stream_take_sink(struct stream *, enum sink_framing);

// Waits for the socket outside of the loop, and runs on_ready() if a flag was set. Returns false if nothing
// happened within the time. Blocks: for a process that ends.
bool stream_wait(struct stream *, int timeout_ms);

// Returns the peer's address, or a negative errno.
int stream_peer_address(const struct stream *, union address *);

// Whether the peer has sent what is not read yet; asks the kernel, so that it may be ahead of `readable`.
bool stream_has_unread(const struct stream *);

void stream_set_keepalive(struct stream *, int after_s, int every_s); // as sock_set_keepalive()

// A transport. Its functions set the flags of the stream; the generic part does the watching and calls
// on_ready().
struct stream_ops {
    // The socket is connected or accepted: begins a handshake. Sets `error`: 0 if none is needed,
    // -EINPROGRESS.
    void (*open)(struct stream *, bool is_server);
    // The socket has epoll events. Sets flags; while opening, `error` when it is decided. Returns whether
    // on_ready() is to run: whenever the owner could not know, and after stream_ready_again().
    bool (*on_socket)(struct stream *, uint32_t events);
    ssize_t (*read)(struct stream *, void *bytes, size_t room);
    ssize_t (*writev)(struct stream *, const struct iovec *, size_t count);
    void (*shutdown)(struct stream *);
    bool (*has_unread)(const struct stream *);
    // Frees the state, which may be NULL; the socket is closed afterwards.
    void (*close)(struct stream *);
    // Turns the state (taken) and the socket into a sink.
    struct sink (*take_sink)(struct stream *, int fd, enum sink_framing);
};

extern const struct stream_ops stream_tcp;
