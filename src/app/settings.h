// What can be set from outside, and the table that says how. Read once, at start-up.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/options.h"

// Commands, as bits for option_row.commands.
enum command { COMMAND_UP = 1, COMMAND_CLIENTS = 32 };

struct settings {
    const char *bind, *public_host, *data;
    int64_t manager_port, comment_port, statistics_port;
    const char *reader_ports;
    int64_t readers, workers;
    int64_t heartbeat_ms, stall_timeout_ms, unsubscribe_ms, header_timeout_ms, body_timeout_ms;
    int64_t statistics_interval_ms;
    int64_t log_entries, log_age_ms, max_videos, memory;
    bool durable;
    const char *internal_from, *internal_token;
    int64_t user_rate, max_connections, log_level;
    const char *comment_url, *manager_url, *statistics_url;
    int64_t viewers, videos, rate, duration_s, seed;
    const char *distribution;
    bool demo;
};

enum { READERS_MAX = 100 };

// Checks what no single row can say. Returns false and writes one sentence.
bool settings_check(const struct settings *, char *why, size_t why_size);

// Gives each reader its port; 0: the kernel chooses. Returns false if the list is not one of ports.
bool settings_reader_ports(const struct settings *, int ports[READERS_MAX]);

extern const struct option_row settings_rows[];
extern const size_t settings_row_count;
