// What moderators set for a video: how its room is written in, who may not, and what a comment is checked
// against because of it. The checks are carried out by the store, together with the append (engine.h), so
// that all processes answer as one. This module is what engines share: the form in which a room is stored,
// and the checks of those that carry them out themselves. (The one on Redis has them in lua/shared/gate.lua.)
// Pure; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/entry.h"

enum {
    ENGINE_DIGEST = 16, // bytes
    ROOM_BADGES = 8,
    ROOM_BADGE_MAX = 32, // bytes, of the characters of ids
    ROOM_ONLY_SIZE = ROOM_BADGES * (ROOM_BADGE_MAX + 1) + 1,
    ROOM_TEXT_SIZE = 512,
    ROOM_USER_MAX = 128,
    ROOM_BANS = 5000,      // of a video
    ROOM_HELD = 1000,      // comments of a video that wait
    ROOM_HELD_MS = 300000, // for so long for a moderator
    ROOM_HELD_ID_SIZE = 2 * ENGINE_DIGEST + 1
};

// All zero: nothing is set, and 0 is off.
struct engine_room {
    uint64_t revision;         // counts the writes
    int64_t slow_ms;           // between two comments of a user
    int64_t repeat_ms;         // for so long after a text the same one is refused, whoever posts it
    int64_t delay_ms;          // before a comment gets its number
    int64_t rate;              // comments a second, of all users; as many at once
    int64_t max_length;        // of a comment, in characters
    int64_t readable_rate;     // comments a second that are shown; only stored
    bool frozen;               // no comments
    bool hold;                 // comments wait for a moderator
    bool over;                 // the video has ended: no comments. Only ENTRY_END and _START change it
    struct position pinned;    // the comment that is pinned; not set: none. Only amendments change it
    char only[ROOM_ONLY_SIZE]; // badges, separated by commas: one of them is needed; empty: none is
};

// The form in which it is stored: `<revision> <slow_ms> <repeat_ms> <rate> <max_length> <frozen> <delay_ms>
// <hold> <readable_rate> <only, or *> <over> <pinned, or 0-0>`. A later version may append fields; an earlier
// one wrote no `pinned`, or no `over` either.
void room_write(char text[ROOM_TEXT_SIZE], const struct engine_room *);
bool room_read(struct engine_room *, const char *text);

// Reads a decimal number, after white space, and moves *text behind it. Returns false if there is none, or it
// does not fit.
bool room_next_number(const char **text, int64_t *number);

bool room_is_same(const struct engine_room *, const struct engine_room *);

// Makes of the room what an entry of this kind means for it, and counts the revision if that changes it. A
// purge is one retraction for each comment. Returns whether it has changed.
bool room_amend(struct engine_room *, enum entry_kind, struct position target);

// A user who may not write.
struct engine_ban {
    const char *user;
    int64_t until_ms; // by the store's wall clock; 0: until it is lifted
    bool shadow;      // the author is not to notice: REFUSED_SHADOWED
};

// Which of the checks a comment is subject to.
enum gate_checks {
    GATE_ALL,    // all of them
    GATE_WAITED, // it has waited: whether the video is over, and its author's ban
    GATE_FREE,   // a moderator's or a service's: whether the video is over
    GATE_HOLD    // all, and it waits for a moderator, whatever the room says
};

// Whether it is checked by all that the room has.
static inline bool gate_checks_all(enum gate_checks checks) {
    return checks == GATE_ALL || checks == GATE_HOLD;
}

// What a comment is checked against its video's room by. Without one it is not checked.
struct engine_gate {
    const char *author;
    const char *badges; // separated by commas; empty: none
    uint64_t text;      // a hash of its text, the same in all processes, by which repeats are found
    int64_t length;     // in characters
    const char *id; // by which it is called if it has to wait: its token's name, or random; in hexadecimal
    enum gate_checks checks;
    struct engine_refusal *refusal; // the answer for ENGINE_REFUSED; must stay until the callback
};

// Checked in this order.
#define ROOM_REFUSALS(REFUSAL)                                                                               \
    REFUSAL(REFUSED_OVER, "video_ended")                                                                     \
    REFUSAL(REFUSED_BANNED, "banned")                                                                        \
    REFUSAL(REFUSED_FROZEN, "frozen")                                                                        \
    REFUSAL(REFUSED_NOT_IN_ROOM, "not_in_room") /* `only` */                                                 \
    REFUSAL(REFUSED_TOO_LONG, "too_long")                                                                    \
    REFUSAL(REFUSED_SLOW, "slow_mode")                                                                       \
    REFUSAL(REFUSED_REPEATED, "repeated")                                                                    \
    REFUSAL(REFUSED_RATE, "video_too_fast") /* also if too many wait */                                      \
    REFUSAL(REFUSED_SHADOWED, "shadowed")   /* this and what follows: all else is fine */                    \
    REFUSAL(REFUSED_HELD, "held")           /* it is stored, and waits for a moderator */                    \
    REFUSAL(REFUSED_DELAYED, "delayed")     /* it is stored, and waits */

enum engine_refused {
#define ROOM_REFUSAL_CONSTANT(constant, code) constant,
    ROOM_REFUSALS(ROOM_REFUSAL_CONSTANT)
#undef ROOM_REFUSAL_CONSTANT
        ROOM_REFUSED
};

struct engine_refusal {
    enum engine_refused why;
    int64_t number;  // BANNED: until when, as in engine_ban; SLOW, REPEATED, RATE, HELD, DELAYED: for how
                     // long, ms; TOO_LONG: the room's max_length
    int64_t waiting; // HELD: how many of the video wait
};

// A comment that waits.
struct engine_held {
    const char *video, *id, *author;
    const char *body; // as in struct engine_entry
    size_t body_len;
    int64_t due_ms;                      // by the store's wall clock
    bool allows;                         // it is to be appended then; else it is to be dropped
    unsigned char digest[ENGINE_DIGEST]; // of the token to append it with, whose name is the id
    int64_t at_ms;                       // and of that, when it was posted
};

// Returns the stable word for it.
const char *room_refusal_code(enum engine_refused);
bool room_refusal_named(const char *code, enum engine_refused *);

// Whether a comment that was not appended counts for slow mode like one that was.
static inline bool room_refusal_counts(enum engine_refused why) {
    return why >= REFUSED_SHADOWED;
}

// What the store knows of the video and of the comment's author when a comment is checked.
struct room_look {
    const struct engine_room *room;
    const struct engine_ban *ban; // of the author; NULL: none
    int64_t wall_ms;              // for bans
    int64_t now_ms;               // by any clock, which those that follow were taken by
    int64_t author_ms, text_ms; // when the author's last comment, and this text, were accepted; or ROOM_NEVER
    double *paced_ms; // of the video: until when `rate` is used up; 0 at first. Raised if it is accepted
};
#define ROOM_NEVER INT64_MIN

// Returns whether the comment is accepted; else *refusal is why.
bool room_check(const struct engine_gate *, const struct room_look *, struct engine_refusal *);
