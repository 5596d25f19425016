#include "eviction.h"

#include <stddef.h>

#include "base/uthash.h"
#include "conn.h"

struct eviction_sample {
    struct http_conn *least, *newest, *spare; // of the last, only a crowd has one
    int64_t still_ms;                         // of the least
};

// Looks at a connection. Whether it is idle costs a system call, so that is asked last.
static void sample_add(struct eviction_sample *found, struct http_conn *c, bool is_greedy, int64_t now_ms) {
    int64_t still_ms = http_hold_still_ms(&c->hold, now_ms);
    bool is_behind = still_ms || !c->hold.is_steady;
    bool rests = !is_behind && now_ms - c->hold.since_ms >= HTTP_CROWDED_MS;
    bool is_least = is_behind && (!found->least || still_ms > found->still_ms);
    bool is_newest = !found->newest || c->number > found->newest->number;
    bool is_spare = (is_greedy || rests) && (!found->spare || c->number > found->spare->number);
    if (!is_least && !is_newest && !is_spare) return;
    bool is_idle = c->ops->is_idle(c), is_needed = !c->hold.listed && !is_idle; // it is being answered
    if (is_least && !is_needed) {
        found->least = c;
        found->still_ms = still_ms;
    }
    if (is_newest && !is_needed && (!c->hold.is_steady || is_idle)) found->newest = c;
    if (is_spare && (is_greedy || !is_needed)) found->spare = c;
}

static bool conn_is_unasked(const struct http_conn *c) {
    return !c->task.waits && !c->hold.listed;
}

// A sample is enough, as with Redis, which evicts by one of five.
static struct eviction_sample sample_take(struct http_conn **conns, uint64_t open,
                                          const struct http_scheduler *t, int64_t now_ms, uint64_t *middle) {
    struct eviction_sample found = {.still_ms = 0};
    uint64_t count = 0, numbers = 0;
    for (; count < open && count < HTTP_SAMPLE && *conns; count++) {
        struct http_conn *c = *conns;
        DL_DELETE(*conns, c);
        DL_APPEND(*conns, c);
        numbers += c->number;
        sample_add(&found, c, http_scheduler_is_backlogged(t, &c->task), now_ms);
    }
    *middle = count >= HTTP_CROWD ? numbers / count : 0;
    if (found.newest && found.newest->number < *middle) found.newest = NULL;
    bool is_old = found.spare && conn_is_unasked(found.spare) && found.spare->number < *middle;
    if (!*middle || is_old) found.spare = NULL;
    return found;
}

struct http_conn *http_eviction_find(struct http_conn **conns, uint64_t open, const struct http_scheduler *t,
                                     int64_t now_ms, bool for_other_port, uint64_t *middle) {
    struct eviction_sample found = sample_take(conns, open, t, now_ms, middle);
    if (found.still_ms >= HTTP_GRACE_MS) return found.least;
    if (found.spare) return found.spare;
    bool newest_goes = for_other_port ? *middle != 0 : !found.least;
    return newest_goes ? found.newest : NULL;
}
