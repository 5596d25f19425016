// The reader's lease: while it is renewed, placement gives this reader videos. Control loop only.
#pragma once

#include <stdbool.h>

struct reader;

enum reader_lease_state {
    READER_LEASE_NEW,     // not answered yet
    READER_LEASE_OURS,    // no other process has taken it since, though it may have lapsed
    READER_LEASE_REFUSED, // another process holds it; it has never been ours
    READER_LEASE_LOST     // another process holds it now
};

// Whether another process holds it: then its URL does not mean this reader.
static inline bool reader_lease_is_anothers(enum reader_lease_state s) {
    return s >= READER_LEASE_REFUSED;
}

// Renews it at once, and from then on every READER_LEASE_EVERY_MS.
void reader_lease_start(struct reader *);

// Gives it up.
void reader_lease_drop(struct reader *);
