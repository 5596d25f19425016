#include "system_roles.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "comment/comment_api.h"
#include "manager/manager.h"
#include "http/server.h"
#include "reader/reader.h"
#include "statistics/statistics.h"
#include "statistics/statistics_routes.h"
#include "service/service.h"
#include "system_core.h"

enum { IDLE_TIMEOUT_MS = 75000 };

struct role {
    enum command command;
    const char *name;
    const char *flag; // of its port in `up`
    size_t port;      // its offset in the settings; 0: readers have a list
    const struct http_route *const *tables;
    const struct http_asset *assets; // NULL: none
    void *(*make)(struct system *, struct system_part *);
};

// The address at which a part can be reached, which a wildcard is not.
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
        system_fail(
            s, "Port %d (%s) on %s is in use: stop what listens there, or choose another port with --%s.",
            port, name, address, flag);
    else if (error == -EACCES)
        system_fail(s, "Port %d (%s) may not be used without privileges: choose one above 1023 with --%s.",
                    port, name, flag);
    else if (error == -EINVAL || error == -EADDRNOTAVAIL)
        system_fail(s, "%s is not an address of this machine: give another one with --bind.", address);
    else
        system_fail(s, "Port %d (%s) on %s cannot be listened on: %s.", port, name, address,
                    strerror(-error));
}

// In `up` a part is named by its role and a number; a role run on its own may be one of many, on many
// machines.
static void name_part(const struct system *s, const char *name, int port, struct system_part *part) {
    bool is_reader = !strncmp(name, "reader", 6);
    const char *given = s->settings->instance_id;
    if (given)
        snprintf(part->instance_id, sizeof part->instance_id, "%s", given);
    else if (!is_reader)
        snprintf(part->instance_id, sizeof part->instance_id, "%s-1", name);
    else if (s->command == COMMAND_UP)
        snprintf(part->instance_id, sizeof part->instance_id, "%s", name);
    else
        snprintf(part->instance_id, sizeof part->instance_id, "%s-%d", name, port);
    snprintf(part->name, sizeof part->name, "%s", is_reader ? part->instance_id : name);
}

static bool add_part(struct system *s, const struct role *role, const char *name, const char *flag,
                     int64_t port) {
    const struct settings *set = s->settings;
    struct system_part *part = &s->parts[s->part_count];
    struct http_server_config config = {.role = part->name,
                                        .bind = set->bind,
                                        .port = (int)port,
                                        .header_timeout_ms = (int)set->header_timeout_ms,
                                        .body_timeout_ms = (int)set->body_timeout_ms,
                                        .idle_timeout_ms = IDLE_TIMEOUT_MS,
                                        .max_connections = (unsigned)set->max_connections,
                                        .held = true,
                                        .site = {.tables = role->tables, .assets = role->assets}};
    int error;
    struct http_server *server = http_server_new(s->loop, &config, &error);
    if (!server) {
        tell_why_not_bound(s, name, flag, (int)port, error);
        return false;
    }
    s->servers[s->part_count++] = server;
    name_part(s, name, http_server_port(server), part);
    write_url(set, http_server_port(server), part->url);
    struct service *service = role->make(s, part);
    service->http = http_server_counters(server);
    http_server_set_arg(server, service);
    return true;
}

// Where reports go: to our own part, or to the configured URL.
static const char *statistics_url(const struct system *s) {
    return s->settings->statistics_url ? s->settings->statistics_url : system_part_url(s, "statistics");
}

static struct service_config service_config(const struct system *s, const struct system_part *part) {
    return (struct service_config){.instance_id = part->instance_id,
                                   .statistics_url = statistics_url(s),
                                   .statistics_interval_ms = (int)s->settings->statistics_interval_ms,
                                   .token = s->settings->internal_token};
}

static void *make_statistics(struct system *s, struct system_part *part) {
    s->statistics =
        statistics_new(s->loop, s->engine,
                       &(struct statistics_config){.instance_id = part->instance_id,
                                                   .interval_ms = (int)s->settings->statistics_interval_ms,
                                                   .internal_from = s->settings->internal_from,
                                                   .internal_token = s->settings->internal_token});
    return s->statistics;
}

static void *make_manager(struct system *s, struct system_part *part) {
    struct service_config config = service_config(s, part);
    s->manager = manager_new(s->loop, s->engine, s->placement, s->client, &config);
    return s->manager;
}

static void *make_comment(struct system *s, struct system_part *part) {
    const char *manager = s->settings->manager_url;
    s->comment = comment_api_new(
        s->loop, s->engine, s->placement, s->client,
        &(struct comment_config){.service = service_config(s, part),
                                 .log_age_ms = s->settings->log_age_ms,
                                 .manager_url = manager ? manager : system_part_url(s, "manager"),
                                 .user_rate = (unsigned)s->settings->user_rate});
    return s->comment;
}

// A trailing slash is not part of a reader's name.
static void copy_url(char to[SYSTEM_URL_SIZE], const char *url) {
    size_t len = strlen(url);
    while (len && url[len - 1] == '/') len--;
    snprintf(to, SYSTEM_URL_SIZE, "%.*s", (int)len, url);
}

static void write_reader_urls(const struct settings *set, struct system_part *part) {
    if (set->public_host)
        snprintf(part->public_url, sizeof part->public_url, "http://%s%s", set->public_host,
                 strrchr(part->url, ':'));
    if (set->public_url) copy_url(part->public_url, set->public_url);
    if (set->url) copy_url(part->url, set->url);
}

// A reader run on its own that listens on all addresses serves other machines: 127.0.0.1 would be a name that
// all such readers share. A container's host name is known to its neighbours.
static void name_by_host(const struct settings *set, struct system_part *part) {
    char host[HOST_NAME_MAX + 1] = "";
    bool everywhere = !strcmp(set->bind, "0.0.0.0") || !strcmp(set->bind, "::");
    if (set->url || !everywhere || gethostname(host, sizeof host - 1) < 0 || !*host) return;
    char port[8];
    snprintf(port, sizeof port, "%s", strrchr(part->url, ':'));
    snprintf(part->url, sizeof part->url, "http://%s%s", host, port);
}

static void *make_reader(struct system *s, struct system_part *part) {
    if (s->command == COMMAND_READER) name_by_host(s->settings, part);
    write_reader_urls(s->settings, part);
    struct reader *r =
        reader_new(s->loop, s->engine, s->placement, s->fanout, &s->history, s->client,
                   &(struct reader_config){.service = service_config(s, part),
                                           .reader_url = part->url,
                                           .public_url = part->public_url[0] ? part->public_url : NULL,
                                           .stall_ms = (int)s->settings->stall_timeout_ms,
                                           .unsubscribe_ms = (int)s->settings->unsubscribe_ms});
    s->readers[s->reader_count++] = r;
    return r;
}

#define AT(field) offsetof(struct settings, field)

// In the order of starting: a part comes after the part that it reports to.
static const struct role roles[] = {
    {COMMAND_STATISTICS, "statistics", "statistics-port", AT(statistics_port), statistics_tables, NULL,
     make_statistics},
    {COMMAND_MANAGER, "manager", "manager-port", AT(manager_port), manager_tables, NULL, make_manager},
    {COMMAND_COMMENT, "comment", "comment-port", AT(comment_port), comment_tables, comment_assets,
     make_comment},
    {COMMAND_READER, "reader", "reader-ports", 0, reader_tables, NULL, make_reader},
};

static bool add_readers(struct system *s, const struct role *role) {
    int ports[READERS_MAX];
    settings_reader_ports(s->settings, ports);
    for (int64_t i = 0; i < s->settings->readers; i++) {
        char name[24];
        snprintf(name, sizeof name, "reader-%d", (int)i + 1);
        if (!add_part(s, role, name, role->flag, ports[i])) return false;
    }
    return true;
}

static bool add_role(struct system *s, const struct role *role) {
    if (s->command == role->command) return add_part(s, role, role->name, "port", s->settings->port);
    if (s->command != COMMAND_UP) return true;
    if (role->command == COMMAND_READER) return add_readers(s, role);
    const int64_t *port = (const void *)((const char *)s->settings + role->port);
    return add_part(s, role, role->name, role->flag, *port);
}

bool system_start_roles(struct system *s) {
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (!add_role(s, &roles[i])) return false;
    return true;
}
