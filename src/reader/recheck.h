// Looks whose our videos are, after we may have lost them. Control loop only.
//
// Somebody else's by now? Its viewers are closed, and come back to be redirected. (Those who had asked not to
// be are served here again.) Nobody's, because the store was emptied? Then it becomes ours again, so that its
// next viewer is not sent to another reader than those before.
#pragma once

#include <stdint.h>

struct reader;

// Begins at once, with so many at a time that the engine has room for others; what was still to come of
// recheck_again() is dropped.
void recheck_videos(struct reader *);

// Drops what has not begun.
void recheck_drop(struct reader *);

// Looks once more in a while: for as long as others have the old list of readers, they may take videos.
void recheck_again(struct reader *);
void recheck_sweep(struct reader *, int64_t now_ms);
