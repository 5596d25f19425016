// The system calls on sockets, all that the program makes, so that a test or a simulation can stand in for
// them: it defines the functions of this header, and is linked before the library. Any thread.
//
// A function returns what it says or a negative errno, never sets errno, and repeats what a signal has
// interrupted (EINTR). Sockets are non-blocking and close on exec. Sending never raises SIGPIPE: a peer that
// has gone is -EPIPE or -ECONNRESET. Options are requests: where the kernel refuses one, the socket works
// without.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hot.h"
#include "net/address.h"

struct iovec;

// Begins a TCP connection that sends without delay; `from` (NULL: the kernel's choice) is the local address,
// whose port the kernel chooses. Returns a descriptor, which becomes writable when the outcome is known.
int sock_connect(const union address *to, const union address *from);

// Returns 0 once the connection stands, or why there is none. A pending error is read once: a second call
// does not see it.
int sock_error(int fd);

// Listens on an address and port (0: the kernel chooses one); `only_v6` keeps an IPv6 address from taking
// IPv4 connections too. Returns a descriptor.
int sock_listen(const union address *, bool only_v6);

// Returns the next connection, which sends without delay, and its peer's address; -EAGAIN: there is none.
int sock_accept(int listener, union address *peer);

// The addresses of both ends.
int sock_local_address(int fd, union address *);
int sock_peer_address(int fd, union address *);

// Returns how many bytes were read, 0 at the end of the stream, -EAGAIN if there are none yet.
ssize_t sock_read(int fd, void *bytes, size_t room);

// Returns how many bytes were taken, perhaps fewer than given; -EAGAIN if none.
ssize_t sock_write(int fd, const void *bytes, size_t len);
HOT_PATH ssize_t sock_writev(int fd, const struct iovec *, size_t count);

// Returns how many bytes have arrived and are not read yet.
int sock_unread(int fd);

// Ends our direction; the peer reads what was sent and then the end of the stream.
void sock_shutdown(int fd);

void sock_close(int fd);

// Closes without sending what is still unsent: the peer sees a reset (socket(7), SO_LINGER).
void sock_reset(int fd);

// Bounds what the kernel holds of what the peer has not acknowledged.
void sock_set_send_buffer(int fd, int bytes);

// Ends the connection (-ETIMEDOUT) when the peer has acknowledged nothing for so long (RFC 5482).
void sock_set_user_timeout(int fd, int ms);

// Probes a peer that has been silent for `after_s`, then every `every_s` (0: as the system is set).
void sock_set_keepalive(int fd, int after_s, int every_s);

// Waits until one of the poll(2) events happens, at most `timeout_ms`. Returns those that did, 0 if none.
int sock_wait(int fd, int events, int timeout_ms);

// Two connected sockets, blocking, which keep the borders of messages: for descriptors.
int sock_pair(int ends[2]);

// Sends a descriptor; the receiver gets another of the same socket. With `wait`, blocks while there is no
// room; otherwise -EAGAIN. Returns 0.
int sock_send_descriptor(int end, int fd, bool wait);

// Waits for a descriptor and returns it. -EMFILE: it did not fit into the table, and is closed; -EPIPE: the
// other end is closed.
int sock_receive_descriptor(int end);
