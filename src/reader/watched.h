// The videos of a reader that have viewers, or had some a moment ago: each with its stream and the names by
// which a mapping means this reader. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

struct reader;
struct stream;

struct watched {
    struct stream *stream;
    char *other_name; // by which a mapping means us, beside our reader_url; NULL: none
    UT_hash_handle hh;
    char video[];
};

// Returns the video's, or NULL.
struct watched *watched_find(const struct reader *, const char *video);

// Returns the video's; where there is none, opens its stream.
struct watched *watched_open(struct reader *, const char *video);

// Closes the stream and its viewers.
void watched_close(struct reader *, struct watched *);

// Whether a mapping to this URL means us. `w`: the video's, or NULL.
bool watched_means_us(const struct reader *, const struct watched *, const char *reader_url);

// Remembers that a mapping to this URL means us.
void watched_rename(const struct reader *, struct watched *, const char *reader_url);

// Lets go of videos that nobody has watched for unsubscribe_ms.
void watched_sweep(struct reader *, int64_t now_ms);

// Returns how many viewers they have together.
uint64_t watched_viewers(const struct reader *);
