// What the parts of the checker share: checker.c, which follows each viewer and each writer through the
// events, checker_moderation.c, which knows the rules that come from what moderators did, checker_places.c,
// which knows where viewers may be served, and checker_end.c, which looks at what each of them has at the
// end.
#pragma once

#include "checker.h"
#include "known.h"
#include "moderation.h"

extern const char *const gap_reasons[3];

struct range {
    struct position from, to, asked; // asked: where the viewer's stream began
    struct position before, newest;  // where the viewer was; up to where its stream began with what it missed
    int64_t at_us, stream_us;        // stream_us: when it did
    unsigned reason;                 // of gap_reasons
};

// One viewer.
struct watcher {
    bool joined, left, follows, streaming;
    bool misses; // numbers, as has been found
    uint32_t video;
    enum journal_pace pace;
    struct position start, at, asked; // where its first stream began; what it has seen; what it asked for
    bool is_browser, began_full;      // began_full: its stream did when a reader was full
    int64_t began_us;                 // its first stream,
    int64_t stream_us;                // its present one
    int64_t left_us;                  // when it had its last stream; valid if it has left
    int64_t cut_us;                   // when its last stream ended
    unsigned redirects, streams;
    char instance[JOURNAL_WORD];
    const char *reader; // the same, in the journal
    bool went_back;     // a gap has told it that the store had
    bool *has;          // by index in the list of known comments of its video
    struct range *gaps;
    size_t gap_count;
    struct position newest; // up to which its stream began with what it missed
    uint64_t more;          // left out before what comes next
    bool over;              // it has got `end`, or that may be what a gap of a loss stands for
    bool at_end;            // it has got `end`, and since then nothing of what may follow a start
    int64_t asked_us;
    bool wants_all, wants_room;
    unsigned room;          // what was on in the last one that it got, as in JOURNAL_ROOM
    struct position pinned; // in that one
    int64_t room_us;        // when it got that; -1: it has not in this stream
    uint64_t reacted;       // with so many it was told that users have
};

// One comment of a writer.
struct post {
    uint32_t writer, number, video;
    bool keyed, answered;
    int64_t at_us; // when it was sent first
    struct position at;
    unsigned attempts;
    bool waits, hidden;  // that is what it was answered
    int64_t answered_us; // valid if it is stored, with 201
    bool stored;
};

enum { PLACES = 16, READERS_MAX = 9 };

// The reader that a comment came from, and when the stream was asked for in which it came.
struct source {
    const char *reader;
    int64_t since_us;
};

struct judge {
    struct verdict *v;
    const struct journal *j;
    struct known_list known;
    struct moderation moderation;
    struct watcher *watchers;
    size_t watcher_count;
    struct post *posts; // by writer and number
    size_t post_count;
    uint64_t kept;   // entries; 0: all
    int64_t calm_us; // -1: not yet
    bool tried[PLACES], accepted[PLACES];
    bool disturbs;    // something has failed that may end streams
    int64_t split_us; // when two servers first took writes, neither knowing of the other's; -1: not yet
    const struct journal_event **losses, **faults;
    size_t loss_count, fault_count;
    const struct journal_event **places; // where the store has had videos
    size_t place_count;
    int64_t full_us; // when a reader last had about as many viewers as it may have; 0: never
    const struct journal_event **orders;
    size_t order_count;
    uint64_t most;    // viewers of a reader, where videos may have several; 0: they have one
    uint64_t *reacts; // by video: how many reactions were sent
    size_t video_count;
    enum told { TOLD_UNKNOWN, TOLD_YES, TOLD_NO } * told; // by known comment: see all_have_ended()
    struct source *sources;                               // by event, of a viewer's comment
    struct known *tombstones;
    size_t tombstone_count;
};

__attribute__((format(printf, 4, 5))) void judge_find(struct judge *, int64_t at_us, const char *code,
                                                      const char *format, ...);

// Returns a position's text, of which four are valid at a time.
const char *text_of(struct position);

// Returns the comment of a writer, or NULL.
struct post *post_find(struct judge *, uint32_t writer, uint32_t number);

// Whether a comment may have been taken by one of two servers that were in front side by side.
bool is_since_split(const struct judge *, const struct known *);

// Whether all faults have been over for so long that nothing is delayed any more.
bool is_settled(const struct judge *, int64_t at_us);

// The rules of checker_moderation.c. Answers to writers: JOURNAL_STORED, _WAITS, _HIDDEN, _ALLOWED, and
// whether JOURNAL_REFUSED may be right.
void judge_answer(struct judge *, const struct journal_event *, const struct post *);
bool may_be_refused(const struct judge *, const struct journal_event *, const struct post *);
// A comment that a viewer got, before its position has moved.
void judge_shown(struct judge *, const struct watcher *, const struct journal_event *, const struct known *);
// A comment, another entry, or the number of what was deleted is explained by what moderators did.
void judge_explained(struct judge *, const struct journal_event *);
void take_more(struct judge *, struct watcher *, const struct journal_event *);
void take_reacted(struct judge *, struct watcher *, const struct journal_event *);
// Of the end of a video.
bool may_be_over(const struct judge *, const struct watcher *, int64_t from_us, int64_t to_us);
bool is_begun_again(const struct judge *, const struct watcher *, int64_t at_us);
void judge_over(struct judge *, const struct watcher *, const struct journal_event *);
// Answers to moderators.
void take_done(struct judge *, const struct journal_event *);
void take_listed(struct judge *, size_t i);
// At the end. judge_moderated_end(): when all has been calm for long.
void judge_moderated(struct judge *);
void judge_moderated_end(struct judge *, int64_t end_us);
// Returns how many comments were deleted, and may have been lost later: nothing shows that.
size_t judge_forgotten(const struct judge *, int64_t at_us);

// At the end, of the room that a viewer knows (checker_room.c).
void judge_room(struct judge *, int64_t end_us, size_t who);

// The rules of checker_places.c.
void take_placed(struct judge *, const struct journal_event *);
void take_order(struct judge *, const struct journal_event *);
// Whether a stream may be ended so that the readers of a set have as many viewers each. Not to shrink it.
bool may_be_moved(const struct judge *, const struct watcher *, int64_t at_us);
// Returns whether a reader is full, or lately was. To be called when a stream begins, and before one ends.
bool note_full(struct judge *, int64_t at_us);
void judge_places_end(struct judge *, int64_t end_us);

// Whether a fault ends the process of that name, or the one that has all parts, between the two times.
bool ends_between(const struct judge *, const char *name, int64_t from_us, int64_t to_us);

// The end of the journal; `end` is NULL if it has none.
void judge_end(struct judge *, const struct journal_event *end);
