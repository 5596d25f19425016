// Tracks the sequence numbers that one viewer has received of a video: detects missing, duplicate and late
// ones. Pure.
//
// Numbers run from 1 without holes within an epoch. How many there were between the last one received of an
// epoch and the next epoch is unknown, and not counted.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/position.h"

// Zero-initialise: nothing seen.
struct sequence {
    struct position last;
    uint64_t window; // bit i: last.seq - i was received (or announced as missed); all earlier ones count as
                     // received
};

enum sequence_verdict { SEQUENCE_FINE, SEQUENCE_DUPLICATE, SEQUENCE_LATE };

// Records the next entry. *skipped: how many numbers just before it are missing; one that arrives late was
// counted in an earlier call.
enum sequence_verdict sequence_take(struct sequence *, struct position, uint64_t *skipped);

// Returns how many entries just before it an event says were left out: `"more":N` at the end of its JSON. Not
// all of them need be missing.
uint64_t sequence_more(const char *json, size_t len);

// Counts everything up to `p` as accounted for: at a stream's start, or after an announced gap.
void sequence_jump(struct sequence *, struct position p);
