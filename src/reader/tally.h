// How many viewers each video has at all readers, for viewers that ask for `viewers` events. Pure logic: time
// and messages are passed in, publishing and sending are functions of the owner's.
//
// Every reader counts its own viewers. The reader that owns a video adds up what the others report to it, and
// reports the total back to them. Counts travel, never lists of viewers, so there is nothing that could be
// left over: a part is dropped when the lease of its reader has ended, when a later process holds that lease,
// or when it has not been confirmed for TALLY_SILENT_MS. So a viewer is counted twice, or not at all, for no
// longer than a message or a lease takes.
//
// A video has an entry only while a viewer here has asked, or while it has viewers at a reader that does not
// own it; videos of the usual kind, whose viewers are all at their owner, cause no message. To another reader
// at most one batch is sent every TALLY_EVERY_MS: all counts that have changed, and those not confirmed for
// TALLY_AGAIN_MS. A value is published at most every TALLY_EVERY_MS for a video. Nothing walks over all
// videos: what has changed is in a list, and so is what was published a moment ago.
//
// Limits: TALLY_PEERS other readers, TALLY_PARTS parts, and TALLY_BATCH messages of ENGINE_MESSAGE_MAX bytes
// in a batch; what has no room in it is in the next one. Messages are what any program on the same store can
// send: one may falsify a number, but not for longer than TALLY_SILENT_MS after it. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally;

enum {
    TALLY_EVERY_MS = 2000,
    TALLY_AGAIN_MS = 10000,
    TALLY_SILENT_MS = 30000,
    TALLY_ALONE_MS = 3000, // without a total from the owner for this long, the viewers here are shown
    TALLY_PEERS = 2000,
    TALLY_PARTS = 200000,
    TALLY_BATCH = 16
};

struct tally_ops {
    // Shows the viewers of a video its total.
    void (*publish)(void *arg, const char *video, uint64_t viewers);
    // Sends a message to the tally of another reader.
    void (*send)(void *arg, const char *reader_url, const char *text, size_t len);
    // Finds out which reader owns the video: tally_place() follows, or does not, never from inside this call.
    void (*find_owner)(void *arg, const char *video);
    // Returns whether the lease of this URL has ended, or a later process than that of `generation` holds it.
    bool (*lease_ended)(void *arg, const char *reader_url, uint64_t generation);
};

// `reader_url`: our own. Borrows both.
struct tally *tally_new(const char *reader_url, const struct tally_ops *, void *arg);
void tally_free(struct tally *);

// Must be called before a viewer is added: the video will have `viewers` viewers here. `asks`: the new one
// asks for the total, and the fan-out has it when this returns, if it is known. `elsewhere`: another reader
// owns the video.
void tally_join(struct tally *, const char *video, uint64_t viewers, bool asks, bool elsewhere,
                int64_t now_ms);

// The video has this number of viewers here now.
void tally_count(struct tally *, const char *video, uint64_t viewers, int64_t now_ms);

// The video's owner is known; NULL: this reader.
void tally_place(struct tally *, const char *video, const char *owner_url, int64_t now_ms);

// Takes a message of another reader's. Ignores what it does not understand.
void tally_take(struct tally *, const char *text, size_t len, int64_t now_ms);

// To be called several times a second. `generation`: that of our lease; 0: there is none, so nothing is sent.
void tally_sweep(struct tally *, uint64_t generation, int64_t now_ms);

// Returns the number of videos with an entry.
size_t tally_videos(const struct tally *);
