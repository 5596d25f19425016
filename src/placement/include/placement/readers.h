// The readers placement may choose from: leases as last listed, and the static list. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/policy.h"

struct engine_lease;

// Whether it is an http(s) URL of printable characters without quotes: what may stand in JSON and in a header
// as it is. Any thread.
bool placement_url_is_plain(const char *url);

// Whether a comma-separated list holds nothing but such URLs, and at least one. Any thread.
bool placement_urls_are_plain(const char *list);

// Whether `host` (a Host header) names just this URL: one with a path may share its host with other readers.
bool placement_url_is_at(const char *url, const char *host);

enum reader_state {
    READER_UNKNOWN, // never had a lease, not on the list
    READER_LIVE,
    READER_GONE // its lease has expired
};

// A row is judged by the clock of this process. The store's clock may be stepped, so its time
// (engine_lease.left_ms) is only a hint, for a lease seen for the first time and for the time between two
// listings.
struct reader_row {
    char *reader_url;
    char *public_url; // NULL: none
    enum reader_state state;
    uint64_t viewers;
    bool fixed;            // of the static list
    bool leased;           // has or had a lease
    bool listed;           // in the last listing
    uint64_t stamp;        // of its lease
    uint64_t generation;   // of its lease
    int64_t unchanged_ms;  // for so long, while the store answered, its lease has been seen unchanged
    int64_t vanished_ms;   // since when its lease is not listed any more; 0: it is
    int64_t may_return_ms; // until then, mappings to it are honoured though it is gone
};

enum {
    READERS_LEASE_MS = 3000,    // a lease seen unchanged for so long has ended
    READERS_VANISHED_MS = 3000, // one that is not listed any more counts as live for so long
    READERS_OUTAGE_MS = 1000,   // after an outage of the store of this length
    READERS_RECOVERY_MS = 2500  // no lease ends for so long, so that readers can renew theirs
};
// What had a lease that is not listed any more is known for so long to have had one.
#define READERS_FORGOTTEN_MS ((int64_t)31 * 24 * 60 * 60 * 1000)

struct readers {
    struct reader_row *rows; // leases and static ones, by URL
    size_t count, room;
    struct policy_candidate *live;
    size_t live_count;
    int64_t listed_ms;      // when the last listing came; 0: none has
    int64_t recovered_ms;   // until then no lease ends
    int grace_ms;           // for readers whose lease had ended before they were seen first
    int64_t grace_until_ms; // for those that give theirs up
    void (*on_change)(const char *reader_url, bool live); // somebody came or went; NULL: nobody wants to know
};

// grace_ms: readers that were started together come up one after the other. So that the first of them does
// not take the others' videos, a mapping to a reader whose lease has ended before it was seen first is
// honoured for this long. So is, for as long after the first listing, one to a reader that gives its lease
// up: where all are being started again, it comes back.
void readers_init(struct readers *, const char *static_readers, int grace_ms);
void readers_release(struct readers *);

// Takes over a new listing, sorted by URL. away_ms: how long the store has not answered since the last one;
// 0: it answered as usual. That time does not count against a lease. An ended lease stays listed for long; if
// a live one is missing, the store has lost its data, and the reader has a moment to write it again.
void readers_update(struct readers *, const struct engine_lease *, size_t count, int64_t now_ms,
                    int64_t away_ms);

const struct reader_row *readers_find(const struct readers *, const char *reader_url); // or NULL
enum reader_state readers_state(const struct readers *, const char *reader_url);
