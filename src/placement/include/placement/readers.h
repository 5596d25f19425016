// The table of readers that placement may choose from: the leases last listed, and the static list. Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "placement/policy.h"
#include "placement/reader_load.h"

struct engine_lease;

// Returns whether it is an http(s) URL of printable characters without quotes, which needs no escaping in
// JSON or in a header. Any thread.
bool placement_url_is_plain(const char *url);

// Returns whether a comma-separated list has only such URLs, and at least one. Any thread.
bool placement_urls_are_plain(const char *list);

// Returns whether `host` (a Host header) is all of this URL after the scheme: one with a path may share its
// host with other readers.
bool placement_url_is_at(const char *url, const char *host);

enum reader_state {
    READER_UNKNOWN, // never had a lease, not on the list
    READER_LIVE,
    READER_GONE // its lease has expired
};

// Judged by the clock of this process. The store's clock may be stepped, so its time (engine_lease.left_ms)
// is only a hint, for a lease seen for the first time and for the time between two listings.
struct reader_row {
    char *reader_url;
    char *public_url;  // NULL: none
    char *instance_id; // as in its lease; NULL: it never had one
    enum reader_state state;
    uint64_t viewers;
    struct reader_load load;
    char *load_text;       // as it was read
    bool fixed;            // in the static list
    bool leased;           // has or had a lease
    bool listed;           // in the last listing
    bool given_up;         // by the reader itself, which has stopped
    uint64_t stamp;        // of its lease
    uint64_t generation;   // of its lease
    int64_t unchanged_ms;  // how long its lease has been unchanged, while the store answered
    int64_t silent_ms;     // the same, and while the store was away
    unsigned tries;        // requests sent to its address until it first answered (presence.h)
    bool asked;            // one is under way
    bool answers, refuses; // of this generation: has answered one; has refused one since its last renewal
    int64_t vanished_ms;   // since when its lease is no longer listed; 0: it is listed
    int64_t may_return_ms; // until then, mappings to it are kept although it is gone
};

enum {
    READERS_LEASE_MS = 3000,    // a lease unchanged for this long has ended
    READERS_VANISHED_MS = 3000, // one that is no longer listed counts as live for this long
    READERS_OUTAGE_MS = 1000,   // after an outage of the store of this length
    READERS_RECOVERY_MS = 2500, // no lease ends for this long, so that readers can renew theirs
    READERS_RENEWED_MS = 1500   // and none of a reader whose address refuses for this long: time enough to
                                // connect to the store again, and for the longest pause between two attempts
};
// A reader whose lease is no longer listed is remembered for this long.
#define READERS_FORGOTTEN_MS ((int64_t)31 * 24 * 60 * 60 * 1000)

struct readers {
    struct reader_row *rows; // sorted by URL
    size_t count, room;
    struct policy_candidate *live; // those that may be given videos
    size_t live_count;
    bool drains;            // there are live ones beside them, which are draining
    int64_t listed_ms;      // time of the last listing; 0: there was none
    int64_t recovered_ms;   // until then no lease ends
    int64_t answering_ms;   // since when the store has answered as usual
    int grace_ms;           // for readers whose lease had ended when they were first seen
    int64_t grace_until_ms; // for readers that give their lease up
    void (*on_change)(const char *reader_url, bool live); // a reader came or went; may be NULL
};

// grace_ms: readers that are started together come up one after the other. So that the first one does not
// take the videos of the others, a mapping to a reader whose lease had ended when it was first seen is kept
// for this long. For as long after the first listing, so is a mapping to a reader that gives its lease up:
// where all are being restarted, it comes back.
void readers_init(struct readers *, const char *static_readers, int grace_ms);
void readers_release(struct readers *);

// What a request to the address of a reader has shown.
enum reader_presence { PRESENCE_UNKNOWN, PRESENCE_ANSWERS, PRESENCE_REFUSES };

// Takes over a new listing, sorted by URL. away_ms: how long the store has not answered since the last one;
// 0: it answered as usual. That time does not count against a lease, unless the reader's address, which has
// answered before, refuses connections, and the reader has had time to renew its lease since: then it is
// dead. A lease that has ended stays listed for long; if a live one is missing, the store has lost its data,
// and the reader has a moment to write it again.
void readers_update(struct readers *, const struct engine_lease *, size_t count, int64_t now_ms,
                    int64_t away_ms);

// The request was sent when the lease was this one: an answer counts for its generation, a refusal only until
// it is renewed. Counts from the next listing on.
void readers_note_presence(struct readers *, const struct engine_lease *, enum reader_presence);

const struct reader_row *readers_find(const struct readers *, const char *reader_url); // or NULL

// Whether it says that it has as many viewers as it may have.
bool readers_is_full(const struct readers *, const char *reader_url);

// Whether its videos are to be given to others: it is draining, and there are others.
bool readers_is_draining(const struct readers *, const char *reader_url);

// Whether its videos are to be given to others: its lease has ended and it will hardly return, or it is
// draining.
bool readers_has_gone(const struct readers *, const char *reader_url, int64_t now_ms);
enum reader_state readers_state(const struct readers *, const char *reader_url);
