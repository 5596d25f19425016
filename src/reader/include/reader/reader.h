// The reader role: holds the viewers' event streams of the videos that are its own, and sends everybody else
// to the reader whose they are. Its viewers live on the fan-out's workers; all else is on the control loop.
#pragma once

#include <stdint.h>

#include "placement/readers.h"
#include "service/service.h"

struct fanout;
struct history_budget;
struct http_client;
struct http_route;
struct placement;
struct reader;

// Others judge a lease to have ended after the same time (placement/readers.h).
enum { READER_LEASE_TTL_MS = READERS_LEASE_MS, READER_LEASE_EVERY_MS = 1000 };

struct reader_config {
    struct service_config service;
    const char *reader_url; // what services use, and its name in mappings
    const char *public_url; // for browsers; NULL: the same
    int stall_ms;           // a viewer that acknowledges nothing for this long is gone
    int unsubscribe_ms;     // a video without viewers is let go after this
};

struct reader *reader_new(struct loop *, struct engine *, struct placement *, struct fanout *,
                          struct history_budget *, struct http_client *, const struct reader_config *);

// Closes all streams and gives the lease up. What it has asked the engine may still be answered:
// reader_free() comes after the engine is closed.
void reader_stop(struct reader *);
void reader_free(struct reader *);

extern const struct http_route *const reader_tables[]; // ended by NULL
extern const struct metric reader_metrics[];
