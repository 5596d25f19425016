#include "base/budget.h"
#include "fanout/fanout.h"
#include "net/loop.h"
#include "reader/crowd.h"
#include "reader_core.h"

#define READER(name, expression)                                                                             \
    static double name(struct service *s) {                                                                  \
        struct reader *r = (struct reader *)s;                                                               \
        return (double)(expression);                                                                         \
    }
READER(viewers_now, counter_get(&r->counters.viewers))
READER(reader_videos, r->videos.count)
READER(reader_watched, r->videos.count - r->env.idle_count)
READER(reader_deliveries, counter_get(&r->counters.delivered))
READER(reader_sends, counter_get(&r->counters.sends))
READER(reader_wakeups, counter_get(&r->counters.wakeups))
READER(reader_slow_gaps, counter_get(&r->counters.gaps))
READER(gaps_slow, counter_get(&r->counters.gaps) + r->env.gaps[GAP_SLOW])
READER(gaps_expired, r->env.gaps[GAP_EXPIRED])
READER(gaps_epoch, r->env.gaps[GAP_EPOCH])
READER(reader_lease, r->lease_state == READER_LEASE_OURS)
READER(reader_stalled, counter_get(&r->counters.stalled))
READER(reader_slow, counter_get(&r->counters.slow))
READER(reader_redirected, r->redirected)
READER(reader_resumed, r->resumed)
READER(reader_moved, counter_get(&r->counters.moved))
READER(reader_draining, r->draining)
READER(reader_drains, r->drains)
READER(reader_most_viewers, r->config.crowd ? r->config.crowd->most : 0)
READER(reader_shed, r->shed + counter_get(&r->counters.refused))
READER(pairs_due, counter_get(&r->counters.pairs[LEDGER_DUE]))
READER(pairs_delivered, counter_get(&r->counters.pairs[LEDGER_DELIVERED]))
READER(pairs_sampled, counter_get(&r->counters.pairs[LEDGER_SAMPLED]))
READER(pairs_retracted, counter_get(&r->counters.pairs[LEDGER_RETRACTED]))
READER(pairs_slow, counter_get(&r->counters.pairs[LEDGER_SLOW]))
READER(pairs_lost, counter_get(&r->counters.pairs[LEDGER_LOST]))
READER(pairs_left, counter_get(&r->counters.pairs[LEDGER_LEFT]))
#undef READER

METRICS_OF_LOOPS(workers, workers_lag)

static double delay_seconds(struct service *s, double percent) {
    uint64_t counts[DELAY_BUCKETS];
    fan_counters_read_delays(&((struct reader *)s)->counters, counts);
    double ms = delay_percentile_ms(counts, percent);
    return ms < 0 ? 0 : ms / 1e3;
}

// In the buckets of loop_lag_step_us(): the counts have a bucket that begins at each of these.
enum { DELIVERY_STEPS = 15 };
static void reader_delivery(struct service *s, struct metric_histogram *h) {
    struct fan_counters *c = &((struct reader *)s)->counters;
    uint64_t counts[DELAY_BUCKETS];
    unsigned bucket = 0;
    fan_counters_read_delays(c, counts);
    h->count = DELIVERY_STEPS;
    for (unsigned i = 0; i < DELIVERY_STEPS; i++) {
        int64_t end_ms = INT64_C(1) << i;
        h->bounds[i] = (double)end_ms / 1e3;
        for (; bucket < delay_bucket(end_ms); bucket++) h->within[i] += counts[bucket];
    }
    for (; bucket < DELAY_BUCKETS; bucket++) h->within[DELIVERY_STEPS] += counts[bucket];
    h->sum = (double)counter_get(&c->delay_ms) / 1e3;
}

static double delay_p50(struct service *s) {
    return delay_seconds(s, 50);
}

static double delay_p99(struct service *s) {
    return delay_seconds(s, 99);
}

static double reader_memory_used(struct service *s) {
    (void)s;
    return (double)budget_used();
}

static double reader_memory_max(struct service *s) {
    (void)s;
    return (double)budget_max();
}

const struct metric reader_metrics[] = {
    {"chorus_reader_viewers", "viewers", METRIC_GAUGE, "Viewers with a stream.", .get = viewers_now,
     .health = "activeConnections", .report = "activeConnections"},
    {"chorus_reader_videos", "videos", METRIC_GAUGE, "Videos subscribed to.", .get = reader_videos,
     .health = "subscribedTopics", .report = "figures.videos"}, // a report also lists them
    {"chorus_reader_watched_videos", "videos", METRIC_GAUGE, "Videos with viewers.", .get = reader_watched,
     .report = "figures.watched"},
    {"chorus_reader_deliveries_total", "deliveries", METRIC_COUNTER, "Events sent, each to each viewer.",
     .get = reader_deliveries, .health = "messagesSent", .report = "messagesSent"},
    {"chorus_reader_sends_total", "sends", METRIC_COUNTER,
     "Calls of send, each to one viewer, with those for heartbeats and first bytes. Fewer than deliveries where comments share a send.",
     .get = reader_sends, .health = "sends"},
    {"chorus_reader_wakeups_total", "wakeups", METRIC_COUNTER,
     "Comments passed to worker threads: one for each comment and each worker that has viewers of its video.",
     .get = reader_wakeups, .health = "wakeups"},
    {"chorus_reader_gaps_total", "gaps", METRIC_COUNTER,
     "Gaps that viewers got, each counted for each viewer, by reason.", .get = gaps_slow,
     .label = "reason=\"slow\""},
    {"chorus_reader_gaps_total", "gaps", METRIC_COUNTER, "What a viewer missed is no longer kept.",
     .get = gaps_expired, .label = "reason=\"expired\""},
    {"chorus_reader_gaps_total", "gaps", METRIC_COUNTER, "The store has lost comments.", .get = gaps_epoch,
     .label = "reason=\"epoch\""},
    {"chorus_reader_slow_gaps_total", "gaps", METRIC_COUNTER,
     "Gaps sent because a viewer fell behind what is kept for slow ones.", .get = reader_slow_gaps,
     .health = "slowGaps", .report = "figures.slowGaps", .only_health = true},
    {"chorus_reader_stalled_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers disconnected because they accepted no data for --stall-timeout-ms, or for five seconds where their places were needed; they may reconnect and resume.",
     .get = reader_stalled, .health = "stalled", .report = "figures.stalled"},
    {"chorus_reader_slow_viewers", "viewers", METRIC_GAUGE,
     "Viewers that are behind now, because they accept data too slowly.", .get = reader_slow,
     .report = "figures.slowViewers"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER,
     "Comments that viewers were to get, each counted for each viewer: those published while it was there, and those that it missed and came back for.",
     .get = pairs_due, .label = "outcome=\"due\"", .report = "figures.due"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER, "Sent whole.", .get = pairs_delivered,
     .label = "outcome=\"delivered\"", .report = "figures.delivered"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER, "Left out by a readable rate.",
     .get = pairs_sampled, .label = "outcome=\"sampled\"", .report = "figures.sampled"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER, "Taken back before it was sent.",
     .get = pairs_retracted, .label = "outcome=\"retracted\"", .report = "figures.retracted"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER,
     "A gap came instead, or the stream ended, because the viewer was too slow.", .get = pairs_slow,
     .label = "outcome=\"slow\"", .report = "figures.slow"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER,
     "A gap came instead, because the store no longer had it.", .get = pairs_lost,
     .label = "outcome=\"lost\"", .report = "figures.lost"},
    {"chorus_reader_pairs_total", "pairs", METRIC_COUNTER, "The viewer left before.", .get = pairs_left,
     .label = "outcome=\"left\"", .report = "figures.left"},
    {"chorus_reader_delivery_seconds", "seconds", METRIC_HISTOGRAM,
     "Time from a comment's timestamp, when it was posted, to its send to a viewer that keeps up; a value for each viewer.",
     .read = reader_delivery},
    {"chorus_reader_p50_delay_seconds", "seconds", METRIC_GAUGE,
     "Time from a comment's timestamp to its delivery that half of all deliveries since the start did not exceed.",
     .get = delay_p50, .only_health = true},
    {"chorus_reader_p99_delay_seconds", "seconds", METRIC_GAUGE, "The same of 99 percent of them.",
     .get = delay_p99, .only_health = true},
    {"chorus_workers_turns_total", "turns", METRIC_COUNTER,
     "Turns of the loops that send to viewers, of all readers of the process.", .get = workers_turns,
     .only_health = true},
    {"chorus_workers_slow_turns_total", "turns", METRIC_COUNTER,
     "Of those, the ones of 16 ms and longer: a comment may have waited as long.", .get = workers_slow_turns,
     .only_health = true},
    {"chorus_workers_busy_seconds_total", "seconds", METRIC_COUNTER, "Time that all these turns took.",
     .get = workers_busy_s, .only_health = true},
    {"chorus_workers_longest_turn_seconds", "seconds", METRIC_GAUGE, "Time that the longest of them took.",
     .get = workers_longest_turn_s, .only_health = true},
    {"chorus_workers_lag_seconds", "seconds", METRIC_HISTOGRAM,
     "How long each turn of the loops that send to viewers took: a comment may have waited as long.",
     .read = workers_lag_read, .of_process = true},
    {"chorus_memory_used_bytes", "bytes", METRIC_GAUGE, "Memory in use that clients can make grow.",
     .get = reader_memory_used, .health = "memory.used", .report = "figures.memoryUsed", .of_process = true},
    {"chorus_memory_max_bytes", "bytes", METRIC_GAUGE, "Its limit (--memory).", .get = reader_memory_max,
     .health = "memory.max", .report = "figures.memoryMax", .of_process = true},
    {"chorus_reader_held_leases", "leases", METRIC_GAUGE,
     "Whether the reader holds the lease of its URL, without which it is given no videos: 1, or 0.",
     .get = reader_lease},
    {"chorus_reader_redirected_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers redirected to the reader that has their video.", .get = reader_redirected,
     .health = "redirected"},
    {"chorus_reader_resumed_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers that continued an earlier stream, from the position that they had seen.", .get = reader_resumed,
     .report = "figures.resumed"},
    {"chorus_reader_moved_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers that were told to go on at another reader, at a pace: in a drain, or because their video was moved.",
     .get = reader_moved, .report = "figures.moved"},
    {"chorus_reader_draining_readers", "readers", METRIC_GAUGE,
     "Whether the reader is giving its viewers to others: 1, or 0.", .get = reader_draining,
     .report = "figures.draining"},
    {"chorus_reader_drains_total", "drains", METRIC_COUNTER, "Times that this began.", .get = reader_drains},
    {"chorus_reader_max_viewers", "viewers", METRIC_GAUGE,
     "Viewers that the process may have (--max-viewers).", .get = reader_most_viewers, .of_process = true},
    {"chorus_reader_shed_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers turned away by closing their connections, before a stream began: no memory, no descriptor, no store, or stopping. Browsers try again.",
     .get = reader_shed, .health = "shed", .report = "figures.shed"},
    {0},
};
