//     NEW -----------> OURS <--------> LOST     another process renews it with a better claim; that one dies
//      |                ^
//      +--> REFUSED ----+
//
// A lease that was not renewed in time (lease_is_held) stays OURS until another process takes it; the reader
// rechecks which videos it owns.
#include "reader_lease.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/container_of.h"
#include "base/hash.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "hot_videos.h"
#include "load_report.h"
#include "reader_core.h"
#include "recheck.h"

enum { AGAIN_MS = 100 }; // after the first failure; doubled by each further one, up to the usual interval

// Random, so that the readers of a store that was away do not all come back to it together.
static int64_t lease_retry_ms(struct reader *r) {
    int64_t most = AGAIN_MS << r->lease_failures;
    if (most < READER_LEASE_EVERY_MS)
        r->lease_failures++;
    else
        most = READER_LEASE_EVERY_MS;
    return most / 2 + (int64_t)(hash_random() % (uint64_t)most) / 2;
}

// When the lease in the store was written, at the earliest. By our own clock, because no other shows how long
// we have been silent.
struct renewal {
    struct reader *reader;
    int64_t sent_ms;
};

static bool lease_is_held(const struct reader *r, int64_t now_ms) {
    return r->lease_state == READER_LEASE_OURS && now_ms - r->renewed_ms < READER_LEASE_TTL_MS;
}

// Another process uses our URL. As long as its lease changes it is alive and owns the videos; ours are
// closed, and their viewers reconnect and are redirected.
static void lease_yield(struct reader *r, const struct engine_lease_answer *a, int64_t now_ms) {
    if (a->stamp != r->holder_stamp) {
        r->holder_stamp = a->stamp;
        r->holder_ms = now_ms;
    }
    if (reader_lease_is_anothers(r->lease_state)) return;
    r->lease_state = r->lease_state == READER_LEASE_OURS ? READER_LEASE_LOST : READER_LEASE_REFUSED;
    static const char printable[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";
    bool is_printable = a->instance_id[strspn(a->instance_id, printable)] == 0;
    log_error(r->service.instance_id, "url_in_use",
              "url=%s holder=%s action=\"taking no videos; give each reader a --url of its own\"",
              r->config.reader_url, is_printable ? a->instance_id : "?");
    recheck_videos(r);
}

static void lease_take_hold(struct reader *r, const struct engine_lease_answer *a, int64_t sent_ms,
                            int64_t now_ms) {
    bool in_time = lease_is_held(r, now_ms);
    if (reader_lease_is_anothers(r->lease_state))
        log_info(r->service.instance_id, "url_free", "url=%s", r->config.reader_url);
    if (r->lease_state == READER_LEASE_OURS && (a->outcome == LEASE_GAINED || !in_time)) {
        // A lapsed lease was not renewed in time; one lost in time is no longer what we wrote.
        log_warn(r->service.instance_id, in_time ? "lease_lost" : "lease_lapsed",
                 "why=\"%s\" action=\"rechecking video ownership\"",
                 in_time ? "another process has started with this --url, or the store has lost data"
                         : "not renewed in time: this process was stopped, or the store was away");
        recheck_videos(r);
        recheck_again(r);
    } else if (r->lease_state == READER_LEASE_NEW) {
        // Others may not have seen yet that this reader is back, and reassign videos that it takes now.
        recheck_again(r);
    }
    r->generation = a->generation;
    if (!r->life) r->life = a->generation;
    r->lease_state = READER_LEASE_OURS;
    r->renewed_ms = sent_ms;
    r->holder_stamp = 0;
}

// A renewal that failed is repeated soon; /health shows a store that is away. A lease that had lapsed (this
// process was stopped, or cut off) may have cost us videos, and may go on doing so while other processes have
// the old list of readers.
static void on_lease_renewed(void *arg, enum engine_status status, const struct engine_lease_answer *a) {
    struct renewal *renewal = arg;
    struct reader *r = renewal->reader;
    int64_t sent_ms = renewal->sent_ms, now_ms = loop_now_ms(r->service.loop);
    free(renewal);
    r->renewing--;
    if (r->stopping) return;
    if (status == ENGINE_OK) r->lease_failures = 0;
    if (status != ENGINE_OK)
        loop_timer_start(r->service.loop, &r->lease, lease_retry_ms(r));
    else if (a->outcome == LEASE_TAKEN)
        lease_yield(r, a, now_ms);
    else
        lease_take_hold(r, a, sent_ms, now_ms);
}

static bool lease_was_ours(const struct reader *r) {
    return r->lease_state == READER_LEASE_OURS || r->lease_state == READER_LEASE_LOST;
}

static void on_lease_due(struct loop_timer *t) {
    struct reader *r = container_of(t, struct reader, lease);
    struct engine *e = r->service.engine;
    int64_t now_ms = loop_now_ms(r->service.loop);
    loop_timer_start(r->service.loop, t, READER_LEASE_EVERY_MS);
    if (!lease_was_ours(r) && r->renewing) return; // each first renewal would begin a generation
    struct renewal *renewal = mem_zalloc(sizeof *renewal);
    *renewal = (struct renewal){.reader = r, .sent_ms = now_ms};
    r->renewing++;
    enum lease_claim claim = !lease_was_ours(r)         ? LEASE_FIRST
                             : lease_is_held(r, now_ms) ? LEASE_HELD
                                                        : LEASE_UNCHANGED;
    bool dead = r->holder_stamp && now_ms - r->holder_ms >= READER_LEASE_TTL_MS;
    struct buf load = {0};
    load_report_write(r, &load);
    hot_videos_even_out(r);
    e->ops->lease_renew(e,
                        &(struct engine_lease){.reader_url = r->config.reader_url,
                                               .public_url = r->config.public_url,
                                               .instance_id = r->service.instance_id,
                                               .generation = r->generation,
                                               .viewers = counter_get(&r->counters.viewers),
                                               .load = buf_string(&load),
                                               .claim = claim,
                                               .stamp = dead ? r->holder_stamp : 0},
                        READER_LEASE_TTL_MS, on_lease_renewed, renewal);
    buf_release(&load);
}

void reader_lease_start(struct reader *r) {
    r->lease.on_due = on_lease_due;
    on_lease_due(&r->lease);
}

void reader_lease_renew(struct reader *r) {
    on_lease_due(&r->lease);
}

static void on_own_lease_dropped(void *arg, enum engine_status status) {
    (void)arg;
    (void)status;
}

void reader_lease_abandon(struct reader *r) {
    loop_timer_stop(r->service.loop, &r->lease);
}

void reader_lease_drop(struct reader *r) {
    struct engine *e = r->service.engine;
    reader_lease_abandon(r);
    e->ops->lease_drop(e, r->config.reader_url, r->generation, on_own_lease_dropped, NULL);
}
