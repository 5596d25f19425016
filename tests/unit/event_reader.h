// Reads an event stream as browsers do (WHATWG HTML, 9.2.6), however it was cut on its way, and keeps what
// came.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct event {
    char *id;   // the last event id when this one was complete; "" if there was none
    char *type; // "message" if the event has no name
    char *data;
};

// Zero-initialise.
struct event_reader {
    struct event *events;
    size_t count, room;
    unsigned comments; // comment lines
    long retry_ms;     // the last one given
    size_t bytes;      // read so far
    struct buf line, id, type, data;
    bool after_cr, has_data, has_id;
    struct buf text;
};

void event_reader_add(struct event_reader *, const char *bytes, size_t len);
void event_reader_release(struct event_reader *);

// Whether nothing is begun: what came so far is whole events.
bool event_reader_is_whole(const struct event_reader *);

// Returns all events in one line, the reader's until the next call: a comment as its id, a gap as
// `gap(<from>..<to> <missed> <reason>)`, anything else as its data. An event whose id line differs
// from the id in its data is followed by `!id=<id line>`; an unfinished event shows as `...`.
const char *event_reader_text(struct event_reader *);
