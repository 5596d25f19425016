// What happens to videos, for the feed of dashboards: sent by every process through the engine's messages
// (topic EVENT_FEED_TOPIC), as JSON with a `kind`. At most EVENT_FEED_PER_S a second; the next one says in
// `more` how many of its kind or another were left out. It may be lost. Embedded; zero-initialise. Control
// loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct engine;

enum { EVENT_FEED_PER_S = 5 };
#define EVENT_FEED_TOPIC "events"

struct event_feed {
    int64_t second;
    unsigned sent; // in this second
    uint64_t left_out;
};

// Returns whether an event would be sent now; if not, counts it as left out. So that a flood is not even
// made into JSON.
bool event_feed_has_room(struct event_feed *, int64_t now_ms);

// Sends an event, whose reference it takes. Only after event_feed_has_room().
void event_feed_send(struct event_feed *, struct engine *, json_t *event);
