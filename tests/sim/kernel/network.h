// Private: TCP between hosts. A connection has two ends and a pipe in each direction; it lives until both
// ends are closed and nothing is on its way.
#pragma once

#include "core.h"

// A part of a pipe's bytes that arrives as one.
struct segment {
    uint64_t end; // in bytes since the connection began
    int64_t due_us;
};

// The bytes from one end to the other: written >= arrived >= taken.
struct pipe {
    struct connection *connection;
    struct event arrival; // of the first segment
    struct segment *segments;
    size_t first_segment, segment_count, segment_room;
    unsigned char *bytes; // from `taken` on
    size_t head, len, room;
    uint64_t written, arrived, taken, acknowledged;
    int64_t free_us;           // of a limited path: when it has sent all
    bool has_end, end_arrived; // of the stream, after the last byte
    bool is_stuck;             // its first segment met a cut path, or a full buffer
    bool is_blocked;           // the writer waits for room
    bool broken;               // the writer's host will not send again
};

enum end_state { END_CONNECTING, END_OPEN, END_CLOSED, END_GONE };

// One end. CLOSED: by its process, the kernel still sends what is left. GONE: without a trace.
struct end {
    struct sock sock; // first
    struct connection *connection;
    enum end_state state;
    struct host *host;
    int port;
    bool of_ipv4_loopback;
    int error;  // pending, negative
    bool reset; // nothing more comes or goes
    bool queued_accept;
    struct end *next_accept;
    struct event later;   // another look after a call that claimed EAGAIN
    struct event probe;   // gives up on a peer that is silent
    struct event trouble; // a reset, or the answer to a connect, is on its way here
    int trouble_error;
    int user_timeout_ms, keep_after_s, keep_every_s;
    size_t send_buffer;
    uint64_t number;
};

struct connection {
    struct end ends[2];   // the one that connected, the one that accepted
    struct pipe pipes[2]; // from that end to the other one
    struct event connect;
    bool accepted_once, waits_for_path;
    struct connection *prev, *next; // all
};

struct listener {
    struct sock sock; // first
    struct host *host;
    int port;
    union address address;
    struct end *first, **tail; // to be accepted
    struct listener *next;
};

extern struct connection *connections;

static inline struct end *end_peer(struct end *e) {
    struct connection *c = e->connection;
    return &c->ends[e == &c->ends[0]];
}
static inline struct pipe *end_out(struct end *e) {
    return &e->connection->pipes[e == &e->connection->ends[1]];
}
static inline struct pipe *end_in(struct end *e) {
    return &e->connection->pipes[e == &e->connection->ends[0]];
}
static inline struct end *pipe_reader(struct pipe *p) {
    return &p->connection->ends[p == &p->connection->pipes[0]];
}
static inline struct end *pipe_writer(struct pipe *p) {
    return &p->connection->ends[p == &p->connection->pipes[1]];
}

// Paths
const struct sim_path *path_between(const struct host *from, const struct host *to);
int64_t path_delay_us(const struct sim_path *);

// Connections
struct connection *connection_new(struct host *from, struct host *to, int port);
void connection_send_syn(struct connection *);
void connection_free_if_done(struct connection *);

// Bytes
size_t pipe_room(struct pipe *, size_t buffer); // for the writer
void pipe_write(struct pipe *, const void *bytes, size_t len);
void pipe_end(struct pipe *);
size_t pipe_unread(const struct pipe *);
void pipe_take(struct pipe *, void *bytes, size_t len);
uint64_t pipe_acknowledged(struct pipe *);
void pipe_resume(struct pipe *); // the path is open again, or the reader has room

// Ends
void end_break(struct end *, int error);              // now
void end_send_reset(struct end *to, bool after_data); // takes as long as the path does
void end_watch_silence(struct end *);
void end_free(struct end *); // the process has closed it

struct listener *listener_of(const struct host *, int port);
void listener_add(struct listener *);
void listener_remove(struct listener *);
