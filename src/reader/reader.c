#include "reader/reader.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "placement/placement.h"
#include "arrival.h"
#include "reader_lease.h"
#include "base/budget.h"
#include "reader_core.h"
#include "recheck.h"
#include "watched.h"
#include "service/body.h"
#include "service/reporter.h"

// Memory freed when a crowd leaves stays with malloc: malloc_trim() blocks every thread that allocates until
// it is done, 180 ms after 400,000 viewers.
enum { SWEEP_MS = 250, VACATE_AGAIN_MS = 10, LISTED_TOPICS = 100 };

// After an event tens of thousands of videos may be due at once.
static void on_vacate(struct loop_timer *t) {
    struct reader *r = container_of(t, struct reader, vacate);
    if (watched_close_vacant(r)) loop_timer_start(r->service.loop, t, VACATE_AGAIN_MS);
}

static void on_sweep(struct loop_timer *t) {
    struct reader *r = container_of(t, struct reader, sweep);
    int64_t now = loop_now_ms(r->service.loop);
    watched_sweep(r);
    if (!r->vacate.slot) on_vacate(&r->vacate);
    recheck_sweep(r, now);
    arrival_tell_shed(r, now);
    loop_timer_start(r->service.loop, t, SWEEP_MS);
}

static json_t *build_report(void *arg) {
    struct reader *r = arg;
    json_t *topics = json_array();
    size_t listed = 0;
    for (const struct watched *w = watched_next(r, NULL); w && listed < LISTED_TOPICS;
         w = watched_next(r, w), listed++)
        json_array_append_new(topics, json_sprintf("video:%s", w->video));
    return json_pack("{s:s,s:I,s:o,s:I}", "instanceId", r->service.instance_id, "activeConnections",
                     (json_int_t)r->env.viewers, "subscribedTopics", topics, "messagesSent",
                     (json_int_t)counter_get(&r->counters.delivered));
}

static void describe(struct service *s, json_t *health) {
    struct reader *r = (struct reader *)s;
    json_object_set_new(health, "activeConnections", json_integer((json_int_t)r->env.viewers));
    json_object_set_new(health, "subscribedTopics", json_integer((json_int_t)r->videos.count));
    json_object_set_new(health, "messagesSent",
                        json_integer((json_int_t)counter_get(&r->counters.delivered)));
    json_object_set_new(health, "sends", json_integer((json_int_t)counter_get(&r->counters.sends)));
    json_object_set_new(health, "wakeups", json_integer((json_int_t)counter_get(&r->counters.wakeups)));
    json_object_set_new(health, "slowGaps", json_integer((json_int_t)counter_get(&r->counters.gaps)));
    json_object_set_new(health, "stalled", json_integer((json_int_t)counter_get(&r->counters.stalled)));
    json_object_set_new(health, "memory",
                        json_pack("{s:I,s:I,s:b}", "used", (json_int_t)budget_used(), "max",
                                  (json_int_t)budget_max(), "full", (int)!budget_has_room()));
    json_object_set_new(health, "redirected", json_integer((json_int_t)r->redirected));
    json_object_set_new(health, "shed",
                        json_integer((json_int_t)(r->shed + counter_get(&r->counters.refused))));
}

static bool ready(struct service *s, const char **why) {
    struct reader *r = (struct reader *)s;
    if (reader_lease_is_anothers(r->lease_state))
        *why = "Another process holds this --url; give each reader a URL of its own.";
    else if (!placement_ready(r->placement))
        *why = "The list of readers has not been read yet.";
    else
        return true;
    return false;
}

struct reader *reader_new(struct loop *loop, struct engine *engine, struct placement *placement,
                          struct fanout *fanout, struct history_budget *budget, struct http_client *client,
                          const struct reader_config *config) {
    struct reader *r = mem_zalloc(sizeof *r);
    r->service = (struct service){.role = "reader",
                                  .instance_id = config->instance_id,
                                  .loop = loop,
                                  .engine = engine,
                                  .describe = describe,
                                  .ready = ready};
    r->config = *config;
    r->placement = placement;
    r->generation = (uint64_t)clock_wall_ms();
    r->env = (struct stream_env){.loop = loop,
                                 .engine = engine,
                                 .fanout = fanout,
                                 .counters = &r->counters,
                                 .budget = budget,
                                 .instance_id = config->instance_id,
                                 .sampler = &r->sampler,
                                 .on_audience = watched_on_audience};
    stream_env_init(&r->env);
    r->sweep.on_due = on_sweep;
    r->vacate.on_due = on_vacate;
    loop_timer_start(loop, &r->sweep, SWEEP_MS);
    reader_lease_start(r);
    r->reporter = reporter_new(loop, client,
                               &(struct reporter_config){.role = config->instance_id,
                                                         .statistics_url = config->statistics_url,
                                                         .path = "/reader-api-statistics",
                                                         .interval_ms = config->statistics_interval_ms,
                                                         .token = config->token,
                                                         .build = build_report,
                                                         .arg = r});
    return r;
}

void reader_stop(struct reader *r) {
    r->stopping = true;
    loop_timer_stop(r->service.loop, &r->sweep);
    loop_timer_stop(r->service.loop, &r->vacate);
    reporter_free(r->reporter);
    r->reporter = NULL;
    recheck_drop(r);
    struct watched *w, *next;
    for (w = watched_next(r, NULL); w; w = next) {
        next = watched_next(r, w);
        watched_close(r, w);
    }
    reader_lease_drop(r);
}

void reader_free(struct reader *r) {
    free(r);
}
