#include "parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanout/fanout.h"
#include "http/server.h"
#include "net/address.h"
#include "net/sock.h"
#include "runtime.h"
#include "service/service.h"

enum { IDLE_TIMEOUT_MS = 75000, ADMIN_TIMEOUT_MS = 5000, NO_PORT = -1 };

// The address at which a part can be reached, which a wildcard is not.
static void write_url(const struct settings *set, int port, char url[SYSTEM_URL_SIZE]) {
    const char *host = set->bind;
    if (!strcmp(host, "0.0.0.0")) host = "127.0.0.1";
    if (!strcmp(host, "::")) host = "::1";
    bool v6 = strchr(host, ':') != NULL;
    snprintf(url, SYSTEM_URL_SIZE, "http://%s%s%s:%d", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

static void tell_why_not_bound(struct runtime *r, const char *name, const char *flag, int port, int error) {
    const char *address = r->settings->bind;
    if (error == -EADDRINUSE)
        runtime_fail(
            r, "Port %d (%s) on %s is in use: stop what listens there, or choose another port with --%s.",
            port, name, address, flag);
    else if (error == -EACCES)
        runtime_fail(r, "Port %d (%s) may not be used without privileges: choose one above 1023 with --%s.",
                     port, name, flag);
    else if (error == -EINVAL || error == -EADDRNOTAVAIL)
        runtime_fail(r, "%s is not an address of this machine: give another one with --bind.", address);
    else
        runtime_fail(r, "Port %d (%s) on %s cannot be opened: %s.", port, name, address, strerror(-error));
}

// In `up` a part is named by its role and a number, after the name of the process if it has one; a role run
// on its own may be one of many, on many machines.
static void name_part(const struct runtime *r, const char *name, int port, struct system_part *part) {
    bool is_reader = !strncmp(name, "reader", 6);
    const char *given = r->settings->instance_id;
    if (r->command == COMMAND_UP)
        snprintf(part->instance_id, sizeof part->instance_id, "%s%s%s%s", given ? given : "",
                 given ? "-" : "", name, is_reader ? "" : "-1");
    else if (given)
        snprintf(part->instance_id, sizeof part->instance_id, "%s", given);
    else if (!is_reader)
        snprintf(part->instance_id, sizeof part->instance_id, "%s-1", name);
    else
        snprintf(part->instance_id, sizeof part->instance_id, "%s-%d", name, port);
    bool is_own_name = is_reader && r->command != COMMAND_UP;
    snprintf(part->name, sizeof part->name, "%s", is_own_name ? part->instance_id : name);
}

static void on_crowded(void *fanout) {
    fanout_evict(fanout);
}

// Returns 0 or a negative errno.
static int part_listen(struct parts *p, size_t i, const struct runtime *r, int port,
                       const struct http_mount *mounts) {
    const struct settings *set = r->settings;
    struct http_server_config config = {.role = p->part[i].name,
                                        .bind = set->bind,
                                        .port = port,
                                        .header_timeout_ms = (int)set->header_timeout_ms,
                                        .body_timeout_ms = (int)set->body_timeout_ms,
                                        .idle_timeout_ms = IDLE_TIMEOUT_MS,
                                        .max_connections = (unsigned)set->max_connections,
                                        .start_later = true,
                                        .trusted_proxies = r->trusted_proxies,
                                        .on_crowded = r->fanout ? on_crowded : NULL,
                                        .arg = r->fanout,
                                        .site = {.mounts = mounts, .hostnames = r->hostnames}};
    int error;
    p->server[i] = http_server_new(r->loop, &config, &error);
    if (!p->server[i]) return error;
    p->port[i] = http_server_port(p->server[i]);
    return 0;
}

struct system_part *parts_bind(struct parts *p, struct runtime *r, const char *name, const char *flag,
                               int64_t port, const struct http_mount *mounts) {
    struct system_part *part = &p->part[p->count];
    int error = part_listen(p, p->count, r, (int)port, mounts);
    if (error) {
        tell_why_not_bound(r, name, flag, (int)port, error);
        return NULL;
    }
    int bound = p->port[p->count++];
    name_part(r, name, bound, part);
    write_url(r->settings, bound, part->url);
    return part;
}

static bool listen_at(struct http_server *server, struct runtime *r, const char *list, bool is_proxied) {
    const char *flag = is_proxied ? "proxy-listen" : "listen";
    unsigned mode = (unsigned)strtoul(r->settings->listen_mode, NULL, 8);
    char at[sizeof "unix:" + SOCK_PATH_MAX];
    for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
        snprintf(at, sizeof at, "%.*s", (int)strcspn(list, ","), list);
        int error = http_server_listen(server, at, mode, is_proxied);
        if (error == -EADDRINUSE)
            return runtime_fail(r, "%s is in use: stop what listens there, or choose another with --%s.", at,
                                flag);
        if (error) return runtime_fail(r, "--%s: %s cannot be opened: %s.", flag, at, strerror(-error));
    }
    return true;
}

bool parts_listen(struct parts *p, struct runtime *r, const struct system_part *part) {
    struct http_server *server = p->server[part - p->part];
    return listen_at(server, r, r->settings->listen, false) &&
           listen_at(server, r, r->settings->proxy_listen, true);
}

bool parts_bind_admin(struct parts *p, struct runtime *r, const struct http_mount *mounts) {
    union address address;
    char host[INET6_ADDRSTRLEN];
    if (!r->settings->admin_bind) return true;
    address_parse_with_port(&address, r->settings->admin_bind);
    address_format(&address, host, sizeof host);
    int error;
    p->admin =
        http_server_new(r->loop,
                        &(struct http_server_config){.role = "admin",
                                                     .bind = host,
                                                     .port = address_port(&address),
                                                     .header_timeout_ms = ADMIN_TIMEOUT_MS,
                                                     .body_timeout_ms = ADMIN_TIMEOUT_MS,
                                                     .idle_timeout_ms = IDLE_TIMEOUT_MS,
                                                     .max_connections = HTTP_RESERVE,
                                                     .has_reserve = true,
                                                     .start_later = true,
                                                     .site = {.mounts = mounts, .hostnames = r->hostnames}},
                        &error);
    if (p->admin) return true;
    return runtime_fail(r, "%s cannot be opened: %s; choose another address with --admin-bind.",
                        r->settings->admin_bind, strerror(-error));
}

struct system_part *parts_share(struct parts *p, const struct runtime *r, const char *name,
                                const struct system_part *at) {
    size_t i = p->count++;
    struct system_part *part = &p->part[i];
    p->port[i] = NO_PORT;
    name_part(r, name, p->port[at - p->part], part);
    snprintf(part->url, sizeof part->url, "%s", at->url);
    return part;
}

// Connections are counted once, by the part whose port it is.
void parts_serve(struct parts *p, const struct system_part *part, struct service *service) {
    static const struct http_counters none;
    const struct http_server *server = p->server[part - p->part];
    service->http = server ? http_server_counters(server) : &none;
}

void parts_open(struct parts *p) {
    for (size_t i = 0; i < p->count; i++)
        if (p->server[i]) http_server_start(p->server[i]);
    if (p->admin) http_server_start(p->admin);
}

void parts_configure(struct parts *p, const struct settings *set) {
    for (size_t i = 0; i < p->count; i++)
        if (p->server[i])
            http_server_set_limits(p->server[i], (int)set->header_timeout_ms, (int)set->body_timeout_ms,
                                   (unsigned)set->max_connections);
}

void parts_kill(struct parts *p, const struct system_part *part) {
    struct http_server **server = &p->server[part - p->part];
    http_server_reset(*server);
    *server = NULL;
}

int parts_rebind(struct parts *p, const struct runtime *r, const struct system_part *part,
                 const struct http_mount *mounts) {
    size_t i = (size_t)(part - p->part);
    return p->port[i] == NO_PORT ? 0 : part_listen(p, i, r, p->port[i], mounts);
}

void parts_reopen(struct parts *p, const struct system_part *part) {
    struct http_server *server = p->server[part - p->part];
    if (server) http_server_start(server);
}

void parts_release(struct parts *p) {
    for (size_t i = 0; i < p->count; i++) http_server_free(p->server[i]);
    http_server_free(p->admin);
}

const char *parts_url(const struct parts *p, const char *name) {
    for (size_t i = 0; i < p->count; i++)
        if (!strcmp(p->part[i].name, name)) return p->part[i].url;
    return NULL;
}
