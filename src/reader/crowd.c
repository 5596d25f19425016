#include "reader/crowd.h"

#include <string.h>

#include "base/hash.h"
#include "base/minmax.h"
#include "net/event_stream.h"
#include "fanout/fanout.h"
#include "placement/placement.h"
#include "placement/readers.h"

enum {
    LOOK_MS = 1000,
    LEAST_MS = EVENT_STREAM_RETRY_MAX_MS - EVENT_STREAM_RETRY_MIN_MS,
    MOST_MS = 30000,
    BUSY_ALL = 1000,
    BUSY_MOST = 900 // a loop that is always busy takes viewers on, too
};

_Static_assert(EVENT_STREAM_RETRY_CROWD_MIN_MS >= READERS_LEASE_MS + 1000,
               "a lease lapses, and the managers look every second");

void crowd_add(struct crowd *c, const char *reader_url) {
    if (c->reader_count < CROWD_READERS) c->readers[c->reader_count++] = reader_url;
}

void crowd_remove(struct crowd *c, const char *reader_url) {
    for (size_t i = 0; i < c->reader_count; i++) {
        if (strcmp(c->readers[i], reader_url) != 0) continue;
        c->readers[i] = c->readers[--c->reader_count];
        return;
    }
}

int64_t crowd_room(const struct crowd *c) {
    return max(c->most - fanout_viewers(c->fanout), 0);
}

int64_t crowd_connects(const struct crowd *c) {
    int64_t left = c->connects * (BUSY_ALL - min(c->busy, BUSY_MOST)) / BUSY_ALL;
    return max(left / max((int64_t)(c->reader_count + c->neighbours), 1), 1);
}

static bool is_among(const char *url, const char *const *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i], url)) return true;
    return false;
}

static bool row_may_take(const struct reader_row *row, const char *const *but, size_t but_count) {
    return row->state == READER_LIVE && !row->load.draining &&
           !reader_load_is_full(&row->load, row->viewers) && !is_among(row->reader_url, but, but_count);
}

int64_t crowd_connects_of_others(const struct readers *r, const char *const *but, size_t but_count) {
    int64_t sum = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        if (!row_may_take(row, but, but_count)) continue;
        sum += row->load.connects ? (int64_t)row->load.connects : CROWD_CONNECTS_UNKNOWN;
    }
    return sum;
}

static uint64_t row_room(const struct reader_row *row) {
    return row->load.most ? row->load.most - row->viewers : UINT64_MAX;
}

size_t crowd_neighbours(const struct crowd *c, const struct readers *r) {
    size_t sum = 0;
    for (size_t i = 0; c->machine && i < r->count; i++)
        sum += r->rows[i].state == READER_LIVE && r->rows[i].load.machine == c->machine &&
               !is_among(r->rows[i].reader_url, c->readers, c->reader_count);
    return sum;
}

// Two choices hardly ever send a crowd to one that the others have just filled (Mitzenmacher 2001).
const struct reader_row *crowd_other(const struct crowd *c, const struct readers *r) {
    const struct reader_row *best = NULL;
    uint64_t seen = 0, first = hash_random(), second = hash_random();
    for (size_t i = 0; i < r->count; i++) seen += row_may_take(&r->rows[i], c->readers, c->reader_count);
    if (!seen) return NULL;
    first %= seen;
    second %= seen;
    seen = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        if (!row_may_take(row, c->readers, c->reader_count)) continue;
        bool drawn = seen == first || seen == second;
        if (drawn && (!best || row_room(row) > row_room(best))) best = row;
        seen++;
    }
    return best;
}

int64_t crowd_pace(int64_t connects) {
    return connects ? max(connects * CROWD_PACE_PERCENT / 100, 1) : 0;
}

uint32_t crowd_retry_ms(int64_t viewers, int64_t connects) {
    int64_t ms = connects ? min(1400 * viewers / connects, MOST_MS) : viewers ? MOST_MS : 0;
    return ms > LEAST_MS ? (uint32_t)ms : 0;
}

bool crowd_retry_changes(uint32_t told_ms, uint32_t ms) {
    int64_t before = max(told_ms, LEAST_MS), now = max(ms, LEAST_MS);
    return 4 * now >= 5 * before || 5 * now <= 4 * before;
}

static int64_t busy_since(const struct loop_lag *now, struct loop_lag *before, int64_t of_us) {
    int64_t busy_us = (int64_t)(now->busy_us - before->busy_us);
    *before = *now;
    return of_us > 0 && busy_us > 0 ? BUSY_ALL * busy_us / of_us : 0;
}

// What is measured is how much is left of the control loop, which accepts and answers, and of the workers.
static void crowd_look(struct crowd *c, int64_t now_ms) {
    struct loop_lag control = loop_lag(c->loop), workers = fanout_lag(c->fanout);
    int64_t passed_us = (now_ms - c->looked_ms) * 1000;
    int64_t by_control = busy_since(&control, &c->control, passed_us);
    int64_t by_workers = busy_since(&workers, &c->workers, passed_us * fanout_workers(c->fanout));
    if (c->looked_ms) c->busy = max(by_control, by_workers);
    c->looked_ms = now_ms;
}

// Where there is no other process, its viewers come back to this one.
void crowd_sweep(struct crowd *c, const struct placement *p, int64_t now_ms) {
    if (c->looked_ms && now_ms < c->looked_ms + LOOK_MS) return;
    const struct readers *all = placement_readers(p);
    crowd_look(c, now_ms);
    c->neighbours = crowd_neighbours(c, all);
    int64_t connects = crowd_connects_of_others(all, c->readers, c->reader_count);
    uint32_t ms = crowd_retry_ms(fanout_viewers(c->fanout), connects ? connects : c->connects);
    if (!crowd_retry_changes(c->retry_ms, ms)) return;
    c->retry_ms = ms;
    fanout_set_retry(c->fanout, ms);
}
