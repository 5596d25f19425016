// Coalescing that follows load: how long a channel waits after a flush before the next may begin. Pure, but
// for pace_mark_now().
//
// After a flush that carried one comment the next may follow immediately: the worker keeps up. Several mean
// that comments arrive faster than they can be sent. Then the channel waits, for each further comment, as
// long as the worker has worked since the channel's previous flush. So the interval grows with the load, up
// to PACE_STRETCH times the work and up to `max_us`; each send carries more, and CPU time is left for the
// rest.
#pragma once

#include <stdint.h>

enum { PACE_STRETCH = 3, PACE_CHEAP_US = 1000 };

// A point in time: by the clock, and by the CPU time of the worker's thread.
struct pace_mark {
    int64_t clock_us, worked_us;
};

struct pace_mark pace_mark_now(void); // for the calling thread

// Zero-initialise.
struct pace {
    struct pace_mark ended; // the last flush
    int64_t not_before_us;  // by the clock: the next one
};

// Records the end of a flush of `frames` frames. One that cost less than PACE_CHEAP_US causes no wait.
void pace_end(struct pace *, uint64_t frames, struct pace_mark begun, struct pace_mark ended, int64_t max_us);
