// Moderates some of the videos: deletes and pins comments that were acknowledged, bans users in each way,
// sets what a room is like, decides what waits, ends videos. One thing after the other, each asked for until
// it has an answer, of one comment API after the other; often just as users post and viewers come back. What
// is for a while it takes back, and everything when all is calm, when it also decides all that waits. After a
// deletion it looks at a listing. Loop thread only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crowd.h"
#include "http_call.h"
#include "moderation.h"
#include "net/loop.h"

enum { MODERATOR_LASTS = 16, MODERATOR_TOUCHED = 64 };

struct moderator {
    struct crowd *crowd;
    struct prng prng; // its own: what else a seed does stays as it is
    uint32_t number;
    enum {
        MODERATOR_IDLE,
        MODERATOR_PAUSING,
        MODERATOR_ASKING,
        MODERATOR_LOOKING,
        MODERATOR_READING // what waits
    } state;
    struct deed deed;
    struct journal_event look; // STORED, of the comment that is deleted
    char held[40];             // the id by which what is decided waits
    struct deed lasting[MODERATOR_LASTS],
        touched[MODERATOR_TOUCHED]; // what takes back what is in force; and what ever was, one of each
    size_t lasting_count, touched_count;
    uint32_t next_read; // video, when all is calm
    struct http_call call;
    struct buf answer;
    struct loop_timer timer;
};

// The moderator is zeroed.
void moderator_start(struct moderator *, struct crowd *, uint32_t number);
void moderator_release(struct moderator *);
