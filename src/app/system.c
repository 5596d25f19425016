// Starting goes from the inside out: engine, workers, roles, and last the ports, so that the first request
// meets a system that works. The ports are bound before the roles are made, because a reader's name is its
// address. Stopping goes the other way; roles outlive the engine, which answers in its close() what it still
// owes them.
#include "app/system.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "comment/comment_api.h"
#include "engine/embedded.h"
#include "engine/engine.h"
#include "manager/manager.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "placement/placement.h"
#include "reader/fanout.h"
#include "reader/history.h"
#include "reader/reader.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"

enum { PARTS_MAX = READERS_MAX + 3, IDLE_TIMEOUT_MS = 75000, RING_FRAMES = 1024, LOOK_MS = 250 };

struct system {
    const struct settings *settings;
    struct loop *loop;
    struct engine *engine;
    struct http_client *client;
    struct placement *placement;
    struct fanout *fanout;
    struct history_budget history;
    struct loop_timer look;
    bool store_away;
    struct manager *manager;
    struct comment_api *comment;
    struct statistics *statistics;
    struct reader *readers[READERS_MAX];
    size_t reader_count;
    struct system_part parts[PARTS_MAX];
    struct http_server *servers[PARTS_MAX];
    size_t part_count;
    char *why;
    size_t why_size;
};

static bool fail(struct system *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct system *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(s->why, s->why_size, format, args);
    va_end(args);
    return false;
}

// The address under which a part can be reached: a wildcard is not one.
static void write_url(const struct settings *set, int port, char url[SYSTEM_URL_SIZE]) {
    const char *host = set->bind;
    if (!strcmp(host, "0.0.0.0")) host = "127.0.0.1";
    if (!strcmp(host, "::")) host = "::1";
    bool v6 = strchr(host, ':') != NULL;
    snprintf(url, SYSTEM_URL_SIZE, "http://%s%s%s:%d", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

static void tell_why_not_bound(struct system *s, const char *name, const char *flag, int port, int error) {
    const char *address = s->settings->bind;
    if (error == -EADDRINUSE)
        fail(s, "Port %d (%s) on %s is in use: stop what listens there, or choose another port with --%s.",
             port, name, address, flag);
    else if (error == -EACCES)
        fail(s, "Port %d (%s) may not be used without privileges: choose one above 1023 with --%s.", port,
             name, flag);
    else if (error == -EINVAL || error == -EADDRNOTAVAIL)
        fail(s, "%s is no address of this machine: give another one with --bind.", address);
    else
        fail(s, "Port %d (%s) on %s cannot be listened on: %s.", port, name, address, strerror(-error));
}

// Adds a part that listens on `port`; `role` answers.
static bool add_part(struct system *s, const char *name, const char *flag, int64_t port,
                     const struct http_route *const *tables,
                     void *(*make_role)(struct system *, struct system_part *)) {
    const struct settings *set = s->settings;
    struct system_part *part = &s->parts[s->part_count];
    snprintf(part->name, sizeof part->name, "%s", name);
    struct http_server_config config = {.role = part->name,
                                        .bind = set->bind,
                                        .port = (int)port,
                                        .header_timeout_ms = (int)set->header_timeout_ms,
                                        .body_timeout_ms = (int)set->body_timeout_ms,
                                        .idle_timeout_ms = IDLE_TIMEOUT_MS,
                                        .max_connections = (unsigned)set->max_connections,
                                        .tables = tables};
    int error;
    struct http_server *server = http_server_new(s->loop, &config, &error);
    if (!server) {
        tell_why_not_bound(s, name, flag, (int)port, error);
        return false;
    }
    s->servers[s->part_count++] = server;
    write_url(set, http_server_port(server), part->url);
    http_server_set_arg(server, make_role(s, part));
    return true;
}

static const char *url_of(const struct system *s, const char *name) {
    for (size_t i = 0; i < s->part_count; i++)
        if (!strcmp(s->parts[i].name, name)) return s->parts[i].url;
    return NULL;
}

static void *make_statistics(struct system *s, struct system_part *part) {
    (void)part;
    s->statistics =
        statistics_new(s->loop, s->engine,
                       &(struct statistics_config){.instance_id = "statistics-1",
                                                   .interval_ms = (int)s->settings->statistics_interval_ms,
                                                   .internal_from = s->settings->internal_from,
                                                   .internal_token = s->settings->internal_token});
    return s->statistics;
}

static void *make_manager(struct system *s, struct system_part *part) {
    (void)part;
    s->manager = manager_new(
        s->loop, s->engine, s->placement, s->client,
        &(struct manager_config){.instance_id = "manager-1",
                                 .statistics_url = url_of(s, "statistics"),
                                 .statistics_interval_ms = (int)s->settings->statistics_interval_ms,
                                 .token = s->settings->internal_token});
    return s->manager;
}

static void *make_comment(struct system *s, struct system_part *part) {
    (void)part;
    s->comment = comment_api_new(
        s->loop, s->engine, s->placement, s->client,
        &(struct comment_config){.instance_id = "comment-1",
                                 .manager_url = url_of(s, "manager"),
                                 .statistics_url = url_of(s, "statistics"),
                                 .statistics_interval_ms = (int)s->settings->statistics_interval_ms,
                                 .token = s->settings->internal_token,
                                 .user_rate = (unsigned)s->settings->user_rate});
    return s->comment;
}

static void *make_reader(struct system *s, struct system_part *part) {
    const char *host = s->settings->public_host;
    if (host)
        snprintf(part->public_url, sizeof part->public_url, "http://%s%s", host, strrchr(part->url, ':'));
    struct reader *r =
        reader_new(s->loop, s->engine, s->placement, s->fanout, &s->history, s->client,
                   &(struct reader_config){.instance_id = part->name,
                                           .reader_url = part->url,
                                           .public_url = host ? part->public_url : NULL,
                                           .statistics_url = url_of(s, "statistics"),
                                           .statistics_interval_ms = (int)s->settings->statistics_interval_ms,
                                           .token = s->settings->internal_token,
                                           .stall_ms = (int)s->settings->stall_timeout_ms,
                                           .unsubscribe_ms = (int)s->settings->unsubscribe_ms});
    s->readers[s->reader_count++] = r;
    return r;
}

static bool start_readers(struct system *s) {
    int ports[READERS_MAX];
    settings_reader_ports(s->settings, ports);
    for (int64_t i = 0; i < s->settings->readers; i++) {
        char name[24];
        snprintf(name, sizeof name, "reader-%d", (int)i + 1);
        if (!add_part(s, name, "reader-ports", ports[i], reader_tables, make_reader)) return false;
    }
    return true;
}

static bool start_parts(struct system *s) {
    const struct settings *set = s->settings;
    return add_part(s, "statistics", "statistics-port", set->statistics_port, statistics_tables,
                    make_statistics) &&
           add_part(s, "manager", "manager-port", set->manager_port, manager_tables, make_manager) &&
           add_part(s, "comment", "comment-port", set->comment_port, comment_tables, make_comment) &&
           start_readers(s);
}

static bool start_engine(struct system *s) {
    const struct settings *set = s->settings;
    s->engine = embedded_open(s->loop,
                              &(struct embedded_config){.folder = set->data,
                                                        .durable = set->durable,
                                                        .log_entries = (uint64_t)set->log_entries,
                                                        .log_age_ms = set->log_age_ms,
                                                        .max_videos = (uint64_t)set->max_videos},
                              s->why, s->why_size);
    return s->engine != NULL;
}

// A lagging viewer is worth at most this much per video and worker; the reader's history shares the other
// half.
static size_t ring_bytes(const struct settings *set, unsigned workers) {
    size_t share = (size_t)set->memory / 2 / workers;
    return share < (8u << 20) ? share : 8u << 20;
}

static bool start_fanout(struct system *s) {
    const struct settings *set = s->settings;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = set->workers ? (unsigned)set->workers : cores > 0 ? (unsigned)cores : 1;
    int error;
    s->history.max = (size_t)set->memory / 2;
    s->fanout = fanout_new(s->loop,
                           &(struct fanout_config){.workers = workers,
                                                   .bounds = {.ring_frames = RING_FRAMES,
                                                              .ring_bytes = ring_bytes(set, workers),
                                                              .heartbeat_ms = (int)set->heartbeat_ms,
                                                              .stall_ms = (int)set->stall_timeout_ms}},
                           &error);
    return s->fanout || fail(s, "%u worker threads cannot be started: %s; give fewer with --workers.",
                             workers, strerror(-error));
}

// Says when the store stops answering, and when it answers again.
static void on_look(struct loop_timer *t) {
    struct system *s = (struct system *)((char *)t - offsetof(struct system, look));
    const char *why = NULL;
    bool away = !s->engine->ops->ready(s->engine, &why);
    if (away && !s->store_away) log_error("engine", "unavailable", "why=\"%s\"", why ? why : "");
    if (!away && s->store_away) log_info("engine", "available", NULL);
    s->store_away = away;
    loop_timer_start(s->loop, t, LOOK_MS);
}

static bool start(struct system *s) {
    s->loop = loop_new();
    if (!s->loop) return fail(s, "There is no file descriptor left: raise the limit (ulimit -n).");
    if (!start_engine(s) || !start_fanout(s)) return false;
    s->client = http_client_new(s->loop);
    s->placement =
        placement_new(s->loop, s->engine, &(struct placement_config){.policy = POLICY_ROUND_ROBIN});
    if (!start_parts(s)) return false;
    s->look.on_due = on_look;
    loop_timer_start(s->loop, &s->look, LOOK_MS);
    placement_start(s->placement); // now that our own readers have said that they live
    return true;
}

struct system *system_start(const struct settings *set, char *why, size_t why_size) {
    struct system *s = mem_zalloc(sizeof *s);
    s->settings = set;
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

struct loop *system_loop(struct system *s) {
    return s->loop;
}

int system_run(struct system *s) {
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
    if (s->client) http_client_free(s->client);
    for (size_t i = 0; i < s->reader_count; i++) reader_free(s->readers[i]);
    comment_api_free(s->comment);
    manager_free(s->manager);
    statistics_free(s->statistics);
    placement_free(s->placement);
    loop_free(s->loop);
    free(s);
}
