// A position in a video's log: `<epoch>-<seq>` on the wire. The epoch is the wall-clock time of its start in
// milliseconds, or a number beyond the epochs before it where the clock is behind them, and only grows;
// within it seq counts up by one from 1. seq 0 is before the epoch's first entry, and epoch 0 means "no
// position". Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct position {
    uint64_t epoch;
    uint64_t seq;
};

// A clock that is behind the newest epoch of any video by this much or more has been set back; by less, two
// videos were begun at nearly the same time.
enum { POSITION_TEXT_SIZE = 42, POSITION_CLOCK_TOLERANCE_MS = 1000 };

// Writes `<epoch>-<seq>` and returns its length.
size_t position_format(struct position, char out[POSITION_TEXT_SIZE]);

// Parses digits, one dash, digits, and nothing else. Returns false if the text is anything else or a number
// does not fit.
bool position_parse(const char *text, size_t len, struct position *out);

// Returns a negative number, 0 or a positive one, as memcmp() does.
int position_compare(struct position, struct position);

struct position position_max(struct position, struct position);

static inline bool position_is_set(struct position p) {
    return p.epoch != 0;
}

// Returns whether a store can continue counting from the position: some of them count in doubles.
static inline bool position_is_plausible(struct position p) {
    return position_is_set(p) && p.epoch >> 52 == 0 && p.seq >> 52 == 0;
}
