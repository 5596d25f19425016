// The videos of a reader that have viewers, or had some a moment ago: each with its stream and the names by
// which a mapping means this reader. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/name_table.h"
#include "broadcast.h"

struct reader;

struct watched {
    struct name_entry entry; // the reader's
    struct broadcast broadcast;
    char *alias_url; // by which a mapping means us, beside our reader_url; NULL: none
    char video[];
};

// Returns the video's, or NULL.
struct watched *watched_find(const struct reader *, const char *video);

// Returns the video's; where there is none, opens its stream.
struct watched *watched_open(struct reader *, const char *video);

// Closes the stream and its viewers.
void watched_close(struct reader *, struct watched *);

// Returns the one after `w` (NULL: the first), NULL behind the last; what may happen meanwhile says
// name_table_next().
struct watched *watched_next(const struct reader *, const struct watched *w);

// Whether a mapping to this URL means us. `w`: the video's, or NULL.
bool reader_owns_url(const struct reader *, const struct watched *, const char *reader_url);

// Remembers that a mapping to this URL means us.
void watched_set_alias(const struct reader *, struct watched *, const char *reader_url);

// Notes in the engine that the first viewer of a video has come, or the last one has left.
void watched_on_audience(struct broadcast *, bool watched);

// Repeats some of those notes; and sweeps the streams.
void watched_sweep(struct reader *);

// Closes videos without viewers for unsubscribe_ms, and where there is no room for viewers all without any,
// as many as fit into a turn. Returns whether more are due.
bool watched_close_idle(struct reader *);

// Makes room for a viewer by closing videos without any, those left longest first.
void watched_yield(struct reader *);
