// What every role's HTTP face shares: who it is, GET /, /health and /ready, and its reports to statistics. A
// role's struct begins with a struct service, and is the `arg` of its HTTP server. Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "http/router.h"
#include "service/metrics.h"

struct engine;
struct http_client;
struct http_counters;
struct loop;
struct reporter;
struct service;

// What is the same for all parts of a role.
struct service_kind {
    const char *role;             // "reader"
    bool logs_instance;           // log lines carry the instance's id, as a process may have several
    const struct metric *metrics; // may be NULL
    // Adds to /health what is no figure. May be NULL.
    void (*describe)(struct service *, json_t *health);
    // Whether the role can do its work now, and why not; asked after the engine. May be NULL.
    bool (*ready)(struct service *, const char **why);
    const char *report_path; // "/reader-api-statistics"; NULL: it does not report
    // Adds to a report what is no figure. May be NULL.
    void (*add_to_report)(struct service *, json_t *report);
};

// What a part is given, whatever its role. The strings are borrowed.
struct service_config {
    const char *instance_id;    // "reader-1"
    const char *statistics_url; // of the statistics service; NULL: no reports
    int statistics_interval_ms; // from one report to the next; 0: 5000
    const char *token;          // sent with them as Authorization: Bearer, or NULL
};

struct service {
    const struct service_kind *kind;
    const char *instance_id;
    struct loop *loop;
    struct engine *engine;
    const struct http_counters *http; // of the server that serves it; set once there is one
    struct reporter *reporter;        // or NULL
};

// Begins to report if there is an address for it. `client` may be NULL for a role that does not.
void service_init(struct service *, const struct service_kind *, struct loop *, struct engine *,
                  struct http_client *, const struct service_config *);
void service_release(struct service *); // may be repeated

// What log lines are written as: the role, or the instance.
const char *service_log_name(const struct service *);

// Routes for /, /health and /ready, ended by a row without a pattern.
extern const struct http_route service_routes[];
