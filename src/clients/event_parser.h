// Takes an event stream apart (WHATWG HTML, 9.2.6), however it was cut on its way. One thread. A stream at
// rest holds no memory but the struct: an event that came in one piece is handed on where it lies.
//
// Limits: a line and an event's data have at most EVENT_PARSER_MAX bytes; longer ids and types than the
// struct has room for count as empty.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { EVENT_PARSER_MAX = 1 << 20, EVENT_ID_SIZE = 48, EVENT_TYPE_SIZE = 32 };

struct event_parsed {
    const char *id;   // the last event id; "" if there is none
    bool has_id;      // and this event brought it
    const char *type; // "" means message
    const char *data; // not NUL-terminated; NULL: an event without data, which only sets the id
    size_t data_len;
};

// Must not release or feed the parser. What it is given is valid during the call.
typedef void event_parser_cb(void *arg, const struct event_parsed *);

// Zero-initialise.
struct event_parser {
    struct buf line, data; // what is begun
    const char *in_place;  // the event's only data line so far, among the bytes being read
    size_t in_place_len;
    int32_t retry_ms;       // the last one given; 0: none
    char id[EVENT_ID_SIZE]; // of the newest id line
    char
        last_id[EVENT_ID_SIZE]; // of the newest event that is complete: what a new request asks to go on from
    char type[EVENT_TYPE_SIZE];
    uint8_t mark; // bytes of a byte order mark matched; 3: we are past it
    bool has_id, has_data, after_cr;
};

// Calls on_event for each event that is complete. Returns false if something is too long; then the stream is
// to be given up.
bool event_parser_feed(struct event_parser *, const char *bytes, size_t len, event_parser_cb *on_event,
                       void *arg);

// Forgets what is begun, its id too, for a new stream. Keeps the last event id and the retry time.
void event_parser_reset(struct event_parser *);
