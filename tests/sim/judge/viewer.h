// A viewer of one video. It finds its reader, opens the stream, and comes back when that ends, as one of
// these does: the EventSource of a page, our chorus.js, a program that reads the stream by itself (`fetch`),
// or production's own simulated client. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/container_of.h"
#include "crowd.h"
#include "http_call.h"
#include "net/loop.h"
#include "sse.h"

enum { VIEWER_URL = 400 };

struct viewer;
struct viewer_client;

struct viewer_kind {
    const char *name;
    int head_ms;     // gives up if no response has come by then; 0: never
    int silence_ms;  // ... nothing has come for this long; 0: never
    unsigned tries;  // at one reader, before it asks which one it is; 0: any number
    bool is_browser; // does not come back after an error response
    // Writes path and query of the address, header lines, and a body, or leaves them empty.
    void (*write_request)(const struct viewer *, struct buf *path, struct buf *headers, struct buf *body);
    // Returns how long to wait before the next attempt.
    int64_t (*delay_ms)(struct viewer *);
};

extern const struct viewer_kind viewer_event_source, viewer_chorus_js, viewer_fetch;

struct viewer {
    struct crowd *crowd;
    const struct viewer_kind *kind; // NULL: production's own
    uint32_t number, video;
    enum journal_pace pace;
    enum { VIEWER_WAITING, VIEWER_REGISTERING, VIEWER_ASKING, VIEWER_STREAMING, VIEWER_GONE } state;
    bool keeps_address; // comes back to the address it first had, not to the one it was redirected to
    bool uses_post;
    bool stays;      // redirect=never
    bool wants_all;  // rate=all
    bool wants_room; // and what users react with
    bool had_stream; // its position is one that it has seen
    bool over;       // it was told that the video is: it leaves soon
    unsigned history;
    struct http_call call;
    struct sse sse;
    struct position at;
    char reader[VIEWER_URL]; // http://ADDRESS:PORT, empty: to be found
    char url[VIEWER_URL];    // where it asks; after a redirect Location
    char moved[VIEWER_URL];  // where it was told to go on: a reader, or an address; empty: nowhere
    char method[8];
    struct buf headers, body, answer;
    unsigned asked, redirects, moves, pauses, refusals;
    int retry_ms;
    int64_t lost_ms, opened_ms;
    struct loop_timer timer; // the next attempt, or the limit of this one
    struct loop_timer drop;  // it ends the stream itself, or leaves
    struct loop_timer sip;   // a slow one reads
    struct viewer_client *client;
};

// Joins a video. The viewer is zeroed.
void viewer_start(struct viewer *, struct crowd *, uint32_t number);
void viewer_release(struct viewer *);

// No fault is left: a slow one reads as fast as it can, and one that waits comes back at once.
void viewer_calm(struct viewer *);

// Ends its stream and comes again, or does not.
void viewer_come_again(struct viewer *);

// Ends its stream and comes again within a few milliseconds, as something happens at the same time.
void viewer_hurry(struct viewer *);

// An event has come. Returns false if it ends the stream: it makes no sense, which is noted, or tells the
// viewer to go on elsewhere (`moved`).
bool viewer_take_event(struct viewer *, const char *id, const char *type, const char *data, size_t len);

// Notes the end of an attempt or a stream.
void viewer_note_cut(struct viewer *, const char *why);
void viewer_note_ask(struct viewer *);

// It was answered 204.
void viewer_take_over(struct viewer *);

static inline bool viewer_is_gone(const struct viewer *v) {
    return v->state == VIEWER_GONE;
}

// Production's own client.
struct viewer_client *viewer_client_new(struct viewer *);
void viewer_client_free(struct viewer_client *);
