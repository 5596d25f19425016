// Coalescing that follows load: how long a channel waits after a flush before the next may begin. Pure, but
// for pace_mark_now().
//
// A flush that carried one comment may be followed at once: the worker keeps up. One that carried several
// says that they came faster than they could be sent; then the channel keeps quiet for as long again, for
// each comment more, as the worker has worked since the channel's flush before: so the interval grows with
// the load, at most PACE_STRETCH times what the work takes and at most `max_us`; each send carries more, and
// what is left of the machine is there for everybody else.
#pragma once

#include <stdint.h>

enum { PACE_STRETCH = 3, PACE_CHEAP_US = 1000 };

// A moment: by the clock, and by what the worker's thread has worked until then.
struct pace_mark {
    int64_t clock_us, worked_us;
};

struct pace_mark pace_mark_now(void); // for the calling thread

// Zero-initialise.
struct pace {
    struct pace_mark ended; // the last flush
    int64_t not_before_us;  // by the clock: the next one
};

// A flush of so many frames has ended. What cost less than PACE_CHEAP_US is never waited for.
void pace_end(struct pace *, uint64_t frames, struct pace_mark begun, struct pace_mark ended, int64_t max_us);
