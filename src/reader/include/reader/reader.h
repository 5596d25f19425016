// The reader role: holds the event streams of the videos that it owns, and redirects other viewers to the
// reader that owns theirs. Viewers live on the fan-out's workers; everything else is on the control loop.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "placement/readers.h"
#include "service/service.h"

struct crowd;
struct fanout;
struct history_budget;
struct http_client;
struct http_route;
struct placement;
struct reader;

// Other processes count a lease as ended after the same time (placement/readers.h).
enum { READER_LEASE_TTL_MS = READERS_LEASE_MS, READER_LEASE_EVERY_MS = 1000 };

struct reader_config {
    struct service_config service;
    const char *reader_url; // for services, and its name in mappings
    const char *public_url; // for browsers; NULL: the same
    int heartbeat_ms;       // what the fan-out does; told to viewers that ask for less
    int stall_ms;           // a viewer that acknowledges nothing for this long is disconnected
    int unsubscribe_ms;     // a video is closed this long after its last viewer left
    struct crowd *crowd;    // of the process; NULL: it has no bound
    unsigned cores; // that it can use to send, in thousandths; 0: it does not serve videos with others
};

struct reader *reader_new(struct loop *, struct engine *, struct placement *, struct fanout *,
                          struct history_budget *, struct http_client *, const struct reader_config *);

// Changes the times of its configuration.
void reader_set_times(struct reader *, int heartbeat_ms, int stall_ms, int unsubscribe_ms);

// Begins, or ends, to give its viewers to other readers, at a pace; it goes on serving and redirecting.
void reader_drain(struct reader *, bool on);

uint64_t reader_viewers(const struct reader *);

// Closes all streams and gives the lease up. The engine may still answer its queries, so reader_free() comes
// after the engine is closed.
void reader_stop(struct reader *);

// After reader_stop(), to be called until it returns true: once the streams have ended, reports what has not
// been reported yet of their ledgers. Returns true once that is accepted, or a report is not accepted.
bool reader_takes_leave(struct reader *);
void reader_free(struct reader *);

// Ends it as kill -9 ends a process, instead of reader_stop(): streams are reset, nothing more is sent, the
// lease is left to lapse. What the engine still answers has no effect; so reader_free() comes once
// reader_is_settled(), in a later turn, or after the engine is closed.
void reader_kill(struct reader *);
bool reader_is_settled(const struct reader *);

extern const struct http_route *const reader_tables[]; // ended by NULL
extern const struct metric reader_metrics[];
