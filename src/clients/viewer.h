// One simulated viewer: asks the manager for its video's reader, opens the stream there (following 307),
// checks what arrives, and comes back when cut, with the last id it saw. Control loop only.
//
// At rest a viewer is a few hundred bytes and a socket: all share one buffer to read into.
#pragma once

#include <llhttp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "event_parser.h"
#include "origins.h"
#include "clients/sequence.h"
#include "net/loop.h"
#include "net/stream.h"

struct http_client;
struct prng;
struct resolver;
struct stamps;
struct tally;
struct viewer;

enum { VIEWER_READ_SIZE = 65536 };

// What viewers have in common; their owner's.
struct viewer_env {
    struct loop *loop;
    struct http_client *client;
    struct resolver *resolver;
    const char *register_url;
    struct origins origins;
    struct prng *prng;
    struct tally *tally;
    const struct stamps *stamps;
    struct log_sampler sampler;
    bool closing;
    char *read_buffer; // VIEWER_READ_SIZE
    // The viewer wants to connect: viewer_connect() is to be called, now or when others are done.
    void (*on_wanting)(struct viewer_env *, struct viewer *);
    // The attempt that viewer_connect() began is over, well or badly. Never from inside that call.
    void (*on_attempted)(struct viewer_env *, struct viewer *);
    // A call to the manager begins (+1) or is over (-1): until then the viewer cannot be freed.
    void (*on_calls)(struct viewer_env *, int change);
};

enum viewer_state {
    VIEWER_IDLE, // wants to connect, or waits before it does
    VIEWER_STARTING,
    VIEWER_REGISTERING,
    VIEWER_RESOLVING,
    VIEWER_CONNECTING,
    VIEWER_ASKING, // connected; the answer's head has not come
    VIEWER_STREAMING
};

struct viewer_attempt; // only while it connects

struct viewer {
    struct stream stream;
    struct loop_timer timer; // the attempt, or the wait before the next
    struct viewer_env *env;
    struct viewer *next; // its owner's queue
    unsigned number;     // from 1
    unsigned video;      // from 1
    enum viewer_state state;
    struct origin *reader; // NULL: ask the manager
    struct viewer_attempt *attempt;
    llhttp_t http;
    struct event_parser events;
    struct sequence sequence;
    uint64_t generated, consumed; // comments
    bool reporting, had_stream;   // its owner's
};

void viewer_init(struct viewer *, struct viewer_env *, unsigned number, unsigned video);
void viewer_release(struct viewer *);

void viewer_connect(struct viewer *);

// A look-up of a host name has ended: goes on if the viewer waits for one.
void viewer_resolved(struct viewer *);
