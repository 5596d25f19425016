// When a hot video gets more readers and when fewer, which, and which of them gets the next viewer. Pure:
// time and chance are passed in. Used by managers, readers and the simulation. Any thread.
//
// All is measured in readers: a video with a load of 1.0 would take all that one reader can do.
//
// A set grows when its readers have had more than HOT_GROW of it each, on average, for grow_ms: to as many as
// then have HOT_FILL. It shrinks, by one reader at a time, when they have had less than HOT_SHRINK for
// shrink_ms, and never to a size at which they would have more than HOT_FILL. So a load that swings around
// the upper mark makes it grow once, and is far from the lower one then.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader_load;
struct reader_load_video;

#define HOT_GROW    0.60
#define HOT_FILL    0.45
#define HOT_SHRINK  0.25
#define HOT_VIEWERS 0.40 // as many of a reader's --max-viewers count as much as HOT_GROW of what it can send
#define HOT_EVEN    1.10 // a reader with so many times the average of its set moves viewers away
enum { HOT_GROW_MS = 1000, HOT_SHRINK_MS = 300000 };

// Returns what a video takes of a reader: of what it can send, or of the viewers that it may have.
double hot_set_share(const struct reader_load *, const struct reader_load_video *);

// The same, from these two fractions.
double hot_set_share_of(double sent, double held);

// Returns how many readers have HOT_FILL of that load each, at most.
size_t hot_set_filled(double load);

struct hot_times {
    int64_t grow_ms, shrink_ms;
};

// Of one video. Zero-initialise; and again when its set has changed.
struct hot_video {
    int64_t above_ms, below_ms; // since when; 0: it is not
};

// Returns how many readers the video is to have, which has `count` now: from 1 to `most`. To be called often.
// The load is that of all readers together.
size_t hot_set_size(struct hot_video *, double load, size_t count, size_t most, const struct hot_times *,
                    int64_t now_ms);

// A reader that is in the set, or may become so.
struct hot_candidate {
    double used;      // of what it can do, for all its videos
    uint64_t viewers; // of this video
};

// Return the index of the one that joins (the least used), or leaves (the one with the fewest viewers, but
// never the first). count > 0, or > 1.
size_t hot_set_joins(const struct hot_candidate *, size_t count);
size_t hot_set_leaves(const struct hot_candidate *, size_t count);

// Returns the index of the one that the next viewer goes to: the better of two, which are drawn by what they
// have free. The better one has clearly less in use, or else fewer viewers. count > 0.
size_t hot_set_choose(const struct hot_candidate *, size_t count, uint64_t chance);

// Whether a viewer that has come to `own` is better sent on to `other`.
bool hot_set_sends_on(const struct hot_candidate *own, const struct hot_candidate *other);

// Returns how many viewers member `own` has too many.
uint64_t hot_set_surplus(const struct hot_candidate *, size_t count, size_t own);

// How many of a set's viewers there are, and how many more each second.
struct hot_crowd {
    uint64_t all;
    double arrivals;
    int64_t at_ms; // 0: not counted yet
};

// Counts again. Zero-initialise; to be called about once a second, also before there is a set.
void hot_crowd_count(struct hot_crowd *, const struct hot_candidate *, size_t count, int64_t now_ms);

// Returns how many viewers member `own` is to move now: its surplus, unless those that come make up for it
// soon, and it is not busy.
uint64_t hot_set_moves(const struct hot_candidate *, size_t count, size_t own, const struct hot_crowd *);
