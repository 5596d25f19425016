// One simulated viewer: asks the manager for its video's reader, opens the stream there (following a 307),
// checks what arrives, and when disconnected reconnects with the last id it received. Control loop only.
//
// An idle viewer is a few hundred bytes and a socket: all viewers share one read buffer.
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
struct client_viewer;

enum { CLIENT_VIEWER_READ_SIZE = 65536 };

// What all viewers share; belongs to their owner.
struct client_viewer_env {
    struct loop *loop;
    struct http_client *client;
    struct resolver *resolver;
    const char *register_url;
    const char *authorization; // value of that header in its requests; NULL: none
    struct origins origins;
    struct prng *prng;
    struct tally *tally;
    const struct stamps *stamps;
    struct log_sampler sampler, resolutions;
    bool closing;
    bool expects_outages; // a failure to connect is logged as information
    char *read_buffer;    // CLIENT_VIEWER_READ_SIZE
    // Of a single viewer that is no simulated one, which goes where browsers go; NULL: user1, video1.
    const char *user_name, *video_name;
    void (*on_event)(struct client_viewer_env *, const struct event_parsed *); // may be NULL
    // The viewer wants to connect: the owner calls client_viewer_connect(), now or when other viewers are
    // done.
    void (*on_wants_connection)(struct client_viewer_env *, struct client_viewer *);
    // The attempt that client_viewer_connect() began has succeeded or failed. Never called from inside it.
    void (*on_attempt_over)(struct client_viewer_env *, struct client_viewer *);
    // An attempt has failed, and is about to be over; may be NULL.
    void (*on_failed)(struct client_viewer_env *, const char *why);
    // A request to the manager begins (+1) or completes (-1); while it is pending, the viewer may not be
    // freed.
    void (*on_calls)(struct client_viewer_env *, int change);
};

enum client_viewer_state {
    CLIENT_VIEWER_IDLE, // wants to connect, or is waiting to
    CLIENT_VIEWER_STARTING,
    CLIENT_VIEWER_REGISTERING,
    CLIENT_VIEWER_RESOLVING,
    CLIENT_VIEWER_CONNECTING,
    CLIENT_VIEWER_AWAITING_HEAD, // connected; the response head has not arrived
    CLIENT_VIEWER_STREAMING,
    CLIENT_VIEWER_OVER // the video has ended: it does not come back
};

struct connect_attempt; // exists only while connecting

struct client_viewer {
    struct stream stream;
    struct loop_timer timer; // limits the attempt, or delays the next one
    struct client_viewer_env *env;
    struct client_viewer *next; // in its owner's queue
    unsigned number;            // from 1
    unsigned video;             // from 1
    enum client_viewer_state state;
    struct origin *reader; // NULL: ask the manager
    struct connect_attempt *attempt;
    llhttp_t http;
    struct event_parser events;
    struct sequence sequence;
    uint64_t generated, consumed;        // comments
    bool reporting, had_stream, in_turn; // used by its owner
};

void client_viewer_init(struct client_viewer *, struct client_viewer_env *, unsigned number, unsigned video);
void client_viewer_release(struct client_viewer *);

void client_viewer_connect(struct client_viewer *);

// Continues after a lookup of a host name has ended, if the viewer is waiting for one.
void client_viewer_resolved(struct client_viewer *);
