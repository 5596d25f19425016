#include "reader/reader.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "placement/placement.h"
#include "reader/crowd.h"
#include "access_log.h"
#include "connect.h"
#include "drain.h"
#include "moves.h"
#include "orders.h"
#include "reader_lease.h"
#include "base/budget.h"
#include "fanout/fanout.h"
#include "hot_videos.h"
#include "ledger_report.h"
#include "ledgers.h"
#include "reader_core.h"
#include "ranking.h"
#include "recheck.h"
#include "reactions.h"
#include "shadowed.h"
#include "room_events.h"
#include "viewer_counts.h"
#include "watched.h"

// malloc keeps the memory that a crowd frees when it leaves: malloc_trim() would block every thread that
// allocates, for 180 ms after 400,000 viewers.
enum { SWEEP_MS = 250, CLOSE_IDLE_AGAIN_MS = 10, LISTED_TOPICS = 100 };

// After an event tens of thousands of videos may be due at once.
static void on_close_idle(struct loop_timer *t) {
    struct reader *r = container_of(t, struct reader, close_idle);
    if (watched_close_idle(r)) loop_timer_start(r->service.loop, t, CLOSE_IDLE_AGAIN_MS);
}

static void on_video_close(struct reader *r, struct watched *w) {
    ranking_leave(r, w);
    viewer_counts_close(r, w->video);
    room_events_close(r, w);
    reactions_close(r, w);
    moves_close(w);
}

static void on_reader_sweep(struct loop_timer *t) {
    struct reader *r = container_of(t, struct reader, sweep);
    int64_t now = loop_now_ms(r->service.loop);
    watched_sweep(r);
    viewer_counts_sweep(r);
    room_events_sweep(r);
    reactions_sweep(r);
    ranking_sweep(r);
    if (!r->close_idle.slot) on_close_idle(&r->close_idle);
    recheck_sweep(r, now);
    drain_sweep(r, now);
    if (r->config.crowd) crowd_sweep(r->config.crowd, r->placement, now);
    connect_log_shed(r, now);
    access_log_sweep(&r->access_log);
    tickets_sweep(&r->tickets, clock_wall_ms());
    loop_timer_start(r->service.loop, t, SWEEP_MS);
}

// Counts since the start by bucket, without those that are 0.
static json_t *reader_delays(struct reader *r) {
    uint64_t counts[DELAY_BUCKETS];
    fan_counters_read_delays(&r->counters, counts);
    json_t *delays = json_object();
    char bucket[12];
    for (int i = 0; i < DELAY_BUCKETS; i++) {
        if (!counts[i]) continue;
        snprintf(bucket, sizeof bucket, "%d", i);
        json_object_set_new(delays, bucket, json_integer((json_int_t)counts[i]));
    }
    return delays;
}

static void reader_add_to_report(struct service *s, json_t *report) {
    struct reader *r = (struct reader *)s;
    json_t *topics = json_array();
    size_t listed = 0;
    for (const struct watched *w = watched_next(r, NULL); w && listed < LISTED_TOPICS;
         w = watched_next(r, w), listed++)
        json_array_append_new(topics, json_sprintf("video:%s", w->video));
    json_object_set_new(report, "subscribedTopics", topics);
    json_object_set_new(report, "delays", reader_delays(r));
    ranking_add_to_report(r, report);
    bool has_more = ledgers_add_to_report(r, report);
    if (r->leave && !has_more) r->leave = READER_LAST_REPORT;
    json_t *figures = json_object_get(report, "figures");
    json_object_set_new(figures, "life", json_integer((json_int_t)r->life));
    json_object_set_new(figures, "report", json_integer((json_int_t)++r->reports));
    if (r->leave == READER_LAST_REPORT) json_object_set_new(figures, "last", json_integer(1));
}

static void reader_asked(struct service *s, const char *what, size_t len) {
    static const char ledger[] = "ledger ";
    enum { LEN = sizeof ledger - 1 };
    if (len > LEN && !memcmp(what, ledger, LEN))
        ledgers_ask(((struct reader *)s)->ledgers, what + LEN, len - LEN);
}

static void reader_describe(struct service *s, json_t *health) {
    (void)s;
    json_object_set_new(json_object_get(health, "memory"), "full", json_boolean(!budget_has_room()));
}

static bool reader_ready(struct service *s, const char **why) {
    struct reader *r = (struct reader *)s;
    if (reader_lease_is_anothers(r->lease_state))
        *why = "Another process holds this --url; give each reader a URL of its own.";
    else if (r->draining)
        *why = "It is draining: its viewers go to other readers.";
    else if (!placement_ready(r->placement))
        *why = "The list of readers has not been read yet.";
    else
        return true;
    return false;
}

static struct loop_lag reader_workers_lag(struct service *s) {
    return fanout_lag(((struct reader *)s)->env.fanout);
}

static const struct service_kind reader_kind = {.role = "reader",
                                                .logs_instance = true,
                                                .metrics = reader_metrics,
                                                .workers_lag = reader_workers_lag,
                                                .describe = reader_describe,
                                                .ready = reader_ready,
                                                .report_path = "/reader-api-statistics",
                                                .reports_often = true,
                                                .asked = reader_asked,
                                                .add_to_report = reader_add_to_report};

struct reader *reader_new(struct loop *loop, struct engine *engine, struct placement *placement,
                          struct fanout *fanout, struct history_budget *budget, struct http_client *client,
                          const struct reader_config *config) {
    struct reader *r = mem_zalloc(sizeof *r);
    service_init(&r->service, &reader_kind, loop, engine, client, &config->service);
    r->config = *config;
    r->placement = placement;
    r->generation = (uint64_t)clock_wall_ms();
    r->env = (struct broadcast_env){.loop = loop,
                                    .engine = engine,
                                    .fanout = fanout,
                                    .counters = &r->counters,
                                    .budget = budget,
                                    .instance_id = config->service.instance_id,
                                    .sampler = &r->sampler,
                                    .end = FAN_END_MOVED,
                                    .on_audience = watched_on_audience,
                                    .on_busy = room_events_busy,
                                    .on_shown = reactions_ride,
                                    .on_viewers = viewer_counts_changed};
    broadcast_env_init(&r->env);
    access_log_start(&r->access_log, &r->counters, r->service.instance_id);
    r->sweep.on_due = on_reader_sweep;
    r->close_idle.on_due = on_close_idle;
    loop_timer_start(loop, &r->sweep, SWEEP_MS);
    r->on_close = on_video_close;
    r->moves = moves_new(r);
    orders_start(r);
    if (config->crowd) crowd_add(config->crowd, config->reader_url);
    r->ranking = ranking_new();
    r->hot_videos = hot_videos_new();
    r->ledgers = ledgers_new(&r->counters);
    viewer_counts_start(r);
    room_events_start(r);
    reactions_start(r);
    shadowed_start(r);
    if (config->service.process && config->service.process->keys)
        tickets_start(&r->tickets, engine, config->reader_url, clock_wall_ms());
    reader_lease_start(r);
    connect_count_descriptors();
    return r;
}

static void reader_close(struct reader *r) {
    r->stopping = true;
    loop_timer_stop(r->service.loop, &r->sweep);
    loop_timer_stop(r->service.loop, &r->close_idle);
    recheck_drop(r);
    moves_end(r);
    orders_stop(r);
    if (r->config.crowd) crowd_remove(r->config.crowd, r->config.reader_url);
    viewer_counts_stop(r);
    struct watched *w, *next;
    for (w = watched_next(r, NULL); w; w = next) {
        next = watched_next(r, w);
        watched_close(r, w);
    }
    room_events_stop(r);
    reactions_stop(r);
    shadowed_stop(r);
}

void reader_drain(struct reader *r, bool on) {
    drain_set(r, on);
}

uint64_t reader_viewers(const struct reader *r) {
    return counter_get(&((struct reader *)r)->counters.viewers);
}

void reader_set_times(struct reader *r, int heartbeat_ms, int stall_ms, int unsubscribe_ms) {
    r->config.heartbeat_ms = heartbeat_ms;
    r->config.stall_ms = stall_ms;
    r->config.unsubscribe_ms = unsubscribe_ms;
}

void reader_stop(struct reader *r) {
    r->env.end = FAN_END_STOPPING;
    r->ledgers->keeps_all = true;
    reader_close(r);
    reader_lease_drop(r);
}

bool reader_takes_leave(struct reader *r) {
    if (!r->service.reporter) return true;
    if (r->counters.channels || service_is_reporting(&r->service)) return false;
    if (r->leave == READER_LAST_REPORT || (r->leave && service_report_failed(&r->service))) return true;
    r->leave = READER_LEAVING;
    service_report_now(&r->service);
    return false;
}

// Like a process that dies, it takes its time to be noticed: by the viewers when their connections are reset,
// by the others when its lease lapses.
void reader_kill(struct reader *r) {
    r->killed = true;
    r->env.end = FAN_END_KILLED;
    service_release(&r->service);
    reader_lease_abandon(r);
    reader_close(r);
}

// Without a lease of its own it starts no further query; those that run are counted.
bool reader_is_settled(const struct reader *r) {
    return r->stopping && !r->renewing && !r->rechecking && !r->outstanding &&
           tickets_are_settled(&r->tickets) && broadcast_env_is_settled(&r->env);
}

void reader_free(struct reader *r) {
    if (r) moves_free(r->moves);
    if (r) ranking_free(r->ranking);
    if (r) hot_videos_free(r->hot_videos);
    if (r) ledgers_free(r->ledgers);
    if (r) tickets_release(&r->tickets);
    if (r) access_log_end(&r->access_log);
    free(r);
}
