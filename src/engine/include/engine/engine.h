// An engine carries comments from the roles that accept them to the roles that show them, keeps each video's
// log, and keeps the state the roles share: mappings, leases, counters. There are several behind this one
// table of operations, and no role knows which one it uses.
//
// Every operation is called on the process's control loop and calls back on it, exactly once, never from
// inside the call. Strings and entries passed to an operation are copied before it returns; what a callback
// is passed belongs to the engine and is valid during the callback. Operations on one video take effect in
// the order of the calls, except that a range and a head may include entries appended after the call; across
// videos there is no order. The number of pending operations is bounded: beyond that ENGINE_BUSY.
//
// The log. A video's entries are numbered without holes within an epoch. Next to the entries the store keeps
// a position (the last number given, and the run: the history that the store's data belongs to), for far
// longer than the entries. When the run has changed (the store was restarted, a replica was promoted, data
// came from elsewhere), the next append begins a new epoch, greater than the old one and than any that the
// caller or the engine has seen, whatever the clock says. Its first entry carries `prev`, the last position
// that the store knows: a viewer at prev continues unaffected; one beyond it has seen entries that the store
// has lost, and gets a gap. So a number is never used twice.
//
// A loss. Callers pass the highest position they know (head(), append(); the engine adds what it knows
// itself). If the store's position is lower, or its epoch began lower, it has lost acknowledged entries, and
// begins an epoch whose first entry is a tombstone, published like any other: every viewer gets a gap,
// including one at the very position that is left, since it may have missed what was lost. `prev` of the
// tombstone, if set, is where the loss begins. A loss cannot be announced if no running process knows a lost
// entry: a comment API remembers the videos it appended to last, a reader those that were watched there. Nor
// can one that becomes known only many epochs later.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/durations.h"
#include "base/position.h"
#include "engine/entry.h"
#include "engine/limits.h"
#include "engine/room.h"

enum engine_status {
    ENGINE_OK,
    ENGINE_NOT_FOUND,   // no such mapping, or comment
    ENGINE_FULL,        // max_videos is reached, and all of them are in use; nothing was stored
    ENGINE_BUSY,        // too many operations are pending; nothing was done; try again soon
    ENGINE_UNAVAILABLE, // the store is not available now (server lost, disk full); try again later. For an
                        // append it is unknown whether it was done: a repeat with the same token finds out.
                        // It may even be done afterwards, ENGINE_LATE_MS after the call at the latest (by the
                        // store's clock), and so behind appends that were called later
    ENGINE_CLOSED,      // the engine was closed before it was done
    ENGINE_STORE_FULL,  // the store has no memory for more entries; nothing was stored; all other operations
                        // work
    ENGINE_KEY_REUSED,  // an append with this token and another digest came first; nothing was stored
    ENGINE_REFUSED      // the video's room does not admit the comment (room.h); nothing was stored
};

struct engine;

enum { ENGINE_LATE_MS = 1400 };

// Names an append within its video, so that a repeat stores nothing and gets the first one's position. Kept
// for as long as entries are (--log-age-ms), but no more than ENGINE_TOKENS_VIDEO of a video, and
// ENGINE_TOKENS in all: beyond that the oldest are forgotten. What is kept is the position, `at_ms` and two
// digests.
enum { ENGINE_TOKENS_VIDEO = 50000, ENGINE_TOKENS = 1000000 };
struct engine_token {
    unsigned char name[ENGINE_DIGEST];   // a digest of its name
    unsigned char digest[ENGINE_DIGEST]; // of its content
    int64_t at_ms;                       // the caller's, returned to repeats
    const char *old_name;                // the name an earlier version may have stored it by, or NULL
};

struct engine_append {
    const char *video;
    enum entry_kind kind;
    const char *body; // as in struct engine_entry; a comment has at least one member
    size_t body_len;
    const struct engine_token *token; // may be NULL
    struct position known;          // the highest the caller knows of the video, from the store; may be unset
    const struct engine_gate *gate; // NULL: it is not checked
};

// `entry` is what was stored; with ENGINE_REFUSED what was not, without a position; else NULL. For a repeat
// (which the caller's first attempt is, too, if something on the way has sent it twice) it has the first
// append's position and the repeat's own kind and body, and `first` has the time of the first.
struct engine_first {
    int64_t at_ms;
    bool whole; // the entry is the first append itself, as stored by an earlier version: at_ms is not known,
                // and the caller has to compare the two
};
typedef void engine_append_cb(void *arg, enum engine_status, const struct engine_entry *entry,
                              const struct engine_first *first);

// An entry that changes what others are: ENTRY_RETRACT, _PURGE, _PIN, _START or _END. What it means for
// the video's room, whether it is over and what is pinned, is done in the same step (room_amend()).
struct engine_amend {
    const char *video;
    enum entry_kind kind;
    const char *body; // of the entry, as in struct engine_entry
    size_t body_len;
    struct position target; // of RETRACT and PIN: a comment that the log keeps; else not set
    const char *user;       // of PURGE, else NULL
    struct position known;  // as in struct engine_append
    const char *note;       // for the audit trail, if something is stored; NULL: none
};

// `entry` is what was stored; NULL unless ENGINE_OK, and where there was nothing to do: the comment has been
// taken out before, or the video has ended before. `taken`: how many comments were taken out.
typedef void engine_amend_cb(void *arg, enum engine_status, const struct engine_entry *entry, size_t taken);

struct engine_head {
    struct position at;     // of the newest entry
    struct position before; // set if this call has found a loss: where the store stood
    bool over;              // of the video's room, at that position
};
// `head` is NULL unless ENGINE_OK.
typedef void engine_head_cb(void *arg, enum engine_status, const struct engine_head *head);

struct engine_range {
    const struct engine_entry *entries; // in order
    size_t count;
    struct position head; // the newest entry of the video at that moment
    bool more;            // the limit cut it: entries between the last given and head exist; of a
                          // range_before(): entries before the first given
};
typedef void engine_range_cb(void *arg, enum engine_status, const struct engine_range *);

struct engine_replay {
    const char *video;
    struct position after; // not set: from the beginning
    int64_t from_ms;       // leave out what was logged before that, where it is easy to find; 0: nothing
    size_t limit;
};
struct engine_replayed {
    struct engine_range range;
    const int64_t *at_ms; // when each entry was logged, by the store's clock
    int64_t origin_ms;    // of the video, in the archive: when its newest ENTRY_START was logged, or else its
                          // first entry; 0: there is no archive of it
};
// NULL unless ENGINE_OK.
typedef void engine_replay_cb(void *arg, enum engine_status, const struct engine_replayed *);

// Callbacks of a subscription. All on the control loop; `arg` is what subscribe() was passed.
struct engine_subscriber {
    // Entries as they are appended, by any process, in log order. A subscription may miss some without any
    // error; a subscriber that needs all of them checks the numbers and reads missing ones with range(). An
    // engine that does not publish all of an entry passes its position alone, with the kind ENTRY_UNREAD:
    // range() has the rest.
    void (*on_entry)(void *arg, const struct engine_entry *);
    // From now on entries arrive; those just before may as well. Called once after subscribe(), and again
    // after each interruption, in which entries may have been missed: compare with head(). An interruption is
    // noticed within a few seconds while the store can be reached, whether an entry follows or not. Also
    // called when another subscription of the video begins.
    void (*on_subscribed)(void *arg);
    // Returns the highest position it has received, so that appends to the video can pass it. May be NULL.
    struct position (*position)(void *arg);
};
struct engine_subscription; // the engine's, until unsubscribe()

// `reader_url` is the reader that the video belongs to now; `changed` whether this call made it so. NULL
// unless ENGINE_OK.
typedef void engine_mapping_cb(void *arg, enum engine_status, const char *reader_url, bool changed);

// The readers that serve a video together, as a text that means nothing to the engine. Generation 0, "": none
// was ever written. NULL unless ENGINE_OK.
struct engine_set {
    uint64_t generation;
    const char *text;
    bool written; // by this call
};
typedef void engine_set_cb(void *arg, enum engine_status, const struct engine_set *);

// What entitles a reader to renew the lease of its URL while another process holds it.
enum lease_claim {
    LEASE_HELD,     // it held the lease less than ttl_ms ago: wins over a process that was started later
    LEASE_FIRST,    // its first renewal: wins, because it usually replaces a process that has died
    LEASE_UNCHANGED // it has seen the other's lease keep the same `stamp` for ttl_ms: that process is dead
};

// What a reader publishes about itself. Identified by its url.
struct engine_lease {
    const char *reader_url;
    const char *public_url; // NULL: none but reader_url
    const char *instance_id;
    uint64_t generation; // raised by every start of a reader
    uint64_t viewers;
    const char *load; // what else others should know (placement/reader_load.h), of at most ENGINE_LOAD_MAX
                      // bytes, which mean nothing to the engine; NULL: nothing
    // In a renewal:
    enum lease_claim claim;
    // In a listing, and with LEASE_UNCHANGED:
    uint64_t stamp; // changes with each renewal: a reader is alive while observers see it change
    // In a listing:
    int64_t left_ms; // until it ends, by the store's wall clock, which may have been stepped: only a hint
    bool given_up;   // by lease_drop()
    bool live;       // left_ms > 0 and not given up
};
typedef void engine_leases_cb(void *arg, enum engine_status, const struct engine_lease *, size_t count);

struct engine_lease_answer {
    enum lease_outcome {
        LEASE_KEPT,   // it was the caller's before
        LEASE_GAINED, // it is the caller's now, but others may have been given its videos before
        LEASE_TAKEN   // another process holds it; nothing was written
    } outcome;
    uint64_t generation;     // the holder's; if that is the caller, to be used from now on
    uint64_t stamp;          // the holder's
    const char *instance_id; // the holder's
};
// The answer is NULL unless ENGINE_OK.
typedef void engine_lease_cb(void *arg, enum engine_status, const struct engine_lease_answer *);

// The settings of the videos that were asked for, in the order of the call; NULL: the video has none. NULL
// unless ENGINE_OK.
typedef void engine_settings_cb(void *arg, enum engine_status, const char *const *settings);

// Rooms, in the order of the call; of a video for which nothing is set, all zero. NULL unless ENGINE_OK.
typedef void engine_rooms_cb(void *arg, enum engine_status, const struct engine_room *rooms);
// A user's ban: until_ms of one that has been written. NULL unless ENGINE_OK.
typedef void engine_bans_cb(void *arg, enum engine_status, const struct engine_ban *bans, size_t count);

// Comments that wait. NULL unless ENGINE_OK.
typedef void engine_held_cb(void *arg, enum engine_status, const struct engine_held *, size_t count);
// `left`: how many of the video still wait.
// Newest first; `notes` is NULL unless ENGINE_OK.
typedef void engine_audit_cb(void *arg, enum engine_status, const char *const *notes, size_t count);
typedef void engine_drop_cb(void *arg, enum engine_status, int64_t left);

// Names of videos, of which some may come twice.
enum { ENGINE_VIDEOS = 100, ENGINE_CURSOR_SIZE = 130 };
struct engine_videos {
    const char *const *names;
    size_t count;     // at most ENGINE_VIDEOS
    const char *next; // what to ask with for more; NULL: these were the last
};
// NULL unless ENGINE_OK.
typedef void engine_videos_cb(void *arg, enum engine_status, const struct engine_videos *);

// A message: valid during the callback.
typedef void engine_message_cb(void *arg, const char *body, size_t len);
struct engine_listener; // the engine's, until unlisten()

typedef void engine_done_cb(void *arg, enum engine_status);
typedef void engine_counter_cb(void *arg, enum engine_status, uint64_t value);

enum { ENGINE_SECRET = 32, ENGINE_SECRET_NAME_MAX = 64 }; // bytes
// `secret` has ENGINE_SECRET bytes; NULL unless ENGINE_OK.
typedef void engine_secret_cb(void *arg, enum engine_status, const unsigned char *secret);

struct engine_mapping {
    const char *video, *reader_url;
};
struct engine_overview {
    uint64_t comments;                 // ever logged
    uint64_t mappings;                 // now
    const struct engine_entry *newest; // comments of any video, newest first, at most ENGINE_NEWEST
    size_t newest_count;
    const struct engine_mapping *mapped; // some mappings, newest first, at most ENGINE_MAPPED
    size_t mapped_count;
};
enum { ENGINE_NEWEST = 10, ENGINE_MAPPED = 100 };
typedef void engine_overview_cb(void *arg, enum engine_status, const struct engine_overview *);

// Counters since the engine was opened. A trip to the store is a transaction of the embedded engine, which
// carries out all pending operations, or a command to Redis and its reply.
struct engine_stats {
    uint64_t waiting;                   // operations called and not yet answered, now
    uint64_t trips;                     // completed
    uint64_t trip_us;                   // total duration
    uint64_t longest_trip_us;           // of those
    uint64_t failures;                  // transactions rolled back; commands refused or lost
    struct durations took;              // the trips
    uint64_t reconnects;                // times that a connection to the store was made again
    uint64_t database_bytes, wal_bytes; // size of the database and of its write-ahead log; 0: it has none
    uint64_t disk_bytes, free_bytes;    // size of the file system in which it is, and how much of it is left
};

// For engines: counts a trip.
static inline void engine_stats_add(struct engine_stats *s, int64_t us, bool failed) {
    uint64_t took_us = us > 0 ? (uint64_t)us : 0;
    s->trips++;
    s->trip_us += took_us;
    if (took_us > s->longest_trip_us) s->longest_trip_us = took_us;
    s->failures += failed;
    durations_add(&s->took, us);
}

struct engine_ops {
    const char *name;

    // Gives the entry the video's next number, stores it, and publishes it to the video's subscribers: all of
    // that or nothing. The callback comes once it is stored, in the order of the calls for one video.
    // A repeat (token) is answered before it is checked (gate). Errors: FULL, BUSY, UNAVAILABLE, CLOSED,
    // STORE_FULL, KEY_REUSED, REFUSED.
    void (*append)(struct engine *, const struct engine_append *, engine_append_cb *, void *arg);

    // Appends an entry of another kind, and takes the comments that it retracts or purges out of the store:
    // all of that or nothing. Of each only the number is left, an ENTRY_BLANK. It also works where the store
    // has no memory for more comments. Errors: as of an append without a token; NOT_FOUND if the log does not
    // keep the target, or keeps no comment there.
    void (*amend)(struct engine *, const struct engine_amend *, engine_amend_cb *, void *arg);

    // Subscribes to a video's entries. Never fails: while the store is unavailable the subscription waits for
    // it. unsubscribe() ends it immediately (no call follows) and frees it. Until then (or close()) `video`
    // and the subscriber are borrowed, not copied: there is a subscription for every video with a viewer.
    struct engine_subscription *(*subscribe)(struct engine *, const char *video,
                                             const struct engine_subscriber *, void *arg);
    void (*unsubscribe)(struct engine *, struct engine_subscription *);

    // Reads the video's position. `known`: the highest the caller knows of, from the store and never from a
    // client; may be unset. Also works on a store that accepts no writes, unless something has to begin: a
    // video that has no position starts its first epoch, at seq 0 (FULL is possible), and a loss is
    // announced. Errors: FULL, BUSY, UNAVAILABLE, CLOSED.
    void (*head)(struct engine *, const char *video, struct position known, engine_head_cb *, void *arg);

    // Reads the kept entries after `after`, oldest first, at most `limit`. There may be a hole between
    // `after` and the first one, if entries there have expired: its number and its `prev` show it. Errors:
    // BUSY, UNAVAILABLE, CLOSED.
    void (*range)(struct engine *, const char *video, struct position after, size_t limit, engine_range_cb *,
                  void *arg);

    // Reads the newest kept entries before `before` (not set: the newest of all), at most `limit`; they are
    // given oldest first, like those of a range. Errors: BUSY, UNAVAILABLE, CLOSED.
    void (*range_before)(struct engine *, const char *video, struct position before, size_t limit,
                         engine_range_cb *, void *arg);

    // Reads as range() does, and what has left the log as long as it is archived: where the engine has an
    // archive. Its holes are those that a range may have. Errors: BUSY, UNAVAILABLE, CLOSED.
    void (*replay)(struct engine *, const struct engine_replay *, engine_replay_cb *, void *arg);

    // max_videos bounds the videos with a log, a position or a mapping. A video is in use while it is watched
    // and while its log has entries. For a new one the least recently used video that is not in use is
    // evicted with everything stored for it, those without any comment first.

    // Mappings {video => reader}. All three mark the mapping as used; one unused for 30 days is dropped.
    // lookup: NOT_FOUND if there is none.
    // assign: stores `reader_url` unless there is a mapping; the first writer wins, also among processes.
    // FULL. reassign: replaces `expected` by `reader_url`, and changes nothing if the mapping is another.
    // NOT_FOUND.
    void (*lookup)(struct engine *, const char *video, engine_mapping_cb *, void *arg);
    void (*assign)(struct engine *, const char *video, const char *reader_url, engine_mapping_cb *,
                   void *arg);
    void (*reassign)(struct engine *, const char *video, const char *expected, const char *reader_url,
                     engine_mapping_cb *, void *arg);
    // Drops the mapping if it is `expected`. OK also if it was another or none.
    void (*release)(struct engine *, const char *video, const char *expected, engine_done_cb *, void *arg);

    // Sets of readers, beside the mappings. They go with the video: when it is evicted, or has not been used
    // for 30 days.
    // set_read: also marks it as used where that costs no more.
    // set_write: replaces a video's set, if it has this generation, by a text of 1 to ENGINE_SET_MAX bytes
    // and the next generation. Answers the set that there is then, and whether this call has written it.
    // FULL.
    void (*set_read)(struct engine *, const char *video, engine_set_cb *, void *arg);
    void (*set_write)(struct engine *, const char *video, uint64_t generation, const char *text,
                      engine_set_cb *, void *arg);

    // Reads the names of videos that have a log, a position, a mapping or an archive, some at a time.
    // `cursor` is empty at first, and then what the callback was given. One that is added or used meanwhile
    // may be left out or given twice; no other is left out.
    void (*videos)(struct engine *, const char *cursor, engine_videos_cb *, void *arg);

    // Settings of a video: a text that means nothing to the engine, of 1 to ENGINE_SETTINGS_MAX bytes. It is
    // kept until it is removed, whatever becomes of the video's log and mapping. max_videos bounds the videos
    // that have settings, too.
    // settings_read: those of at most ENGINE_SETTINGS_BATCH videos at once.
    // settings_write: replaces a video's settings; NULL removes them. FULL, STORE_FULL.
    void (*settings_read)(struct engine *, const char *const *videos, size_t count, engine_settings_cb *,
                          void *arg);
    void (*settings_write)(struct engine *, const char *video, const char *settings, engine_done_cb *,
                           void *arg);

    // Rooms and bans: what appends with a gate are checked against, from then on, by whichever process they
    // come. They go with the video: when it is evicted, or has not been used for 30 days; so max_videos
    // bounds them.
    // rooms_read: those of at most ENGINE_SETTINGS_BATCH videos at once.
    // room_write: replaces a video's room, if it has the revision that is given, and answers the one that
    // there is then: if that is not the caller's with the next revision (room_is_same()), another process has
    // written it. FULL, STORE_FULL.
    // ban_write: bans a user for that long, in ms (0: lifts the ban; below 0: until it is lifted). Answers
    // it, or none if it was lifted. FULL (of this video: ROOM_BANS), STORE_FULL.
    // bans_read: all that are in force, in no particular order.
    // held_read: the comments of a video that wait, or (NULL) those of any video that are due, the first
    // ones, in the order in which they become so. Who appends one drops it afterwards.
    // held_drop: NOT_FOUND if it does not wait.
    // Each that writes, and amend(), takes a note for the video's audit trail, at most ENGINE_NOTE_MAX bytes
    // of text that mean nothing to the engine, or NULL: it is kept in the same step, if there is something to
    // note. The trail goes with the video, too. Those that begin with ENGINE_NOTE_AUTOMATIC are kept apart,
    // so that they push no other out. audit_read: the newest ENGINE_NOTES of a video, newest first, and
    // behind them the newest ENGINE_NOTES_AUTOMATIC, likewise.
    void (*rooms_read)(struct engine *, const char *const *videos, size_t count, engine_rooms_cb *,
                       void *arg);
    void (*room_write)(struct engine *, const char *video, const struct engine_room *, const char *note,
                       engine_rooms_cb *, void *arg);
    void (*ban_write)(struct engine *, const char *video, const char *user, int64_t for_ms, bool shadow,
                      const char *note, engine_bans_cb *, void *arg);
    void (*bans_read)(struct engine *, const char *video, engine_bans_cb *, void *arg);
    void (*held_read)(struct engine *, const char *video, engine_held_cb *, void *arg);
    void (*held_drop)(struct engine *, const char *video, const char *id, const char *note, engine_drop_cb *,
                      void *arg);
    void (*audit_read)(struct engine *, const char *video, engine_audit_cb *, void *arg);

    // Messages between processes, for what may be lost because it is soon sent again: neither logged nor
    // numbered. notify() passes one to every listener of the topic, in this process and in others, never from
    // inside the call; those of one process on one topic arrive in the order of the calls. One may be lost
    // without an error: while the store is away, while ENGINE_MESSAGES_WAITING bytes of them are pending, or
    // if the store's user may not use their channels. Topics have 1 to ENGINE_TOPIC_MAX bytes without spaces,
    // bodies 1 to ENGINE_MESSAGE_MAX; a longer one is not sent. Listeners never fail: while the store is away
    // they wait for it. unlisten() ends one immediately (no call follows) and frees it.
    void (*notify)(struct engine *, const char *topic, const void *body, size_t len);
    struct engine_listener *(*listen)(struct engine *, const char *topic, engine_message_cb *, void *arg);
    void (*unlisten)(struct engine *, struct engine_listener *);

    // Notes that videos are watched, or no longer are; at most ENGINE_WATCH_MAX per call. A note expires
    // after three times ENGINE_WATCH_AGAIN_MS, so that a killed process leaves none behind. `watched` false
    // is ignored, and left to that expiry, for a video with other subscribers. There is no answer, and a note
    // may be lost while the store is away: repeat it.
    void (*watch)(struct engine *, const char *const *videos, size_t count, bool watched);

    // Leases. lease_renew() writes one that lasts for ttl_ms, unless another process holds it with a better
    // claim. A process that takes over a URL gets a generation above all earlier ones. lease_drop() ends the
    // lease of this URL and generation immediately; it stays listed as given up. leases() lists all known
    // readers by URL; ended leases stay listed for 30 days.
    void (*lease_renew)(struct engine *, const struct engine_lease *, int ttl_ms, engine_lease_cb *,
                        void *arg);
    void (*lease_drop)(struct engine *, const char *reader_url, uint64_t generation, engine_done_cb *,
                       void *arg);
    void (*leases)(struct engine *, engine_leases_cb *, void *arg);

    // Returns the counter's value before this call, and raises it by one; 0 at first. Persistent.
    void (*counter_next)(struct engine *, const char *name, engine_counter_cb *, void *arg);

    // Reads the secret of this name that the processes share. If there is none, it becomes `offered`, and is
    // kept for keep_ms; the first writer wins, also among processes.
    void (*secret)(struct engine *, const char *name, const unsigned char offered[ENGINE_SECRET],
                   int64_t keep_ms, engine_secret_cb *, void *arg);

    // Reads totals, the newest comments and mappings, for the statistics. May be slightly out of date.
    void (*overview)(struct engine *, engine_overview_cb *, void *arg);

    // Changes what is kept, from now on: also of what is stored already, as far as it is still there. Where
    // processes share a store, the one that appends decides how many entries are kept, and the one that reads
    // only how old they may be.
    void (*set_limits)(struct engine *, const struct engine_limits *);

    // Returns whether the store answers. If not, *why is a sentence for users, static or the engine's until
    // its next call.
    bool (*ready)(struct engine *, const char **why);

    // Never blocks.
    struct engine_stats (*stats)(struct engine *);

    // Ends everything: pending operations call back with ENGINE_CLOSED inside this call, except appends that
    // could still be finished immediately; operations called meanwhile call back with ENGINE_CLOSED, too.
    // Frees the engine, all subscriptions and listeners. May be called in any callback of the engine; another
    // call of it, from a callback that this one makes, does nothing.
    void (*close)(struct engine *);
};

// The head of every engine's own struct.
struct engine {
    const struct engine_ops *ops;
};

enum { ENGINE_WATCH_MAX = 64, ENGINE_WATCH_AGAIN_MS = 20000 };
enum { ENGINE_VIDEO_MAX = 128, ENGINE_URL_MAX = 512, ENGINE_TOPIC_MAX = 544 }; // bytes
enum { ENGINE_LOAD_MAX = 4095, ENGINE_SET_MAX = 16384 };                       // bytes
enum { ENGINE_HELD_DUE = 64 };
enum { ENGINE_NOTES = 500, ENGINE_NOTES_AUTOMATIC = 100, ENGINE_NOTE_MAX = 1023 };
#define ENGINE_NOTE_AUTOMATIC "{\"automatic\":true,"
enum { ENGINE_SETTINGS_MAX = 1024, ENGINE_SETTINGS_BATCH = 64 };
enum { ENGINE_MESSAGE_MAX = 16384, ENGINE_MESSAGES_WAITING = 1 << 20 }; // bytes
