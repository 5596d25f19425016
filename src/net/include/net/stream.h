// The bytes of one connection in both directions over any transport: plain TCP, or TLS (net/tls.h). Embedded
// in its owner, the connection; used for all connections except the viewers of the fan-out, which write to
// sinks. Loop thread only.
//
// The socket is registered once, edge-triggered, so that no request costs a change of registration; what the
// transport needs from the socket (TLS may have to write in order to read) is hidden from the owner. Once the
// stream is open, the owner reads four flags, which only the stream changes:
//
// readable: stream_read() may return something. Stays set until a read finds no more bytes, and is not
// reported again until then, whether the bytes are in the kernel or in the stream (already decrypted, say).
// So an owner reads until it is clear, or continues later by itself, or calls stream_ready_again().
//
// writable: stream_writev() may accept something. Clear after it has accepted less than it was given, and
// while the stream still buffers some of what it accepted: so a writable stream may be closed without loss.
//
// fin: the peer has closed its direction; earlier bytes may still be unread.
//
// broken: nothing can be sent any more; earlier bytes may still be unread.
//
// on_ready() runs when a flag has been set, sometimes when none has, and never from inside a function of this
// header except stream_wait(). It may close the stream; the owner is freed at the end of the turn
// (loop_defer).
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
    int error;            // -EINPROGRESS while opening, 0 once open, or why opening failed
    bool readable, writable, fin, broken;
};

// Initialises a stream that is not open. It needs no release.
void stream_init(struct stream *, const struct stream_ops *, struct loop *,
                 void (*on_ready)(struct stream *));

// Returns why it could not be opened, as a clause about the peer ("has a certificate that ..."), where the
// transport knows more than `error` says; otherwise NULL. Valid until the next stream of the transport fails.
const char *stream_why(const struct stream *);

// Starts connecting; also possible after a close. Returns 0, or a negative errno if that fails immediately.
// Once the outcome is known, on_ready() runs and `error` has it: 0, and the stream is open; otherwise close
// it.
int stream_connect(struct stream *, const union address *);

// The same from this address, whose port is chosen, if it is free there; NULL: any.
int stream_connect_from(struct stream *, const union address *to, const union address *from);

// Opens the stream on an accepted socket, which it owns from then on, even if it fails. Returns 0 or a
// negative errno. `error` is 0 immediately if the transport needs no handshake.
int stream_accept(struct stream *, int fd);

static inline bool stream_is_closed(const struct stream *s) {
    return s->watch.fd < 0;
}

// Returns how many bytes were read, at most `room`; 0 at the end of the peer's stream; -EAGAIN if there are
// none for now; or why the connection is broken.
ssize_t stream_read(struct stream *, void *bytes, size_t room);

// Return how many bytes were accepted, which are sent without further calls; -EAGAIN if none for now; or why
// the connection is broken (-EPIPE, -ECONNRESET). After an error, what the peer has sent may still be read.
ssize_t stream_writev(struct stream *, const struct iovec *, size_t count);
ssize_t stream_write(struct stream *, const void *bytes, size_t len);

// Makes on_ready() run in the next turn although nothing has changed: for an owner that has not read
// everything.
void stream_ready_again(struct stream *);

// Closes our direction after the bytes that were accepted; the peer reads the end of the stream. Reading goes
// on.
void stream_shutdown(struct stream *);

// Closes the stream; no callback follows. Bytes that were accepted but have not reached the kernel are lost
// (with plain TCP there are none); to prevent that, shut down and read to the peer's end first. Does nothing
// if the stream is closed.
void stream_close(struct stream *);

// The same, but the peer sees a reset, and bytes that the kernel has accepted may be lost too.
void stream_reset(struct stream *);

// Converts the connection into a sink for events; the stream is closed then. Unread bytes are lost.
struct sink stream_take_sink(struct stream *, enum sink_framing);

// Waits for the socket outside of the loop, and runs on_ready() if a flag was set. Returns false on a
// timeout. Blocks: only for a process that is ending.
bool stream_wait(struct stream *, int timeout_ms);

// Returns whether the peer has sent bytes that are still unread; asks the kernel, so it may be ahead of
// `readable`.
bool stream_has_unread(const struct stream *);

void stream_set_keepalive(struct stream *, int after_s, int every_s); // as sock_set_keepalive()

// A transport. Its functions set the flags of the stream; the generic part watches the socket and calls
// on_ready(). The table may be part of a larger struct, which has what all connections of the transport share
// (certificates, the peer's name for SNI and its check): the functions find it by s->ops. stream_connect() is
// given an address only, so a client whose peers have different names needs a table for each.
//
// A protocol that the handshake chooses (ALPN) is known once `error` is 0. There is no function for it yet,
// and the server makes a connection of HTTP/1.1 when it accepts (server.c).
struct stream_ops {
    // The socket is connected or accepted: starts the handshake. Sets `error` to -EINPROGRESS, or to 0 if no
    // handshake is needed.
    void (*open)(struct stream *, bool is_server);
    // The socket has epoll events. Sets flags and, while opening, `error` once the outcome is known. Returns
    // whether on_ready() should run: when there is news for the owner, and after stream_ready_again(). As it
    // is not told of the latter, it may always return true.
    bool (*on_socket)(struct stream *, uint32_t events);
    ssize_t (*read)(struct stream *, void *bytes, size_t room);
    ssize_t (*writev)(struct stream *, const struct iovec *, size_t count);
    void (*shutdown)(struct stream *);
    bool (*has_unread)(const struct stream *);
    // Frees the state, which may be NULL; the socket is closed afterwards.
    void (*close)(struct stream *);
    // Turns the state and the socket, which it owns from then on, into a sink. Bytes that the stream has
    // accepted but still buffers move with the state: the sink sends them first.
    // NULL: its connections are never viewers.
    struct sink (*take_sink)(struct stream *, int fd, enum sink_framing);
    const char *(*why)(const struct stream *); // as stream_why(); NULL: it never knows more
};

extern const struct stream_ops stream_tcp;
