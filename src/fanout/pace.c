#include "pace.h"

#include "base/clock.h"
#include "base/minmax.h"

struct pace_mark pace_mark_now(void) {
    return (struct pace_mark){.clock_us = clock_monotonic_us(), .worked_us = clock_thread_cpu_us()};
}

// Work for other channels since the last flush ended counts too, unless that was long ago; work between the
// slices of this one always counts.
static int64_t pace_work_us(const struct pace *p, struct pace_mark begun, struct pace_mark ended,
                            int64_t max_us) {
    int64_t own = ended.worked_us - begun.worked_us;
    if (own < PACE_CHEAP_US) return 0;
    return begun.clock_us - p->ended.clock_us <= max_us ? ended.worked_us - p->ended.worked_us : own;
}

void pace_end(struct pace *p, uint64_t frames, struct pace_mark begun, struct pace_mark ended,
              int64_t max_us) {
    int64_t stretch = min((int64_t)frames, PACE_STRETCH) - 1;
    int64_t quiet = stretch > 0 ? stretch * pace_work_us(p, begun, ended, max_us) : 0;
    p->not_before_us = min(ended.clock_us + quiet, begun.clock_us + max_us);
    p->ended = ended;
}
