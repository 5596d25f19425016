// Parses an event stream (WHATWG HTML, 9.2.6) that arrives in pieces of any size. One thread. Between events
// it has no memory but the struct: an event that arrives in one piece is passed on without being copied.
//
// Limits: a line and an event's data have at most EVENT_PARSER_MAX bytes; ids and types that do not fit into
// the struct count as empty.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { EVENT_PARSER_MAX = 1 << 20, EVENT_ID_SIZE = 48, EVENT_TYPE_SIZE = 32 };

struct event_parsed {
    const char *id;   // the last event id; "" if there is none
    bool has_id;      // whether this event has set it
    const char *type; // "": message
    const char *data; // not NUL-terminated; NULL: an event without data, which only sets the id
    size_t data_len;
};

// Must not reset or feed the parser. The event is valid during the call.
typedef void event_parser_cb(void *arg, const struct event_parsed *);

// Zero-initialise.
struct event_parser {
    struct buf line, data; // incomplete ones
    const char *in_place;  // the event's only data line so far, in the bytes being parsed
    size_t in_place_len;
    int32_t retry_ms;            // the newest one received; 0: none
    char id[EVENT_ID_SIZE];      // of the newest id line
    char last_id[EVENT_ID_SIZE]; // of the newest complete event: where a new request resumes
    char type[EVENT_TYPE_SIZE];
    uint8_t bom_matched; // bytes of a byte order mark matched; 3: past it
    bool has_id, has_data, after_cr;
};

// Parses the next bytes and calls on_event for each complete event. Returns false if a limit is exceeded:
// abandon the stream then.
bool event_parser_feed(struct event_parser *, const char *bytes, size_t len, event_parser_cb *on_event,
                       void *arg);

// Discards an incomplete event and its id, for a new stream. Keeps the last event id and the retry time.
void event_parser_reset(struct event_parser *);
