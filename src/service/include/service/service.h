// What every role's HTTP face shares: who it is, GET /, /health and /ready. A role's struct begins with a
// struct service, and is the `arg` of its HTTP server. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "http/router.h"

struct engine;
struct http_counters;
struct loop;

struct service {
    const char *role;        // "reader"
    const char *instance_id; // "reader-1"
    struct loop *loop;
    struct engine *engine;
    const struct http_counters *http; // of the server that serves it; set once there is one
    // Adds what the role wants to show in /health. May be NULL.
    void (*describe)(struct service *, json_t *health);
    // Whether the role can do its work now, and why not; asked after the engine. May be NULL.
    bool (*ready)(struct service *, const char **why);
};

// Routes for /, /health and /ready, ended by a row without a pattern.
extern const struct http_route service_routes[];
