// Several streams on one connection, as HTTP/2 has them, for tests: their sinks have no descriptor. The
// connection watches its socket itself, on the worker of its first stream, and reports to the streams.
//
//     to the peer:   stream (1 byte), kind (1), length (2), content
//     from the peer: stream (1 byte), kind (1)
//
// It sends a frame of one stream at a time and holds what the socket has not accepted of it; meanwhile the
// other streams are blocked. A stream may send SHARED_WINDOW bytes, and as many more for each SHARED_OPEN.
#pragma once

#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/sink.h"

enum { SHARED_STREAMS = 8, SHARED_HEAD = 4, SHARED_MOST = 1000, SHARED_WINDOW = 20000 };

enum shared_kind {
    SHARED_DATA,
    SHARED_CUT, // these three as in enum sink_end
    SHARED_COMPLETE,
    SHARED_RESET,
    SHARED_OPEN,   // from the peer: opens the stream's window further, or
    SHARED_ABANDON // resets the stream
};

struct shared_stream;

struct shared_conn {
    struct loop_fd watch;
    struct loop *loop;    // of the worker
    struct loop_job news; // what an operation has found out, for all streams
    unsigned untold;      // those events
    int fd;
    int worker; // SINK_ANY_WORKER until its first stream has been placed. Control loop
    struct shared_stream *streams[SHARED_STREAMS]; // those attached
    unsigned attached, next;
    uint8_t frame[SHARED_HEAD + SHARED_MOST];
    size_t from, to; // what is left of it
    bool fin, broken;
    _Atomic bool to_break; // the next write fails. Any thread
    sem_t blocked;         // posted whenever a stream is
    // What the worker's thread has seen; to be read once the worker has stopped.
    unsigned refused;        // attach() has failed
    unsigned closed_inside;  // streams, from inside on_sink()
    unsigned told_in_a_job;  // streams, of news
    unsigned on_other_loops; // attached to another worker than the first
};

// Prepares a connection; takes the socket.
void shared_conn_init(struct shared_conn *, int fd);

// Closes the socket. All streams have been closed.
void shared_conn_release(struct shared_conn *);

// Returns the sink of a stream (0 to SHARED_STREAMS - 1) of the connection. Control loop.
struct sink shared_sink(struct shared_conn *, uint8_t stream);
