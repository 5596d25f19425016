// The promise (DESIGN, "The promise"), held against a journal. Pure; it knows nothing but the journal.
//
// clang-format off
// Findings have one of these codes:
//
//     no-number     an acknowledged comment has no number
//     two-texts     a number has two texts
//     stored-twice  a comment that was sent once, or with one key, has two numbers, and the store lost neither
//     stranger      a viewer got a comment that was not posted to its video, or an answer names another one
//     refused       a comment was refused that is right, or a moderator was
//     order         a viewer got a lower number after a higher one
//     duplicate     a viewer got a number twice
//     hole          a viewer misses numbers, unannounced
//     resume        a stream begins somewhere else than where the viewer asked
//     silent-loss   a viewer misses an acknowledged comment, which nothing announced
//     needless-gap  a gap announces what the log still has, or gives a wrong reason or sum
//     malformed     a stream or an answer cannot be read
//     denied        a viewer got an answer after which a browser does not come back, and the video was not over
//     ended         ... and it was, but the viewer had not got everything; or the stream ended in order, and what
//                   the viewer had got last was not the end
//     retracted     the text of a comment is listed or replayed after it was deleted, or who has it is not told
//     sampled       something was left out although no readable rate was ever set
//     not-refused   a comment was accepted that a ban, the end of the video or its room refuses, or should hold
//     shown         viewers got a comment of a shadowed user, or one that waited and was not allowed
//     undecided     a comment that waits for a moderator is not listed
//     room          a viewer that asked for the room knows another one when all is calm
//     reactions     a viewer is told of more reactions than users have sent
//     loop          a viewer was redirected more than JUDGE_REDIRECTS times in a row
//     two-owners    when all is calm, two readers serve viewers of one video, which may have only one
//     misplaced     ... a viewer's stream began at a reader that the store does not name for its video
//     kept          ... long after a reader was told to drain, or a video was moved away from it, it has viewers
//     hint          ... a video's mapping names another reader than the first of its set
//     behind        JUDGE_CALM_S after the last fault a viewer has not seen everything, or has no stream
//     deaf          ... a comment API has accepted no comment
//     unsettled     ... a comment with a key has no answer
//     stopped       a stream ended although only managers or the statistics service had failed, and its video
//                   was not just begun again
//     delayed       when all is calm, a comment took longer than JUDGE_DELAY_MS to a viewer that reads
//     totals        the statistics count another number of comments than there are
//     ledger        when all is calm and seen, a video's ledger does not close to the comment
//     uncounted     when all is calm, the statistics or a ledger cannot be asked
//
// clang-format on
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"

enum {
    JUDGE_REDIRECTS = 2,
    JUDGE_CALM_S = 30,
    JUDGE_SETTLED_S = 6, // after the last fault nothing is delayed any more
    JUDGE_DELAY_MS = 2000,
    JUDGE_UNTOLD_S = 5,   // a process that ends within this long of a loss may not have announced it
    JUDGE_BACK_S = 3,     // a reader that the store has cut off as it lost something is back
    JUDGE_BELOW_MS = 200, // so long a comment that is appended below another may be on its way
    JUDGE_AWAY_S = 10,    // for so long a reader may not have been able to ask the store
    JUDGE_DRAIN_S = 5,    // a process that is ended in order may take so long
    FINDINGS_KEPT = 50
};

struct finding {
    const char *code; // static
    int64_t at_us;
    char text[160];
};

struct verdict {
    struct finding findings[FINDINGS_KEPT]; // the first of them
    size_t count;
    // What the journal had.
    size_t comments, acknowledged, lost, deliveries, viewers, faults, streams, reconnects, gaps[3], repeated,
        longest_us, // repeated: to viewers that were told that the store went back
        counted,    // answers with a number of comments, or a ledger
        deeds, entries,
        left_out; // of moderators that were answered; and what viewers got of that, and did not
};

void judge(struct verdict *, const struct journal *);
