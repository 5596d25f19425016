#include "departure.h"

#include "base/container_of.h"
#include "base/log.h"
#include "net/event_stream.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "reader/crowd.h"
#include "reader/reader.h"
#include "roles.h"
#include "runtime.h"

enum { TICK_MS = 50, LINGER_SPARE_MS = 500 };

// Viewers a second.
static int64_t departure_pace(const struct departure *d) {
    const struct crowd *c = &d->runtime->crowd;
    const struct readers *all = placement_readers(d->runtime->placement);
    return crowd_pace(crowd_connects_of_others(all, c->readers, c->reader_count));
}

// Without pages of the dashboard, which are streams of the fan-out, too: they have nowhere to go.
static unsigned departure_viewers(const struct departure *d) {
    uint64_t sum = 0;
    for (size_t i = 0; i < d->roles->reader_count; i++)
        if (d->roles->readers[i]) sum += reader_viewers(d->roles->readers[i]);
    return (unsigned)sum;
}

// Viewers that have left come back to this address, which redirects them.
static bool departure_lingers(struct departure *d, int64_t now_ms) {
    if (!d->left_ms) d->left_ms = now_ms;
    return now_ms < d->left_ms + EVENT_STREAM_RETRY_MAX_MS + LINGER_SPARE_MS;
}

static void on_departure_tick(struct loop_timer *t) {
    struct departure *d = container_of(t, struct departure, tick);
    struct loop *loop = d->runtime->loop;
    int64_t now_ms = loop_now_ms(loop);
    unsigned viewers = departure_viewers(d);
    bool is_late = now_ms >= d->until_ms;
    bool has_heirs = departure_pace(d) > 0; // unless all are being stopped
    if (viewers) d->left_ms = 0;
    if (has_heirs && !is_late && (viewers || departure_lingers(d, now_ms))) {
        loop_timer_start(loop, t, TICK_MS);
        return;
    }
    if (viewers && is_late)
        log_warn("chorus", "drain_cut_short",
                 "viewers=%u action=\"give --drain-seconds more, and whatever stops this process as well\"",
                 viewers);
    loop_stop(loop);
}

void departure_begin(struct departure *d, const struct runtime *runtime, const struct roles *roles) {
    *d = (struct departure){.runtime = runtime, .roles = roles, .tick.on_due = on_departure_tick};
    int64_t viewers = departure_viewers(d), most_s = runtime->settings->drain_s;
    int64_t pace = roles->reader_count ? departure_pace(d) : 0;
    if (!pace || viewers <= pace || !most_s) {
        loop_stop(runtime->loop);
        return;
    }
    d->until_ms = loop_now_ms(runtime->loop) + most_s * 1000;
    log_info("chorus", "draining", "viewers=%lld pace=%lld seconds=%lld at_most=%lld", (long long)viewers,
             (long long)pace, (long long)(viewers / pace + 1), (long long)most_s);
    for (size_t i = 0; i < roles->reader_count; i++)
        if (roles->readers[i]) reader_drain(roles->readers[i], true);
    loop_timer_start(runtime->loop, &d->tick, TICK_MS);
}

void departure_stop(struct departure *d) {
    if (d->runtime) loop_timer_stop(d->runtime->loop, &d->tick);
}
