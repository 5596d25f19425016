// Sockets as full as a test wants them: the program's sendmsg() is this one. It counts the calls, and lets a
// socket accept a number of bytes more and then block, or fail. One thread.
#pragma once

#include <stddef.h>

enum { LIMITED_SEND_MOST = -1 }; // as many as the socket itself takes

void limited_send_reset(void);

// The socket takes `bytes` more, in one call or several, and then is full (EAGAIN).
void limited_send_room(int fd, long bytes);

// The next call for the socket fails.
void limited_send_fail(int fd, int error);

// Return how often was sent, since the reset: in all, and to one socket.
unsigned limited_send_calls(void);
unsigned limited_send_calls_to(int fd);
