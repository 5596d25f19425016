// Private to archive: follows the logs of all videos. A subscription only says that a video has something
// new: then the log is read on from the last position that is archived, a page at a time, and archived, so
// that neither a lost message nor a kill makes a hole. What the log does not keep any more when it is read is
// missed: it is logged and counted, and a replay has a gap there. After an interruption the archive tells the
// store how far it got, so that the store announces what it has lost. Control loop only.
//
// Videos are found by the store's list: those used last once a second, all of them every LIST_ALL_MS. One
// that is not listed any more is not followed any more; what is archived of it stays.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct follower;
struct loop;

struct follower_counts {
    uint64_t entries;  // archived
    uint64_t missed;   // numbers that the log did not keep any more
    uint64_t gaps;     // rows of them, also of those whose length is not known
    uint64_t behind;   // entries of logs, as far as they are known, that are not archived yet
    uint64_t failures; // reading or writing did not work, and is tried again
    unsigned videos;   // that are followed
    unsigned waiting;  // of them: have something that is not archived yet
    bool has_listed;   // all videos, at least once
};

struct follower *follower_new(struct loop *, struct engine *redis, struct engine *own);
const struct follower_counts *follower_counts(const struct follower *);
void follower_stop(struct follower *); // begins nothing any more
void follower_free(struct follower *); // once the engines have been closed
