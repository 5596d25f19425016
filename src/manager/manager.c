#include "manager/manager.h"

#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "http/server.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "set_keeper.h"

struct manager {
    struct placed_service placed; // first: the argument of the routes
    struct loop_timer refresh;    // keeps the figures below fresh
    bool overview_running;
    uint64_t videos;         // registered, in total
    json_t *newest_mappings; // of the newest of them
    int interval_ms;
    struct set_keeper *keeper; // NULL: every video has one reader
};

static void on_manager_overview(void *arg, enum engine_status status, const struct engine_overview *o) {
    struct manager *m = arg;
    if (status == ENGINE_CLOSED) return;
    m->overview_running = false;
    if (status != ENGINE_OK) return;
    m->videos = o->mappings;
    json_object_clear(m->newest_mappings);
    for (size_t i = 0; i < o->mapped_count; i++)
        json_object_set_new(m->newest_mappings, o->mapped[i].video, json_string(o->mapped[i].reader_url));
}

static void on_overview_due(struct loop_timer *t) {
    struct manager *m = container_of(t, struct manager, refresh);
    struct engine *e = m->placed.service.engine;
    if (!m->overview_running) {
        m->overview_running = true;
        e->ops->overview(e, on_manager_overview, m);
    }
    loop_timer_start(m->placed.service.loop, t, m->interval_ms);
}

static struct set_figures manager_set_figures(const struct manager *m) {
    return m->keeper ? set_keeper_figures(m->keeper) : (struct set_figures){0};
}

#define MANAGER(name, expression)                                                                            \
    static double name(struct service *s) {                                                                  \
        struct manager *m = (struct manager *)s;                                                             \
        return (double)(expression);                                                                         \
    }
MANAGER(manager_videos, m->videos)
MANAGER(manager_readers, placement_reader_count(m->placed.placement))
MANAGER(manager_registrations, m->placed.registrations)
MANAGER(manager_sets, manager_set_figures(m).sets)
MANAGER(manager_set_readers, manager_set_figures(m).readers)
MANAGER(manager_sets_grown, manager_set_figures(m).grown)
MANAGER(manager_sets_shrunk, manager_set_figures(m).shrunk)
#undef MANAGER

const struct metric manager_metrics[] = {
    {"chorus_manager_videos", "videos", METRIC_GAUGE, "Videos with a reader, in the store.",
     .get = manager_videos, .health = "registeredVideos", .report = "registeredVideos"},
    {"chorus_manager_live_readers", "readers", METRIC_GAUGE, "Readers that videos may be assigned to.",
     .get = manager_readers, .health = "availableReaderApis", .report = "availableReaderApis"},
    {"chorus_manager_registrations_total", "registrations", METRIC_COUNTER,
     "Videos assigned to a first reader.", .get = manager_registrations, .report = "registrationCount"},
    {"chorus_manager_hot_videos", "videos", METRIC_GAUGE,
     "Hot videos that several readers serve, as far as this manager knows.", .get = manager_sets},
    {"chorus_manager_hot_readers", "readers", METRIC_GAUGE,
     "Readers of those videos, summed over the videos.", .get = manager_set_readers},
    {"chorus_manager_set_growths_total", "growths", METRIC_COUNTER,
     "Times that this manager gave a hot video more readers.", .get = manager_sets_grown},
    {"chorus_manager_set_reductions_total", "reductions", METRIC_COUNTER,
     "Times that it took a reader from a video that was no longer hot.", .get = manager_sets_shrunk},
    {0},
};

static void manager_add_mappings(struct service *s, json_t *report) {
    struct manager *m = (struct manager *)s;
    json_object_set_new(report, "service", json_string("reader-api-manager"));
    json_object_set(report, "videoMappings", m->newest_mappings);
}

static bool manager_ready(struct service *s, const char **why) {
    struct manager *m = (struct manager *)s;
    if (placement_ready(m->placed.placement) && placement_reader_count(m->placed.placement)) return true;
    *why = "No reader is alive.";
    return false;
}

static const struct service_kind manager_kind = {.role = "manager",
                                                 .metrics = manager_metrics,
                                                 .ready = manager_ready,
                                                 .report_path = "/reader-api-manager-statistics",
                                                 .add_to_report = manager_add_mappings};

struct manager *manager_new(struct loop *loop, struct engine *engine, struct placement *placement,
                            struct http_client *client, const struct service_config *config,
                            const struct hot_times *hot) {
    struct manager *m = mem_zalloc(sizeof *m);
    service_init(&m->placed.service, &manager_kind, loop, engine, client, config);
    m->placed.placement = placement;
    m->newest_mappings = json_object();
    m->interval_ms = config->statistics_interval_ms / 2 + 1;
    if (hot) m->keeper = set_keeper_new(loop, engine, placement, hot);
    m->refresh.on_due = on_overview_due;
    loop_timer_start(loop, &m->refresh, 0);
    return m;
}

void manager_free(struct manager *m) {
    if (!m) return;
    loop_timer_stop(m->placed.service.loop, &m->refresh);
    set_keeper_free(m->keeper);
    service_release(&m->placed.service);
    json_decref(m->newest_mappings);
    free(m);
}

const struct http_route *const manager_tables[] = {service_routes, placement_routes, NULL};
