// An entry of a video's log: what it is, its kinds, and its form as JSON. Pure; any thread.
//
// An entry travels and is stored as fields. As JSON it is `{"id":"<at>",<body>}`; between processes, on a
// Redis channel, `"prev":"<prev>"` follows the id where it is set. Only this module composes and parses that
// (and lua/shared/position.lua, inside Redis).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"

struct buf;

enum entry_shown {
    SHOWN_NOTHING, // the entry only moves the position
    SHOWN_NUMBER,  // an `id:` without data: browsers note the position, and dispatch no event
    SHOWN_PLAIN,   // a plain `data:` event
    SHOWN_NAMED    // `event: <name>`; its JSON has "type":"<name>"
};

// All kinds: KIND(constant, number, name, what viewers are shown). A number is stored, so it keeps its
// meaning. Of an entry whose number is not listed, as a later version may append, nothing is shown.
#define ENTRY_KINDS(KIND)                                                                                    \
    KIND(ENTRY_TOMBSTONE, 0, "tombstone", SHOWN_NOTHING) /* a number without content */                      \
    KIND(ENTRY_COMMENT, 1, "comment", SHOWN_PLAIN)                                                           \
    KIND(ENTRY_RETRACT, 2, "retract", SHOWN_NAMED) /* of the comment `target` */                             \
    KIND(ENTRY_PURGE, 3, "purge", SHOWN_NAMED)     /* of all comments of `userid` that have lower numbers */ \
    KIND(ENTRY_PIN, 4, "pin", SHOWN_NAMED)         /* of the comment `target`; null: none is pinned now */   \
    KIND(ENTRY_START, 5, "start", SHOWN_NAMED)     /* of the video */                                        \
    KIND(ENTRY_END, 6, "end", SHOWN_NAMED)         /* of the video */                                        \
    KIND(ENTRY_BLANK, 7, "blank", SHOWN_NUMBER)    /* what is left of a comment that was taken out */

enum entry_kind {
#define ENTRY_KIND_CONSTANT(constant, number, name, shown) constant = number,
    ENTRY_KINDS(ENTRY_KIND_CONSTANT)
#undef ENTRY_KIND_CONSTANT
        ENTRY_UNREAD = 1000 // only in on_entry(): kind and body have to be read from the log (engine.h)
};
enum { ENTRY_KIND_MAX = 999 }; // what a later version may append

struct engine_entry {
    struct position at;   // not set for a message published without a number by another system: delivered as
                          // it is, it moves no position
    struct position prev; // set only on the first entry of an epoch: where the log stood before; on a
                          // tombstone, what comes after it was lost
    enum entry_kind kind;
    const char *body; // the members of a JSON object, without the braces: `"a":1,"b":2`; no member is called
                      // id, prev, kind or type; no line break in what has a number; not NUL-terminated
    size_t body_len;  // 0: no members; always so for a tombstone and a blank
};

// Returns the kind's name, or NULL for a number that is not listed.
const char *entry_kind_name(enum entry_kind);
enum entry_shown entry_shown(enum entry_kind);

// Whether it is a comment of this user.
bool entry_is_by(const struct engine_entry *, const char *user);

// Read what a retraction takes out, a comment, and whose a purge does. Return false if it does not say.
bool entry_target(const struct engine_entry *, struct position *);
bool entry_user(const struct engine_entry *, char *user, size_t size);

// Returns how many numbers are missing between an entry and the one before it that is known (`last`; not set:
// none); 0: none, -1: it is not known how many. An epoch that begins where the store has lost entries misses
// nothing that we have. *from, *to: the first and the last one that are missing.
int64_t entry_missed(struct position last, const struct engine_entry *, struct position *from,
                     struct position *to);

// Returns when it was posted, by the wall clock there; 0: it does not say.
int64_t entry_posted_ms(const struct engine_entry *);

// Adds the entry's JSON as viewers and posters see it: without `prev`, which is between the log and its
// readers.
void entry_write(struct buf *, const struct engine_entry *);

// Reads JSON as Redis publishes it, and as earlier versions stored it: {"id":…,"prev":…,"kind":…,<body>},
// where prev and kind (none: a comment) may be missing. Nothing but a number is a tombstone. What does not
// begin with an id of ours was published by another system: its position is not set. Returns false for what
// is no JSON object. The entry borrows from `json`.
bool entry_read(struct engine_entry *, const char *json, size_t len);
