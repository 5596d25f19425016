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
    {"chorus_reader_viewers", "viewers", METRIC_GAUGE, "Viewers with a stream.", .get = reader_viewers,
     .health = "activeConnections", .report = "activeConnections"},
    {"chorus_reader_videos", "videos", METRIC_GAUGE, "Videos subscribed to.", .get = reader_videos,
     .health = "subscribedTopics", .report = "figures.videos"}, // a report also lists them
    {"chorus_reader_watched_videos", "videos", METRIC_GAUGE, "Videos with viewers.", .get = reader_watched,
     .report = "figures.watched"},
    {"chorus_reader_deliveries_total", "deliveries", METRIC_COUNTER, "Events sent, each to each viewer.",
     .get = reader_deliveries, .health = "messagesSent", .report = "messagesSent"},
    {"chorus_reader_sends_total", "sends", METRIC_COUNTER,
     "Calls of send, with those for heartbeats and first bytes.", .get = reader_sends, .health = "sends"},
    {"chorus_reader_wakeups_total", "wakeups", METRIC_COUNTER, "Wakeups of workers to publish.",
     .get = reader_wakeups, .health = "wakeups"},
    {"chorus_reader_slow_gaps_total", "gaps", METRIC_COUNTER,
     "Gaps sent because a viewer fell behind what is kept for slow ones.", .get = reader_slow_gaps,
     .health = "slowGaps", .report = "figures.slowGaps"},
    {"chorus_reader_stalled_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers disconnected because they accepted no data.", .get = reader_stalled, .health = "stalled",
     .report = "figures.stalled"},
    {"chorus_reader_slow_viewers", "viewers", METRIC_GAUGE,
     "Viewers that are behind now, because they accept data too slowly.", .get = reader_slow,
     .report = "figures.slowViewers"},
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
    {"chorus_reader_redirected_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers redirected to the reader that has their video.", .get = reader_redirected,
     .health = "redirected"},
    {"chorus_reader_resumed_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers that continued an earlier stream, from the position that they had seen.", .get = reader_resumed,
     .report = "figures.resumed"},
    {"chorus_reader_shed_viewers_total", "viewers", METRIC_COUNTER,
     "Viewers turned away by closing their connections.", .get = reader_shed, .health = "shed",
     .report = "figures.shed"},
    {0},
};
