#include "reader/reader_lease.h"

#include <stddef.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "engine/engine.h"
#include "reader/reader_core.h"
#include "reader/recheck.h"

enum { AGAIN_MS = 100 }; // after the first failure; each further one doubles it, up to the usual interval

// Each time another, so that not all readers of a store that was away come back to it together.
static int64_t again_ms(struct reader *r) {
    int64_t most = AGAIN_MS << r->lease_failures;
    if (most < READER_LEASE_EVERY_MS)
        r->lease_failures++;
    else
        most = READER_LEASE_EVERY_MS;
    return most / 2 + (int64_t)(hash_random() % (uint64_t)most) / 2;
}

// A lease that could not be renewed is tried again soon; health tells of a store that is away. One
// that had lapsed (this process was stopped, or cut off) may have cost us videos, and may go on doing so for
// as long as others have the old list of readers.
static void on_lease_renewed(void *arg, enum engine_status status, bool lapsed) {
    struct reader *r = arg;
    if (r->stopping) return;
    if (status != ENGINE_OK) {
        loop_timer_start(r->service.loop, &r->lease, again_ms(r));
        return;
    }
    r->lease_failures = 0;
    if (lapsed && r->leased) {
        log_warn(r->service.instance_id, "lease_lapsed", "action=\"looking whose the videos are\"");
        recheck_videos(r);
        recheck_again(r);
    }
    r->leased = true;
}

static void on_lease(struct loop_timer *t) {
    struct reader *r = container_of(t, struct reader, lease);
    struct engine *e = r->service.engine;
    e->ops->lease_renew(e,
                        &(struct engine_lease){.reader_url = r->config.reader_url,
                                               .public_url = r->config.public_url,
                                               .instance_id = r->config.instance_id,
                                               .generation = r->generation,
                                               .viewers = r->env.viewers},
                        READER_LEASE_TTL_MS, on_lease_renewed, r);
    loop_timer_start(r->service.loop, t, READER_LEASE_EVERY_MS);
}

void reader_lease_start(struct reader *r) {
    r->lease.on_due = on_lease;
    on_lease(&r->lease);
}

static void on_lease_dropped(void *arg, enum engine_status status) {
    (void)arg;
    (void)status;
}

void reader_lease_drop(struct reader *r) {
    struct engine *e = r->service.engine;
    loop_timer_stop(r->service.loop, &r->lease);
    e->ops->lease_drop(e, r->config.reader_url, on_lease_dropped, NULL);
}
