// All system calls that the program makes on sockets, so that a test or a simulation can replace them: it
// defines the functions of this header and is linked before the library. Any thread.
//
// Functions return what is documented or a negative errno, do not report through errno, and retry calls that
// a signal interrupted (EINTR). Sockets are non-blocking and close on exec. Sending never raises SIGPIPE: a
// connection that the peer has closed gives -EPIPE or -ECONNRESET. Setting an option is best effort: if the
// kernel refuses it, the socket works without.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hot.h"
#include "net/address.h"

struct iovec;

// Starts a TCP connection with TCP_NODELAY; `from` (NULL: chosen by the kernel) is the local address, whose
// port the kernel chooses. Returns a descriptor, which becomes writable when the outcome is known.
int sock_connect(const union address *to, const union address *from);

// Returns 0 if the connection is established, or why it failed. Reading a pending error clears it: a second
// call does not see it.
int sock_error(int fd);

// Listens on an address and port (0: the kernel chooses one); `only_v6` keeps an IPv6 address from taking
// IPv4 connections too. Returns a descriptor.
int sock_listen(const union address *, bool only_v6);

// Listens on a unix socket, which replaces one at this path that no process listens on any more, with these
// permissions. Returns a descriptor; -EADDRINUSE: a process listens there, or it is another file;
// -ENAMETOOLONG: the path is longer than SOCK_PATH_MAX.
enum { SOCK_PATH_MAX = 107 };
int sock_listen_unix(const char *path, unsigned mode);

// Connects to a unix socket. Returns a descriptor, which blocks, for `timeout_ms` at most: -EAGAIN, also of
// this call.
int sock_connect_unix(const char *path, int64_t timeout_ms);

// Removes the file of a unix socket that is closed, unless a process listens there.
void sock_remove_unix(const char *path);

// Returns a descriptor for the same socket.
int sock_duplicate(int fd);

// Returns the next connection, with TCP_NODELAY, and its peer's address; -EAGAIN if there is none.
int sock_accept(int listener, union address *peer);

// Returns the lowest number that no descriptor has.
int sock_lowest_free(void);

// Get the addresses of the two ends. Return 0.
int sock_local_address(int fd, union address *);
int sock_peer_address(int fd, union address *);

// Returns how many bytes were read, 0 at the end of the stream, -EAGAIN if there are none yet.
ssize_t sock_read(int fd, void *bytes, size_t room);

// Return how many bytes the kernel accepted, perhaps fewer than given; -EAGAIN if none.
ssize_t sock_write(int fd, const void *bytes, size_t len);
HOT_PATH ssize_t sock_writev(int fd, const struct iovec *, size_t count);

// Returns the number that the kernel gives a socket as long as it is open, connected or not, and never to
// another one (SO_COOKIE, Linux 4.12); 0: unknown.
uint64_t sock_number(int fd);

// What has been sent over a TCP connection, repetitions left out (tcp_info, Linux 4.19).
struct sock_sent {
    uint64_t bytes;
    uint32_t waiting; // accepted by the kernel, but not sent yet
};

// Returns false if it is unknown, as for a socket that is not TCP.
bool sock_sent(int fd, struct sock_sent *);

// Returns how many bytes have arrived but have not been read yet.
int sock_unread(int fd);

// Closes our direction; the peer reads what was sent and then the end of the stream.
void sock_shutdown(int fd);

void sock_close(int fd);

// Closes and discards unsent data: the peer sees a reset (socket(7), SO_LINGER).
void sock_reset(int fd);

// Limits how much data the kernel holds that the peer has not acknowledged.
void sock_set_send_buffer(int fd, int bytes);

// Ends the connection (-ETIMEDOUT) when the peer has acknowledged nothing for `ms` (RFC 5482).
void sock_set_user_timeout(int fd, int ms);

// Probes a peer that has been silent for `after_s`, then every `every_s` (0: the system's setting).
void sock_set_keepalive(int fd, int after_s, int every_s);

// Waits at most `timeout_ms` for one of the poll(2) events. Returns those that happened, 0 if none did.
int sock_wait(int fd, int events, int timeout_ms);

// Sends one datagram to the Unix socket of that name; a leading @ stands for the NUL byte of an abstract name
// (unix(7)). Never blocks: -EAGAIN if the receiver has no room. Returns 0.
int sock_send_datagram(const char *name, const void *bytes, size_t len);

// Makes a pair of connected sockets, blocking, which preserve message boundaries: for passing descriptors.
// Returns 0.
int sock_pair(int ends[2]);

// Sends a duplicate of a descriptor. If there is no room, blocks with `wait`, and otherwise returns -EAGAIN.
// Returns 0.
int sock_send_descriptor(int end, int fd, bool wait);

// Waits for a descriptor and returns it. -EMFILE: the table is full, and the descriptor has been closed;
// -EPIPE: the other end is closed.
int sock_receive_descriptor(int end);
