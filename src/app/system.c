// Starting goes from the inside out: engine, workers, roles, and finally the ports are opened, so that the
// first request meets a system that works. They are bound before the roles are made, because a reader's name
// is its address. Stopping goes the other way; roles outlive the engine, which answers in its close() what it
// still owes them.
#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system_core.h"
#include "system_roles.h"
#include "base/clock.h"
#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "comment/comment_api.h"
#include "engine/embedded.h"
#include "engine/engine.h"
#include "engine/redis.h"
#include "manager/manager.h"
#include "http/client.h"
#include "http/server.h"
#include "placement/placement.h"
#include "base/budget.h"
#include "fanout/fanout.h"
#include "reader/reader.h"
#include "statistics/statistics.h"

enum { RING_FRAMES = 16384, LOOK_MS = 250, READY_LOOK_MS = 1, READY_MS = 500, GRACE_SPARE_MS = 2000 };

static struct engine_limits limits_of(const struct settings *set) {
    return (struct engine_limits){.log_entries = (uint64_t)set->log_entries,
                                  .log_age_ms = set->log_age_ms,
                                  .log_min_age_ms = set->log_min_age_ms,
                                  .log_video_bytes = (uint64_t)set->log_video_bytes,
                                  .max_videos = (uint64_t)set->max_videos};
}

static void open_redis(struct system *s, const char *url) {
    const struct settings *set = s->settings;
    s->engine = redis_open(s->loop, &(struct redis_config){.url = url, .limits = limits_of(set)});
    // Readers may be other processes, started at the same time.
    s->grace_ms = READER_LEASE_TTL_MS + GRACE_SPARE_MS;
}

static bool start_engine(struct system *s) {
    const struct settings *set = s->settings;
    char url[SETTINGS_REDIS_URL_SIZE];
    if (settings_redis_url(set, url, sizeof url))
        open_redis(s, url);
    else
        s->engine = embedded_open(
            s->loop,
            &(struct embedded_config){.folder = set->data, .durable = set->durable, .limits = limits_of(set)},
            s->why, s->why_size);
    return s->engine != NULL;
}

// The backlog of slow viewers gets at most this much per video and worker; the reader's history shares the
// other half.
static uint32_t ring_bytes(const struct settings *set, unsigned workers) {
    size_t share = (size_t)set->memory / 2 / workers;
    return share < (8u << 20) ? (uint32_t)share : 8u << 20;
}

static bool start_fanout(struct system *s) {
    const struct settings *set = s->settings;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = set->workers ? (unsigned)set->workers : cores > 0 ? (unsigned)cores : 1;
    int error;
    s->history.max = (size_t)set->memory / 2;
    s->fanout = fanout_new(s->loop,
                           &(struct fanout_config){.workers = workers,
                                                   .own_descriptors = set->own_descriptors,
                                                   .bounds = {.ring_frames = RING_FRAMES,
                                                              .ring_bytes = ring_bytes(set, workers),
                                                              .heartbeat_ms = (int)set->heartbeat_ms,
                                                              .stall_ms = (int)set->stall_timeout_ms,
                                                              .coalesce_us = set->max_coalesce_ms * 1000}},
                           &error);
    if (s->fanout) return true;
    if (error == -ENOSYS || error == -EPERM)
        return system_fail(s, "--own-descriptors needs close_range(2), Linux 5.9 or later: %s.",
                           strerror(-error));
    return system_fail(s, "%u worker threads cannot be started: %s; give fewer with --workers.", workers,
                       strerror(-error));
}

// Logs when the store becomes unavailable and available again.
static void on_look(struct loop_timer *t) {
    struct system *s = container_of(t, struct system, look);
    const char *why = NULL;
    bool away = !s->engine->ops->ready(s->engine, &why);
    if (away && !s->store_away) log_error("engine", "unavailable", "why=\"%s\"", why ? why : "");
    if (!away && s->store_away) log_info("engine", "available", NULL);
    s->store_away = away;
    loop_timer_start(s->loop, t, LOOK_MS);
}

static bool is_ready(struct system *s) {
    const char *why;
    return s->engine->ops->ready(s->engine, &why) && (!s->placement || placement_ready(s->placement));
}

static void on_ready_look(struct loop_timer *t) {
    struct system *s = container_of(t, struct system, look);
    if (is_ready(s) || loop_now_ms(s->loop) >= s->ready_by_ms)
        loop_stop(s->loop);
    else
        loop_timer_start(s->loop, t, READY_LOOK_MS);
}

// Runs the loop until all parts are ready. Does not wait for a store that is away.
static bool await_ready(struct system *s) {
    s->look.on_due = on_ready_look;
    s->ready_by_ms = clock_monotonic_ms() + READY_MS;
    loop_timer_start(s->loop, &s->look, 0);
    int error = loop_run(s->loop);
    return !error || system_fail(s, "The event loop failed: %s.", strerror(-error));
}

static bool start_placed_roles(struct system *s) {
    s->placement = placement_new(s->loop, s->engine,
                                 &(struct placement_config){.static_readers = s->settings->reader_urls,
                                                            .policy = POLICY_ROUND_ROBIN,
                                                            .grace_ms = s->grace_ms});
    if (!system_start_roles(s)) return false;
    placement_start(s->placement); // now that our own readers have leases
    return await_ready(s);
}

static bool start(struct system *s) {
    bool has_readers = s->command == COMMAND_UP || s->command == COMMAND_READER;
    budget_set((size_t)s->settings->memory);
    s->loop = loop_new();
    if (!s->loop) return system_fail(s, "There is no file descriptor left: raise the limit (ulimit -n).");
    if (!start_engine(s) || (has_readers && !start_fanout(s))) return false;
    s->client = http_client_new(s->loop);
    // The engine first, so that all our readers' leases are there when the first list of readers is read.
    if (!await_ready(s)) return false;
    bool started = s->command == COMMAND_STATISTICS ? system_start_roles(s) : start_placed_roles(s);
    if (!started) return false;
    s->look.on_due = on_look;
    loop_timer_start(s->loop, &s->look, LOOK_MS);
    return true;
}

struct system *system_start(const struct settings *set, enum command command, char *why, size_t why_size) {
    struct system *s = mem_zalloc(sizeof *s);
    s->settings = set;
    s->command = command;
    s->why = why;
    s->why_size = why_size;
    if (start(s)) return s;
    system_free(s);
    return NULL;
}

const struct system_part *system_parts(const struct system *s, size_t *count) {
    *count = s->part_count;
    return s->parts;
}

const char *system_url(const struct system *s, const char *name) {
    return system_part_url(s, name);
}

struct loop *system_loop(struct system *s) {
    return s->loop;
}

int system_run(struct system *s) {
    for (size_t i = 0; i < s->part_count; i++) http_server_open(s->servers[i]);
    return loop_run(s->loop);
}

void system_quit(struct system *s) {
    loop_stop(s->loop);
}

void system_free(struct system *s) {
    if (s->loop) loop_timer_stop(s->loop, &s->look);
    for (size_t i = 0; i < s->part_count; i++) http_server_free(s->servers[i]);
    for (size_t i = 0; i < s->reader_count; i++) reader_stop(s->readers[i]);
    fanout_free(s->fanout);
    if (s->engine) s->engine->ops->close(s->engine);
    placement_free(s->placement);
    if (s->client) http_client_free(s->client);
    for (size_t i = 0; i < s->reader_count; i++) reader_free(s->readers[i]);
    comment_api_free(s->comment);
    manager_free(s->manager);
    statistics_free(s->statistics);
    loop_free(s->loop);
    free(s);
}
