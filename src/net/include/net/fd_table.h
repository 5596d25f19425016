// Gives a thread a descriptor table of its own: the kernel's limit (RLIMIT_NOFILE) applies per table, so a
// process with several tables can have that many descriptors in each. Descriptors get from one table to
// another through a socket pair (unix(7), SCM_RIGHTS).
#pragma once

#include <stddef.h>

struct fd_pipe;
struct loop;

// Gives the calling thread a table of its own that contains only 0, 1, 2 and `keep`; uses close_range(2),
// available since Linux 5.9. Descriptors it closes stay open in other tables. Returns 0 or a negative errno.
int fd_table_unshare(const int *keep, size_t count);

// Makes a pipe from the loop's thread to another. Free it before the loop. Returns NULL and sets *error if
// that fails.
struct fd_pipe *fd_pipe_new(struct loop *sender, int *error);
void fd_pipe_free(struct fd_pipe *); // sender; closes what has not been received

// Returns the descriptor that the receiving thread must keep.
int fd_pipe_receiving_end(const struct fd_pipe *);

// Sends a descriptor, which then belongs to the receiver. Never blocks: what does not fit is queued. Sender.
void fd_pipe_send(struct fd_pipe *, int fd);

// Sends everything queued; may block until the receiver makes room. Sender.
void fd_pipe_flush(struct fd_pipe *);

// Returns the next descriptor, as numbered in the calling thread's table; blocks until the sender's loop has
// sent it. Returns a negative errno if it fails: -EMFILE if the table is full, and then it is closed.
// Receiver.
int fd_pipe_receive(struct fd_pipe *);
