#include "base/budget.h"
#include "fanout/fanout.h"
#include "net/loop.h"
#include "reader_core.h"

#define READER(name, expression)                                                                             \
    static double name(struct service *s) {                                                                  \
        struct reader *r = (struct reader *)s;                                                               \
        return (double)(expression);                                                                         \
    }
READER(reader_viewers, counter_get(&r->counters.viewers))
READER(reader_videos, r->videos.count)
READER(reader_watched, r->videos.count - r->env.idle_count)
READER(reader_deliveries, counter_get(&r->counters.delivered))
READER(reader_sends, counter_get(&r->counters.sends))
READER(reader_wakeups, counter_get(&r->counters.wakeups))
READER(reader_slow_gaps, counter_get(&r->counters.gaps))
READER(reader_stalled, counter_get(&r->counters.stalled))
READER(reader_slow, counter_get(&r->counters.slow))
READER(reader_redirected, r->redirected)
READER(reader_resumed, r->resumed)
READER(reader_shed, r->shed + counter_get(&r->counters.refused))
#undef READER

METRICS_OF_LOOPS(workers, workers_lag)

static double delay_seconds(struct service *s, double percent) {
    uint64_t counts[DELAY_BUCKETS];
    fan_counters_read_delays(&((struct reader *)s)->counters, counts);
    double ms = delay_percentile_ms(counts, percent);
    return ms < 0 ? 0 : ms / 1e3;
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
    {"chorus_reader_viewers", "viewers", METRIC_GAUGE, "Viewers with a stream.", reader_viewers,
     "activeConnections", "activeConnections"},
    {"chorus_reader_videos", "videos", METRIC_GAUGE, "Videos subscribed to.", reader_videos,
     "subscribedTopics", "figures.videos"}, // a report also lists them
    {"chorus_reader_watched_videos", "videos", METRIC_GAUGE, "Videos with viewers.", reader_watched, NULL,
     "figures.watched"},
    {"chorus_reader_deliveries_total", "deliveries", METRIC_COUNTER, "Events sent, each to each viewer.",
     reader_deliveries, "messagesSent", "messagesSent"},
    {"chorus_reader_sends_total", "sends", METRIC_COUNTER,
     "Calls of send, with those for heartbeats and first bytes.", reader_sends, "sends", NULL},
    {"chorus_reader_wakeups_total", "wakeups", METRIC_COUNTER, "Wakeups of workers to publish.",
     reader_wakeups, "wakeups", NULL},
    {"chorus_reader_slow_gaps_total", "gaps", METRIC_COUNTER,
     "Gaps sent because a viewer fell behind what is kept for slow ones.", reader_slow_gaps, "slowGaps",
     "figures.slowGaps"},
    {"chorus_reader_stalled_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers disconnected because they accepted no data.", reader_stalled, "stalled", "figures.stalled"},
    {"chorus_reader_slow_viewers", "viewers", METRIC_GAUGE,
     "Viewers that are behind now, because they accept data too slowly.", reader_slow, NULL,
     "figures.slowViewers"},
    {"chorus_reader_p50_delay_seconds", "seconds", METRIC_GAUGE,
     "Time from a comment's timestamp to its delivery that half of all deliveries since the start did not exceed.",
     delay_p50, NULL, NULL},
    {"chorus_reader_p99_delay_seconds", "seconds", METRIC_GAUGE, "The same of 99 percent of them.", delay_p99,
     NULL, NULL},
    {"chorus_workers_turns_total", "turns", METRIC_COUNTER,
     "Turns of the loops that send to viewers, of all readers of the process.", workers_turns, NULL, NULL},
    {"chorus_workers_slow_turns_total", "turns", METRIC_COUNTER,
     "Of those, the ones of 16 ms and longer: a comment may have waited as long.", workers_slow_turns, NULL,
     NULL},
    {"chorus_workers_busy_seconds_total", "seconds", METRIC_COUNTER, "Time that all these turns took.",
     workers_busy_s, NULL, NULL},
    {"chorus_workers_longest_turn_seconds", "seconds", METRIC_GAUGE, "Time that the longest of them took.",
     workers_longest_turn_s, NULL, NULL},
    {"chorus_memory_used_bytes", "bytes", METRIC_GAUGE, "Memory in use that clients can make grow.",
     reader_memory_used, "memory.used", "figures.memoryUsed"},
    {"chorus_memory_max_bytes", "bytes", METRIC_GAUGE, "Its limit (--memory).", reader_memory_max,
     "memory.max", "figures.memoryMax"},
    {"chorus_reader_redirected_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers redirected to the reader that has their video.", reader_redirected, "redirected", NULL},
    {"chorus_reader_resumed_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers that continued an earlier stream, from the position that they had seen.", reader_resumed, NULL,
     "figures.resumed"},
    {"chorus_reader_shed_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers turned away by closing their connections.", reader_shed, "shed", "figures.shed"},
    {0},
};
