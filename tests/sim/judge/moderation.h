// What moderators asked for, and when it was acknowledged: the rules that come from that
// (docs/moderation.md), held against a journal. Pure. What the store has lost since, it may have lost of
// this, too.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/position.h"
#include "journal.h"
#include "known.h"

enum deed_kind {
    DEED_RETRACT, // `target`
    DEED_PIN,     // `target`; not set: what is pinned is taken off
    DEED_PURGE,   // `writer`, who is banned, too
    DEED_BAN,     // `writer`, until that is lifted
    DEED_TIMEOUT, // `writer`, for `amount` seconds
    DEED_SHADOW,  // `writer`, who is not to notice
    DEED_LIFT,    // `writer`
    DEED_FREEZE,
    DEED_THAW,
    DEED_RATE, // `amount` comments a second are shown; 0: all
    DEED_SLOW, // `amount` milliseconds between two comments of a user; 0: any
    DEED_SIZE, // `amount` characters at most; 0: any
    DEED_HOLD, // comments wait for a moderator
    DEED_PASS,
    DEED_END,
    DEED_START,
    DEED_ALLOW, // comment `amount` of `writer`, which waits
    DEED_DENY,
    DEED_KINDS
};

// The words of JOURNAL_ACT.
extern const char *const deed_words[DEED_KINDS];

// What a moderator sets, and has one value at a time.
enum room_state {
    STATE_BAN,
    STATE_FROZEN,
    STATE_RATE,
    STATE_SLOW,
    STATE_SIZE,
    STATE_HOLD,
    STATE_OVER,
    STATES
};

// Its values, each a bit: those of STATE_BAN, and for all others off and on.
enum { BAN_NONE = 1, BAN_FULL = 2, BAN_TIMEOUT = 4, BAN_SHADOW = 8, STATE_OFF = 1, STATE_ON = 2 };

struct deed {
    enum deed_kind kind;
    uint32_t moderator, video, writer;
    struct position target;
    uint64_t amount;
    int64_t sent_us, acked_us; // -1: it never was
    bool gone;                 // the comment was not there, or did not wait
    bool unsure;               // an attempt had no answer, and may be done later
};

struct moderation {
    struct deed *deeds; // in the order in which they were sent
    size_t count;
    struct known *entries;    // of the log, that viewers got: number is the kind, writer that of a purge
    struct position *targets; // of them
    size_t entry_count;
    const struct journal_event **losses; // what may lose what was done
    size_t loss_count;
    int64_t *steps; // when a clock was stepped
    size_t step_count;
};

// Reads the journal, which has to stay.
void moderation_collect(struct moderation *, const struct journal *);
void moderation_release(struct moderation *);

// Whether the store may have lost, up to `to_us`, something of a video that was done at `from_us`.
bool moderation_may_be_lost(const struct moderation *, uint32_t video, int64_t from_us, int64_t to_us);

// Returns the values that a state may have had at some moment of a time. `writer` is 0 but for STATE_BAN.
unsigned moderation_values(const struct moderation *, enum room_state, uint32_t video, uint32_t writer,
                           int64_t from_us, int64_t to_us);

// Whether a clock was stepped between the two times.
bool moderation_is_stepped(const struct moderation *, int64_t from_us, int64_t to_us);

// Returns the least, or the most, that DEED_SLOW or DEED_SIZE has set on a video; 0: it never has.
uint64_t moderation_least(const struct moderation *, enum deed_kind, uint32_t video);
uint64_t moderation_most(const struct moderation *, enum deed_kind, uint32_t video);

// Returns when the last one was sent before then; -1: none was.
int64_t moderation_last(const struct moderation *, enum deed_kind, uint32_t video, int64_t by_us);

// Whether a comment may have been deleted by then. `writer` 0: it is not known whose it is.
bool moderation_may_have_removed(const struct moderation *, uint32_t video, struct position, uint32_t writer,
                                 int64_t by_us);

// Returns what surely deleted a comment before `from_us`, and is still in force at `to_us`, or NULL.
// `acked_us`: when the comment was acknowledged; -1: it never was.
const struct deed *moderation_has_removed(const struct moderation *, uint32_t video, struct position,
                                          uint32_t writer, int64_t acked_us, int64_t from_us, int64_t to_us);

// Returns the number of the retraction or purge that deletes a comment and has a number up to `newest`; not
// set: there is none.
struct position moderation_removal(const struct moderation *, const struct known *, struct position newest);

// Whether any viewer has got the retraction of a comment, or a purge.
bool moderation_is_told(const struct moderation *, const struct known *);

// Returns the deed that an answer (JOURNAL_DONE) is about, or NULL.
const struct deed *moderation_of_answer(const struct moderation *, const struct journal_event *);

// Returns the last deed of a kind about a comment or a user that was sent before then, or NULL. `amount`
// counts only for DEED_ALLOW and DEED_DENY.
const struct deed *moderation_find(const struct moderation *, enum deed_kind, uint32_t video, uint32_t writer,
                                   uint64_t amount, int64_t by_us);

// Whether a moderator asked for what an entry of the log says, before a viewer got it.
bool moderation_explains(const struct moderation *, const struct journal_event *);
