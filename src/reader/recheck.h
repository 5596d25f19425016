// Checks which reader owns our videos, after we may have lost some. Control loop only.
//
// If a video is another reader's by now, its viewers leave at a pace (moves.h), or, where no other reader is
// known that could take them now or later, at once; they reconnect and are redirected. Those that asked not
// to be redirected stay, or come back. If it has no mapping, because the store was emptied, we claim it, so
// that its next viewer is not sent to another reader than the others. Videos that have only had viewers that
// are not redirected, or came to the comment port, are not checked.
#pragma once

#include <stdint.h>

struct reader;

// Starts immediately, with a bounded number of queries at a time, so that the engine has room for others.
// Cancels a pending recheck_again().
void recheck_videos(struct reader *);

// Drops the checks that have not been started.
void recheck_drop(struct reader *);

// Schedules another recheck: processes that still have the old list of readers may go on taking videos.
void recheck_again(struct reader *);
void recheck_sweep(struct reader *, int64_t now_ms);
