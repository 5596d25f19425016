// What one viewer has seen of a video's numbers: finds what is missing, came twice, or came late. Pure.
//
// Numbers run from 1 without holes within an epoch. What lies between the last number seen of one epoch and
// the next epoch cannot be known, and is not counted.
#pragma once

#include <stdint.h>

#include "base/position.h"

// Zero-initialise: nothing seen.
struct sequence {
    struct position last;
    uint64_t window; // bit i: last.seq - i was seen (or announced as missed); further back all count as seen
};

enum sequence_verdict { SEQUENCE_FINE, SEQUENCE_DUPLICATE, SEQUENCE_LATE };

// Takes the next entry. *skipped: numbers before it that have not come; one that comes late after all was
// counted here before.
enum sequence_verdict sequence_take(struct sequence *, struct position, uint64_t *skipped);

// Everything up to `p` is accounted for: a stream's start, or an announced gap.
void sequence_jump(struct sequence *, struct position p);
