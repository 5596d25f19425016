// Starting goes from the inside out: engine, workers, roles; the ports are opened last, so that the first
// request finds a system that works. They are bound before the roles are made, because a reader's name is its
// address. Stopping goes the other way; roles outlive the engine, whose close() answers their pending
// operations.
#include "system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "control.h"
#include "departure.h"
#include "engine/engine.h"
#include "http/router.h"
#include "one_address.h"
#include "parts.h"
#include "placement/placement.h"
#include "roles.h"
#include "runtime.h"
#include "service/service.h"

struct system {
    struct runtime runtime;
    struct roles roles;
    struct parts parts;
    struct http_mount own[PARTS_MAX][2]; // of ports that serve one part
    struct http_mount admin[2];          // of --admin-bind
    struct departure departure;
    struct control *control;    // NULL: none
    struct one_address address; // of the comment port of `up`
    size_t first_reader;        // number of its part
    const struct statistics_demo *demo;
    struct loop_timer leave;
    int64_t leave_by_ms;
};

enum { LEAVE_CHECK_MS = 5, LEAVE_MS = 1000 };

// Returns the mounts of a role's port.
static const struct http_mount *mounts_of(struct system *s, const struct role *role, size_t part) {
    if (s->runtime.command == COMMAND_UP && role->command == COMMAND_COMMENT) return s->address.mounts;
    bool demo = s->demo && role->demo_tables;
    s->own[part][0] = (struct http_mount){.tables = demo ? role->demo_tables : role->tables,
                                          .assets = role->assets,
                                          .files_by_name = role->files_by_name};
    return s->own[part];
}

static bool has_one_port(const struct system *s) {
    return s->runtime.command == COMMAND_UP && s->runtime.settings->single_port;
}

static void make_role(struct system *s, const struct role *role, struct system_part *part, size_t number) {
    const struct settings *set = s->runtime.settings;
    struct role_context context = {
        .runtime = &s->runtime,
        .part = part,
        .number = number,
        .statistics_url = set->statistics_url ? set->statistics_url : system_url(s, "statistics"),
        .manager_url = set->manager_url ? set->manager_url : system_url(s, "manager"),
        .address = has_one_port(s) ? s->parts.part[0].url : NULL,
        .demo = s->demo};
    struct service *service = role->make(&s->roles, &context);
    parts_serve(&s->parts, part, service);
    service->is_for_all = s->runtime.command == COMMAND_UP && role->command == COMMAND_COMMENT;
    s->own[part - s->parts.part][0].arg = service;
    if (s->runtime.command == COMMAND_UP) one_address_add(&s->address, role, service, number, part->name);
}

static struct system_part *bind_part(struct system *s, const struct role *role, const char *name,
                                     const char *flag, int64_t port) {
    const struct http_mount *mounts = mounts_of(s, role, s->parts.count);
    return parts_bind(&s->parts, &s->runtime, name, flag, port, mounts);
}

// Whether it is the role whose port stands for the process.
static bool is_main(const struct system *s, const struct role *role) {
    return s->runtime.command != COMMAND_UP || role->command == COMMAND_COMMENT;
}

static bool add_doors(struct system *s, const struct system_part *part) {
    static const struct http_route *const tables[] = {service_routes, NULL};
    s->admin[0] = (struct http_mount){.tables = tables, .arg = s->own[part - s->parts.part][0].arg};
    return parts_listen(&s->parts, &s->runtime, part) && parts_bind_admin(&s->parts, &s->runtime, s->admin);
}

static bool add_part(struct system *s, const struct role *role, const char *name, const char *flag,
                     int64_t port, size_t number) {
    struct system_part *part;
    if (!has_one_port(s))
        part = bind_part(s, role, name, flag, port);
    else if (role->command == COMMAND_COMMENT)
        part = &s->parts.part[0];
    else
        part = parts_share(&s->parts, &s->runtime, name, &s->parts.part[0]);
    if (!part) return false;
    make_role(s, role, part, number);
    return !is_main(s, role) || add_doors(s, part);
}

// The only port is bound before all roles are made, because it is the address of each.
static bool bind_one_port(struct system *s) {
    const struct role *role = role_table;
    while (role->command != COMMAND_COMMENT) role++;
    return bind_part(s, role, role->name, role->flag, s->runtime.settings->comment_port);
}

static bool add_readers(struct system *s, const struct role *role) {
    int ports[READERS_MAX];
    settings_reader_ports(s->runtime.settings, ports);
    s->first_reader = s->parts.count;
    for (int64_t i = 0; i < s->runtime.settings->readers; i++) {
        char name[24];
        snprintf(name, sizeof name, "reader-%d", (int)i + 1);
        if (!add_part(s, role, name, role->flag, ports[i], (size_t)i)) return false;
    }
    return true;
}

static bool add_role(struct system *s, const struct role *role) {
    const struct settings *set = s->runtime.settings;
    if (s->runtime.command == role->command) return add_part(s, role, role->name, "port", set->port, 0);
    if (s->runtime.command != COMMAND_UP || !role->flag) return true;
    if (role->command == COMMAND_READER) return add_readers(s, role);
    const int64_t *port = (const void *)((const char *)set + role->port);
    return add_part(s, role, role->name, role->flag, *port, 0);
}

static void open_control(struct system *s) {
    const struct settings *set = s->runtime.settings;
    char path[SETTINGS_PATH_MAX], url[SETTINGS_REDIS_URL_SIZE];
    bool has_data = s->runtime.command == COMMAND_UP && !settings_redis_url(set, url, sizeof url);
    if (!s->runtime.placement || (!set->control && !has_data)) return;
    settings_control_path(set, path);
    s->control = control_start(&s->runtime, path);
}

struct system *system_start(const struct settings *set, enum command command,
                            const struct statistics_demo *demo, char *why, size_t why_size) {
    struct system *s = mem_zalloc(sizeof *s);
    s->runtime = (struct runtime){.settings = set, .command = command, .why = why, .why_size = why_size};
    s->demo = demo;
    one_address_init(&s->address, s->roles.readers, demo);
    bool ok = runtime_start(&s->runtime) && (!has_one_port(s) || bind_one_port(s));
    for (const struct role *role = role_table; ok && role->name; role++) ok = add_role(s, role);
    if (ok && runtime_begin(&s->runtime)) {
        open_control(s);
        return s;
    }
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

size_t system_reader(const struct system *s, const char *instance_id) {
    for (size_t i = 0; i < s->roles.reader_count; i++)
        if (!strcmp(s->parts.part[s->first_reader + i].instance_id, instance_id)) return i;
    return SYSTEM_NO_READER;
}

void system_kill_reader(struct system *s, size_t number) {
    parts_kill(&s->parts, &s->parts.part[s->first_reader + number]);
    one_address_remove_reader(&s->address, number);
    roles_kill_reader(&s->roles, number);
}

int system_start_reader(struct system *s, size_t number) {
    const struct role *role = role_table;
    while (role->command != COMMAND_READER) role++;
    struct system_part *part = &s->parts.part[s->first_reader + number];
    const struct http_mount *mounts = mounts_of(s, role, s->first_reader + number);
    int error = parts_rebind(&s->parts, &s->runtime, part, mounts);
    if (error) return error;
    roles_bury(&s->roles);
    make_role(s, role, part, number);
    parts_reopen(&s->parts, part);
    return 0;
}

void system_configure(struct system *s) {
    runtime_configure(&s->runtime);
    parts_configure(&s->parts, s->runtime.settings);
    roles_configure(&s->roles, &s->runtime);
}

bool system_read_files(struct system *s) {
    return runtime_read_files_again(&s->runtime);
}

void system_note_reload(struct system *s, bool successful) {
    s->runtime.process.reload_failed = !successful;
    if (successful) s->runtime.process.configured_ms = clock_wall_ms();
}

struct loop *system_loop(struct system *s) {
    return s->runtime.loop;
}

const char *system_trouble(struct system *s) {
    const struct runtime *r = &s->runtime;
    const char *why = "The store does not answer.";
    if (!r->engine->ops->ready(r->engine, &why)) return why;
    return r->placement && !placement_ready(r->placement) ? "The list of readers has not been read yet."
                                                          : NULL;
}

int system_run(struct system *s) {
    parts_open(&s->parts);
    return loop_run(s->runtime.loop);
}

void system_quit(struct system *s) {
    loop_stop(s->runtime.loop);
}

void system_depart(struct system *s) {
    departure_begin(&s->departure, &s->runtime, &s->roles);
}

static void on_leave_check(struct loop_timer *t) {
    struct system *s = container_of(t, struct system, leave);
    struct loop *loop = s->runtime.loop;
    if (roles_take_leave(&s->roles) || loop_now_ms(loop) >= s->leave_by_ms)
        loop_stop(loop);
    else
        loop_timer_start(loop, t, LEAVE_CHECK_MS);
}

// What the roles do before they go: a statistics service that does not answer delays it by LEAVE_MS at most.
static void system_take_leave(struct system *s) {
    if (roles_take_leave(&s->roles)) return;
    s->leave.on_due = on_leave_check;
    s->leave_by_ms = clock_monotonic_ms() + LEAVE_MS;
    loop_timer_start(s->runtime.loop, &s->leave, LEAVE_CHECK_MS);
    loop_run(s->runtime.loop);
    loop_timer_stop(s->runtime.loop, &s->leave);
}

void system_free(struct system *s) {
    departure_stop(&s->departure);
    control_stop(s->control);
    parts_release(&s->parts);
    roles_stop(&s->roles);
    system_take_leave(s);
    service_process_release(&s->runtime.process);
    runtime_close(&s->runtime);
    roles_free(&s->roles);
    control_free(s->control);
    runtime_release(&s->runtime);
    free(s);
}
