// What every role shares over HTTP: its identity, GET /, /health, /ready, /metrics and /openapi.json, and its
// reports to statistics. A role's struct begins with a struct service, and is the `arg` of its HTTP server.
// Control loop only.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "engine/engine.h"
#include "http/asset.h"
#include "http/router.h"
#include "net/loop.h"
#include "service/metrics.h"

struct http_client;
struct http_counters;
struct identity_keys;
struct internal_only;
struct known_videos;
struct reporter;
struct service;

// The constants of a role.
struct service_kind {
    const char *role;             // "reader"
    bool logs_instance;           // in log lines, because a process may have several instances
    const struct metric *metrics; // may be NULL
    // Returns the turns of the workers that the role uses. NULL: none.
    struct loop_lag (*workers_lag)(struct service *);
    // Adds members to /health that are not metrics. May be NULL.
    void (*describe)(struct service *, json_t *health);
    // Returns whether the role can do its work, or false and a sentence. Called if the engine is ready. May
    // be NULL.
    bool (*ready)(struct service *, const char **why);
    const char *report_path; // "/reader-api-statistics"; NULL: it does not report
    bool reports_often;      // for the dashboard: two and a half times in an interval
    // It has been asked for a report that has this too. May be NULL.
    void (*asked)(struct service *, const char *what, size_t len);
    // Adds members to a report that are not metrics. May be NULL.
    void (*add_to_report)(struct service *, json_t *report);
};

// The services of one process, which GET /metrics shows together whichever of them is asked: those that
// service_init() was given it for.
struct service_process {
    const struct internal_only *internal; // admits to it; borrowed
    struct identity_keys *keys;           // that sign users' tokens; NULL: anyone is any user; borrowed
    struct known_videos *known;           // --videos known; NULL: whatever is named exists; borrowed
    int64_t started_ms;                   // wall time
    bool reload_failed;       // the configuration could not be read again: the one before is in force
    int64_t configured_ms;    // wall time at which the one in force was read
    struct service *services; // in the order in which they joined
};

// The configuration of a part, whatever its role. The strings are borrowed.
struct service_config {
    const char *instance_id;         // "reader-1"
    const char *statistics_url;      // of the statistics service; NULL: no reports
    int statistics_interval_ms;      // between reports, at most; 0: 5000
    const char *token;               // sent with them as Authorization: Bearer, or NULL
    struct service_process *process; // NULL: GET /metrics is refused
};

struct service {
    const struct service_kind *kind;
    const char *instance_id;
    struct loop *loop;
    struct engine *engine;
    const struct http_counters *http; // of its server; set once there is one
    struct reporter *reporter;        // or NULL
    struct engine_listener *asked;    // for a report; NULL: it does not report
    struct service_process *process;  // or NULL
    struct service *prev, *next;      // in the process
    bool is_for_all; // its address is that of all parts of the process: so are /health and /ready there
    struct loop_lag loop_lag, workers_lag; // as read last by metrics_read()
    struct engine_stats engine_stats;      // as read last by metrics_read()
};

// Starts to report if there is a statistics_url. `client` may be NULL for a role that does not report.
void service_init(struct service *, const struct service_kind *, struct loop *, struct engine *,
                  struct http_client *, const struct service_config *);
void service_release(struct service *); // before the engine is closed; may be repeated

// Releases all services of a process.
void service_process_release(struct service_process *);

// The statistics service asks all parts for a report now by a message of the engine on this topic, which
// their reports name as `askedOn`.
#define REPORT_TOPIC "reports"

// Changes the token that reports carry.
void service_set_token(struct service *, const char *token);

// Reports now, or as soon as a report that is on its way has been answered.
void service_report_now(struct service *);

// Returns whether a report has not been answered yet, and whether the last one was not accepted.
bool service_is_reporting(const struct service *);
bool service_report_failed(const struct service *);

// Returns whether it can do its work, or false and a sentence.
bool service_is_ready(struct service *, const char **why);

// Routes for /, /health, /ready, /metrics and /openapi.json, ended by a row without a pattern.
extern const struct http_route service_routes[];

// The file openapi.json, and a row without a path.
extern const struct http_asset service_assets[];
