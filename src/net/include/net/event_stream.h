// Framing of text/event-stream (WHATWG HTML, 9.2.5 and 9.2.6). Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buf;

// Appends one event. `id` and `event` may be NULL and must not contain line breaks; the data is split into
// `data:` lines at CR, LF and CR LF, so that nothing in it can end the event or begin a field.
void event_stream_add_event(struct buf *, const char *id, const char *event, const char *data, size_t len);

// The times that clients are given to reconnect after are spread between these, so that those that were cut
// off together do not come back together. Those of a crowd are spread over as long as it needs, and begin
// when a server that has died is known to be dead: before that they would come in vain, and again.
enum {
    EVENT_STREAM_RETRY_MIN_MS = 500,
    EVENT_STREAM_RETRY_MAX_MS = 2500,
    EVENT_STREAM_RETRY_CROWD_MIN_MS = 4000
};

// Returns such a time, drawn at random, for a crowd that is spread over `crowd_ms`; 0: no crowd.
uint32_t event_stream_draw_retry(uint32_t crowd_ms);

// Appends a `retry:` field with a time that is drawn so; it becomes part of the event that follows.
void event_stream_add_retry(struct buf *, uint32_t crowd_ms);

// A comment line, which is not an event: keeps proxies from timing out and detects dead peers.
extern const char event_stream_heartbeat[];
enum { EVENT_STREAM_HEARTBEAT_LEN = 3 };
