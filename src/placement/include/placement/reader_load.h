// What a reader says of itself in its lease, beside its address and the number of its viewers: a JSON object,
// whose unknown members are ignored. Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine.h"

struct buf;

// A video that takes a part of the reader that is worth a word, or that the reader serves together with
// others.
struct reader_load_video {
    char video[ENGINE_VIDEO_MAX + 1];
    uint64_t viewers;
    uint64_t load; // in thousandths of a core: what its deliveries and heartbeats take
    bool in_set;
};
enum { READER_LOAD_VIDEOS = 16, READER_LOAD_NUMBER_MAX = 1000000000 }; // greater numbers are read as this

// All zero: it says nothing, as an older version.
struct reader_load {
    bool draining;                    // it gives its viewers away, and takes no videos
    uint64_t connects;                // viewers a second that it can take on, at most
    uint64_t machine;                 // that it shares with those that say the same; 0: it does not say
    uint64_t most;                    // viewers that it takes (--max-viewers)
    uint64_t cores;                   // thousandths of cores that it can use to send
    uint64_t used;                    // of those, lately
    struct reader_load_video *videos; // owned, at most READER_LOAD_VIDEOS
    size_t video_count;
};

// Returns whether it takes no more viewers.
static inline bool reader_load_is_full(const struct reader_load *l, uint64_t viewers) {
    return l->most && viewers >= l->most;
}

// Appends it as JSON.
void reader_load_write(struct buf *, const struct reader_load *);

// Reads it; what is no JSON, or NULL, says nothing.
void reader_load_read(struct reader_load *, const char *text);
void reader_load_release(struct reader_load *);

// Returns what it says of a video, or NULL.
const struct reader_load_video *reader_load_of(const struct reader_load *, const char *video);

// Returns how much of what it can do is in use, from 0 to 1 or more: of its cores, or of its viewers.
double reader_load_used(const struct reader_load *, uint64_t viewers);
