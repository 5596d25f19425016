// The figures that a part shows, as data: from a role's one table come the members of /health, those of its
// reports to statistics, and `metrics` in /health, which has all of them. Control loop only.
//
// Names and units are those of Prometheus: chorus_<what>_<unit>, in base units; a counter ends in _total.
#pragma once

#include <jansson.h>

struct service;

enum metric_kind {
    METRIC_COUNTER, // only grows, from 0 at the start of the process
    METRIC_GAUGE
};

struct metric {
    const char *name;
    const char *unit; // the name's last word, before _total
    enum metric_kind kind;
    const char *help; // one sentence
    double (*get)(struct service *);
    const char
        *health; // also a member of /health by this name; NULL: not. "memory.used": of its member `memory`
    const char *report; // a member of the report to statistics; NULL: not
};

// Tables end with a row without a name.

// What every part has: its HTTP server, the engine, the loop.
extern const struct metric service_metrics[];

// Add to an object: the rows that are members of /health, of a report, or all of them by their names.
void metrics_add_to_health(const struct metric *, struct service *, json_t *health);
void metrics_add_to_report(const struct metric *, struct service *, json_t *report);
void metrics_add(const struct metric *, struct service *, json_t *metrics);
