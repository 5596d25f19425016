// A descriptor table of a thread's own: the kernel's limit (RLIMIT_NOFILE) holds per table, so that a process
// of several can have several times as many. Descriptors get there through a pipe of a kind that can carry
// them (unix(7), SCM_RIGHTS).
#pragma once

#include <stddef.h>

struct fd_pipe;
struct loop;

// Gives the calling thread a table of its own with only 0, 1, 2 and `keep` in it; close_range(2), from Linux
// 5.9 on. What it closes there stays open elsewhere. Returns 0 or a negative errno.
int fd_table_unshare(const int *keep, size_t count);

// Begins a pipe from the loop's thread to another; freed before the loop. Returns NULL and sets *error.
struct fd_pipe *fd_pipe_new(struct loop *sender, int *error);
void fd_pipe_free(struct fd_pipe *); // sender; closes what was not taken

// The descriptor that the receiving thread must keep.
int fd_pipe_receiving_end(const struct fd_pipe *);

// Sends a descriptor (taken: it is the receiver's from now on). Never blocks: what does not fit waits.
// Sender.
void fd_pipe_send(struct fd_pipe *, int fd);

// Sends all that waits, for which it may block until the receiver has taken some. Sender.
void fd_pipe_flush(struct fd_pipe *);

// Returns the next descriptor, by its number in the calling thread's table; waits for the sender's loop if it
// has not been sent yet. A negative errno: -EMFILE if there is no room in the table; it is closed then.
// Receiver.
int fd_pipe_receive(struct fd_pipe *);
