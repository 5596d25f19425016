// Starting goes from the inside out: engine, workers, roles; the ports are opened last, so that the first
// request finds a system that works. They are bound before the roles are made, because a reader's name is its
// address. Stopping goes the other way; roles outlive the engine, whose close() answers their pending
// operations.
#include "system.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/router.h"
#include "parts.h"
#include "roles.h"
#include "runtime.h"

struct system {
    struct runtime runtime;
    struct roles roles;
    struct parts parts;
};

static bool add_part(struct system *s, const struct role *role, const char *name, const char *flag,
                     int64_t port) {
    const struct settings *set = s->runtime.settings;
    struct http_site site = {.tables = role->tables, .assets = role->assets};
    struct system_part *part = parts_bind(&s->parts, &s->runtime, name, flag, port, &site);
    if (!part) return false;
    struct role_context context = {
        .runtime = &s->runtime,
        .part = part,
        .statistics_url = set->statistics_url ? set->statistics_url : system_url(s, "statistics"),
        .manager_url = set->manager_url ? set->manager_url : system_url(s, "manager")};
    parts_serve(&s->parts, role->make(&s->roles, &context));
    return true;
}

static bool add_readers(struct system *s, const struct role *role) {
    int ports[READERS_MAX];
    settings_reader_ports(s->runtime.settings, ports);
    for (int64_t i = 0; i < s->runtime.settings->readers; i++) {
        char name[24];
        snprintf(name, sizeof name, "reader-%d", (int)i + 1);
        if (!add_part(s, role, name, role->flag, ports[i])) return false;
    }
    return true;
}

static bool add_role(struct system *s, const struct role *role) {
    const struct settings *set = s->runtime.settings;
    if (s->runtime.command == role->command) return add_part(s, role, role->name, "port", set->port);
    if (s->runtime.command != COMMAND_UP) return true;
    if (role->command == COMMAND_READER) return add_readers(s, role);
    const int64_t *port = (const void *)((const char *)set + role->port);
    return add_part(s, role, role->name, role->flag, *port);
}

struct system *system_start(const struct settings *set, enum command command, char *why, size_t why_size) {
    struct system *s = mem_zalloc(sizeof *s);
    s->runtime = (struct runtime){.settings = set, .command = command, .why = why, .why_size = why_size};
    bool ok = runtime_start(&s->runtime);
    for (const struct role *role = role_table; ok && role->name; role++) ok = add_role(s, role);
    if (ok && runtime_begin(&s->runtime)) return s;
    system_free(s);
    return NULL;
}

const struct system_part *system_parts(const struct system *s, size_t *count) {
    *count = s->parts.count;
    return s->parts.part;
}

const char *system_url(const struct system *s, const char *name) {
    return parts_url(&s->parts, name);
}

struct loop *system_loop(struct system *s) {
    return s->runtime.loop;
}

int system_run(struct system *s) {
    parts_open(&s->parts);
    return loop_run(s->runtime.loop);
}

void system_quit(struct system *s) {
    loop_stop(s->runtime.loop);
}

void system_free(struct system *s) {
    parts_release(&s->parts);
    roles_stop(&s->roles);
    runtime_close(&s->runtime);
    roles_free(&s->roles);
    runtime_release(&s->runtime);
    free(s);
}
