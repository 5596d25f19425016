#include "manager/manager.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "http/server.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "service/reporter.h"

struct manager {
    struct placed_service placed; // first: the argument of the routes
    struct reporter *reporter;
    struct loop_timer look; // keeps the figures below fresh
    bool looking;
    uint64_t videos;         // registered, all in all
    json_t *newest_mappings; // of some of them
    int interval_ms;
};

static void on_overview(void *arg, enum engine_status status, const struct engine_overview *o) {
    struct manager *m = arg;
    if (status == ENGINE_CLOSED) return;
    m->looking = false;
    if (status != ENGINE_OK) return;
    m->videos = o->mappings;
    json_object_clear(m->newest_mappings);
    for (size_t i = 0; i < o->mapped_count; i++)
        json_object_set_new(m->newest_mappings, o->mapped[i].video, json_string(o->mapped[i].reader_url));
}

static void on_look(struct loop_timer *t) {
    struct manager *m = container_of(t, struct manager, look);
    struct engine *e = m->placed.service.engine;
    if (!m->looking) {
        m->looking = true;
        e->ops->overview(e, on_overview, m);
    }
    loop_timer_start(m->placed.service.loop, t, m->interval_ms);
}

static json_t *build_report(void *arg) {
    struct manager *m = arg;
    struct service *s = &m->placed.service;
    return json_pack("{s:s,s:s,s:I,s:I,s:I,s:O}", "service", "reader-api-manager", "instanceId",
                     s->instance_id, "registeredVideos", (json_int_t)m->videos, "availableReaderApis",
                     (json_int_t)placement_reader_count(m->placed.placement), "registrationCount",
                     (json_int_t)m->placed.registrations, "videoMappings", m->newest_mappings);
}

static void describe(struct service *s, json_t *health) {
    struct manager *m = (struct manager *)s;
    json_object_set_new(health, "registeredVideos", json_integer((json_int_t)m->videos));
    json_object_set_new(health, "availableReaderApis",
                        json_integer((json_int_t)placement_reader_count(m->placed.placement)));
}

static bool ready(struct service *s, const char **why) {
    struct manager *m = (struct manager *)s;
    if (placement_ready(m->placed.placement) && placement_reader_count(m->placed.placement)) return true;
    *why = "No reader is alive.";
    return false;
}

struct manager *manager_new(struct loop *loop, struct engine *engine, struct placement *placement,
                            struct http_client *client, const struct manager_config *config) {
    struct manager *m = mem_zalloc(sizeof *m);
    m->placed.service = (struct service){.role = "manager",
                                         .instance_id = config->instance_id,
                                         .loop = loop,
                                         .engine = engine,
                                         .describe = describe,
                                         .ready = ready};
    m->placed.placement = placement;
    m->newest_mappings = json_object();
    m->interval_ms = config->statistics_interval_ms / 2 + 1;
    m->look.on_due = on_look;
    loop_timer_start(loop, &m->look, 0);
    m->reporter = reporter_new(loop, client,
                               &(struct reporter_config){.role = "manager",
                                                         .statistics_url = config->statistics_url,
                                                         .path = "/reader-api-manager-statistics",
                                                         .interval_ms = config->statistics_interval_ms,
                                                         .token = config->token,
                                                         .build = build_report,
                                                         .arg = m});
    return m;
}

void manager_free(struct manager *m) {
    if (!m) return;
    loop_timer_stop(m->placed.service.loop, &m->look);
    reporter_free(m->reporter);
    json_decref(m->newest_mappings);
    free(m);
}

const struct http_route *const manager_tables[] = {service_routes, placement_routes, NULL};
