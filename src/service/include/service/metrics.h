// The figures of a part, as a table per role: from it come members of /health, members of its reports to
// statistics, and `metrics` in /health, which has all of them. Control loop only.
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
    const char *health; // its name as a member of /health, or NULL; "memory.used": in the member `memory`
    const char *report; // its name as a member of the report to statistics, or NULL
};

// Makes the get() of four rows about the turns of loops: NAME_turns and so on. `lag`: their member of struct
// service. All rows show the reading that metrics_read_loops() took.
#define METRICS_OF_LOOPS(name, lag)                                                                          \
    static double name##_turns(struct service *s) {                                                          \
        return (double)s->lag.turns;                                                                         \
    }                                                                                                        \
    static double name##_slow_turns(struct service *s) {                                                     \
        return (double)loop_lag_slow_turns(&s->lag);                                                         \
    }                                                                                                        \
    static double name##_busy_s(struct service *s) {                                                         \
        return (double)s->lag.busy_us / 1e6;                                                                 \
    }                                                                                                        \
    static double name##_longest_turn_s(struct service *s) {                                                 \
        return (double)s->lag.longest_us / 1e6;                                                              \
    }

// Reads how long the turns of the control loop and of the workers have been. To be called before rows are
// added.
void metrics_read_loops(struct service *);

// Tables end with a row without a name.

// The metrics of every part: its HTTP server, the engine, the control loop.
extern const struct metric service_metrics[];

// Add rows to an object: those with a name in /health, those with one in reports, or all by their own names.
void metrics_add_to_health(const struct metric *, struct service *, json_t *health);
void metrics_add_to_report(const struct metric *, struct service *, json_t *report);
void metrics_add(const struct metric *, struct service *, json_t *metrics);
