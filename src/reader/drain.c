#include "drain.h"

#include <stddef.h>

#include "base/log.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "moves.h"
#include "reader_core.h"
#include "reader_lease.h"
#include "watched.h"

enum { WALK_MS = 1000 };

void drain_set(struct reader *r, bool on) {
    if (r->draining == on || r->stopping) return;
    r->draining = on;
    r->drains += on;
    r->drain_walk_ms = 0;
    log_info(r->service.instance_id, on ? "draining" : "drain_ended", "viewers=%llu",
             counter_get(&r->counters.viewers));
    if (!on) moves_end(r);
    reader_lease_renew(r);
}

bool drain_has_heirs(const struct reader *r) {
    return r->draining && readers_is_draining(placement_readers(r->placement), r->config.reader_url);
}

// Once placement has read from our lease that others are to have our videos, nothing brings viewers back.
// Those that come meanwhile, and those that could not be told yet, are found the next time.
void drain_sweep(struct reader *r, int64_t now_ms) {
    if (!r->draining || now_ms < r->drain_walk_ms) return;
    if (!drain_has_heirs(r)) return;
    r->drain_walk_ms = now_ms + WALK_MS;
    for (const struct watched *w = watched_next(r, NULL); w; w = watched_next(r, w))
        if (broadcast_viewers(&w->broadcast) && !w->move) moves_start(r, w->video, MOVES_ALL, 0);
}
