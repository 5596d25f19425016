// Which videos are to go from which reader to which, so that readers have about as many viewers. Only where
// they are far apart, and never many viewers at once: each move makes them reconnect. The coldest videos
// first, because they move for a few reconnects. Pure.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REBALANCE_AT_PERCENT = 125,     // of the mean, which one reader has to exceed
    REBALANCE_TO_PERCENT = 105,     // where it is to come to, and no other beyond
    REBALANCE_AFTER_MS = 60000,     // for so long it has to
    REBALANCE_PER_CENT_A_MINUTE = 1 // of all viewers may move
};

struct rebalance_reader {
    const char *url; // borrowed
    uint64_t viewers;
    uint64_t most; // that it may have; 0: not known
};

// A video of one reader alone.
struct rebalance_video {
    const char *video; // borrowed
    size_t reader;     // index of its reader
    uint64_t viewers;
};

struct rebalance_move {
    const struct rebalance_video *video;
    size_t to; // index of a reader
};

// Returns the most viewers that a reader has, in percent of the mean; 0 if there are none.
uint64_t rebalance_spread(const struct rebalance_reader *, size_t count);

// Whether this reader has more than it should have in the end, and how many too many.
uint64_t rebalance_surplus(const struct rebalance_reader *, size_t count, size_t reader);

// Sorts the videos, the coldest first, and writes at most `video_count` moves, of at most `budget` viewers in
// all. Returns how many.
size_t rebalance_plan(const struct rebalance_reader *, size_t count, struct rebalance_video *,
                      size_t video_count, uint64_t budget, struct rebalance_move *);

// When to move, and how many. Zero-initialise.
struct rebalance_pace {
    int64_t uneven_ms; // since when one reader has too many; 0: none has
    int64_t at_ms;     // of the last call
    double viewers;    // that may move by now
};

// To be called about once a second. Returns whether readers have been uneven for long enough.
bool rebalance_watch(struct rebalance_pace *, uint64_t spread, uint64_t viewers, int64_t now_ms);
