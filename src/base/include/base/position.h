// A place in a video's log: `<epoch>-<seq>` on the wire. The epoch is wall-clock milliseconds of its start
// and only grows; seq counts up by one from 1 within it. seq 0 is before the epoch's first entry, and epoch 0
// means "no position". Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct position {
    uint64_t epoch;
    uint64_t seq;
};

// A clock this far or more behind the newest epoch of any video has gone back; with less, two videos were
// merely begun at once.
enum { POSITION_TEXT_SIZE = 42, POSITION_CLOCK_TOLERANCE_MS = 1000 };

// Writes `<epoch>-<seq>` and returns its length.
size_t position_format(struct position, char out[POSITION_TEXT_SIZE]);

// Reads digits, one dash, digits, and nothing else. Returns false if it is not that, or does not fit.
bool position_parse(const char *text, size_t len, struct position *out);

// Negative, 0 or positive, as memcmp.
int position_compare(struct position, struct position);

static inline bool position_is_set(struct position p) {
    return p.epoch != 0;
}

// Whether the stores can count on from it: some of them do so in doubles.
static inline bool position_is_plausible(struct position p) {
    return position_is_set(p) && p.epoch >> 52 == 0 && p.seq >> 52 == 0;
}
