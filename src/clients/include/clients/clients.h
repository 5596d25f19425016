// Simulated clients: viewers that check what they receive, comments posted at a fixed rate, and reports to
// the statistics service for the first CLIENT_REPORTS viewers. They know the system only by its HTTP URLs.
// Control loop only.
//
// Viewer N is `client-N` and `userN`; videos are `video1` and so on. At most CLIENTS_CONNECTING viewers at a
// time connect for the first time; those whose stream was cut wait for no other, but as long as they were
// told. Posting begins once every viewer has had a stream, or CLIENTS_PATIENCE_MS after the start.
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
    const char *token;                     // sent as Authorization: Bearer with all requests, or NULL
    int report_interval_ms;                // 0: 5000
    size_t viewers, videos;                // 0: as in the original, 19 viewers and 6 videos
    double rate; // comments per second in total; negative: one per viewer every 10 s
    bool talk; // as people do, under names and in bursts, instead of at an even rate; latency is not measured
    bool expects_outages; // a failure to connect is no warning: in a demo readers are killed on purpose
    const struct distribution_spec *distribution; // of viewers over videos; NULL: as in the original
    uint64_t seed;
};

// Starts the clients. Copies strings and distribution. The HTTP client must be freed after the clients and
// before the loop.
struct clients *clients_new(struct loop *, struct http_client *, const struct clients_config *);

// Changes the token that reports carry.
void clients_set_token(struct clients *, const char *token);

// Closes the streams. The memory is freed when the last pending request has completed.
void clients_free(struct clients *);

const struct tally *clients_tally(const struct clients *);

// Returns whether posting has begun and has not been stopped. Once stopped, it does not begin again.
bool clients_are_posting(const struct clients *);
void clients_stop_posting(struct clients *);

// Returns how many deliveries of comments answered 201 are still missing at viewers that are connected.
uint64_t clients_outstanding(const struct clients *);

// Returns whether every post has been answered.
bool clients_are_answered(const struct clients *);
