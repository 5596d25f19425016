// Simulated clients: viewers that check what they get, comments posted at a fixed pace, and a report to the
// statistics service for each of the first CLIENT_REPORTS viewers. They know the system only by its HTTP
// addresses. Control loop only.
//
// Viewer N is `client-N` and `userN`, its video `video1` and so on. At most CLIENTS_CONNECTING viewers
// connect at a time. Posting begins once every viewer has had its stream, or CLIENTS_PATIENCE_MS after the
// start.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/distribution.h"
#include "clients/tally.h"

struct http_client;
struct loop;
struct clients;

enum { CLIENTS_CONNECTING = 64, CLIENTS_PATIENCE_MS = 30000 };

struct clients_config {
    const char *manager_url, *comment_url; // http://host:port
    const char *statistics_url;            // NULL or "": no reports
    const char *token;                     // sent with them as Authorization: Bearer, or NULL
    int report_interval_ms;                // 0: 5000
    size_t viewers, videos;                // 0: the original's, 19 on 6
    double rate;                           // comments per second in all; negative: one per viewer every 10 s
    const struct distribution_spec *distribution; // of viewers over videos; NULL: the original's shares
    uint64_t seed;
};

// Strings and the distribution are copied. The client must be freed after the clients, and before the loop.
struct clients *clients_new(struct loop *, struct http_client *, const struct clients_config *);

// Closes the streams. The memory goes when the last call under way is over.
void clients_free(struct clients *);

const struct tally *clients_tally(const struct clients *);

bool clients_are_posting(const struct clients *); // has begun
void clients_stop_posting(struct clients *);

// Returns how many comments answered 201 have not arrived yet, at viewers that are connected.
uint64_t clients_outstanding(const struct clients *);

// Whether no post waits for its answer.
bool clients_are_answered(const struct clients *);
