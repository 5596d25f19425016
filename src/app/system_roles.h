// Private to system: its parts, each a role behind a port of its own. Control loop only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "app/settings.h"
#include "system.h"
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

// Binds the ports and makes the roles. The ports are not opened yet.
bool system_start_roles(struct system *);
