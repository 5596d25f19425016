// The videos of a reader that have viewers, or had some until recently: each with its broadcast, and the URLs
// by which a mapping means this reader. Control loop only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/name_table.h"
#include "placement/hot_set.h"
#include "broadcast.h"

struct ledger;
struct move;
struct reaction_watch;
struct reader;
struct reader_set;
struct room_watch;

struct watched {
    struct name_entry entry; // of reader.videos
    struct broadcast broadcast;
    struct ledger *ledger;
    char *alias_url;                  // another URL by which a mapping means this reader; NULL: none
    struct reaction_watch *reactions; // reactions.h; NULL: no viewer has asked
    struct move *move;                // moves.h; NULL: its viewers stay
    struct room_watch *room;          // room_events.h; NULL: no need yet
    struct hot_crowd crowd;           // all its viewers, here and elsewhere, if it is mentioned
    int64_t even_ms;                  // not before: to move viewers that are too many
    bool is_mentioned;                // in the lease: it takes a part of the reader
    bool in_set;                      // this reader serves it with others
    bool was_in_set;                  // or did: viewers that are left stay
    bool is_rechecked; // has had viewers that belong to the owner, not only ones that are served anywhere, or
                       // here because the owner is full
    char video[];
};

// Returns the video's entry, or NULL.
struct watched *watched_find(const struct reader *, const char *video);

// The same for a name of `len` bytes, as it stands in a message. NULL, too, if that is too long.
struct watched *watched_named(const struct reader *, const char *name, size_t len);

// Returns the video's entry, with an open broadcast; makes it if there is none.
struct watched *watched_open(struct reader *, const char *video);

// Closes the broadcast with its viewers, and frees the entry.
void watched_close(struct reader *, struct watched *);

// Returns the entry after `w` (NULL: the first), NULL after the last. name_table_next() says what may change
// between two calls.
struct watched *watched_next(const struct reader *, const struct watched *w);

// Returns whether a mapping to this URL means this reader. `w`: the video's entry, or NULL.
bool reader_owns_url(const struct reader *, const struct watched *w, const char *reader_url);

// Returns whether this reader is one of the set's (which may be NULL). watched_note_set() notes it for the
// video.
bool reader_is_member(const struct reader *, const struct reader_set *);
void watched_note_set(const struct reader *, struct watched *, const struct reader_set *);

// Remembers that a mapping of this video to this URL means this reader.
void watched_set_alias(const struct reader *, struct watched *, const char *reader_url);

// Records in the engine whether a video has viewers. The on_audience() of broadcasts.
void watched_on_audience(struct broadcast *, bool watched);

// Repeats some of these records, and sweeps the broadcasts.
void watched_sweep(struct reader *);

// Closes videos that have been idle for unsubscribe_ms, or all idle ones if there is no room for viewers; as
// many as fit into a turn. Returns whether more are due.
bool watched_close_idle(struct reader *);

// Makes room for a viewer by closing idle videos, longest idle first.
void watched_yield(struct reader *);
