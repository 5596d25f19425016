// Private to system: what it consists of, for system.c (the process) and system_roles.c (the parts). Control
// loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "system_part.h"
#include "net/loop.h"
#include "reader/history.h"

enum { PARTS_MAX = READERS_MAX + 3 };

struct system {
    const struct settings *settings;
    enum command command; // COMMAND_UP: all roles
    struct loop *loop;
    struct engine *engine;
    struct http_client *client;
    struct placement *placement; // NULL where no role places videos
    int grace_ms;
    struct fanout *fanout; // NULL without readers
    struct history_budget history;
    struct loop_timer look;
    int64_t ready_by_ms;
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

// Writes the error sentence. Returns false.
bool system_fail(struct system *, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Returns where a part listens, or NULL if there is none of that name.
const char *system_part_url(const struct system *, const char *name);
