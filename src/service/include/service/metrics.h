// The figures of a part, as a table per role: from it come GET /metrics, members of /health, members of its
// reports to statistics, and `metrics` in /health, which has all without labels and histograms. Control loop
// only.
//
// Names and units are those of Prometheus: chorus_<what>_<unit>, in base units; a counter ends in _total.
// Histograms have fixed buckets, so that those of several parts can be added.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct service;

enum metric_kind {
    METRIC_COUNTER, // only grows, from 0 at the start of the process
    METRIC_GAUGE,
    METRIC_HISTOGRAM
};

enum { METRIC_BUCKETS = 20 };

struct metric_histogram {
    unsigned count;                // of bounds
    double bounds[METRIC_BUCKETS]; // ascending, in the metric's unit
    uint64_t
        within[METRIC_BUCKETS + 1]; // values up to a bound and beyond the one before; then those beyond all
    double sum;
};

// One series, or a histogram. Rows of one name follow each other: they are series of one family, which differ
// in `label`, and the first has the sentence.
struct metric {
    const char *name;
    const char *unit; // the name's last word, before _total
    enum metric_kind kind;
    const char *help; // one sentence
    double (*get)(struct service *);
    const char *health; // its name as a member of /health, or NULL; "memory.used": in the member `memory`
    const char *report; // its name as a member of the report to statistics, or NULL
    const char *label;  // such as code="2xx", or NULL
    void (*read)(struct service *, struct metric_histogram *); // of a histogram, instead of get()
    const char *alias; // its name in `metrics` of /health where it has a label; NULL: it is not there
    bool of_process;   // the same for all parts of a process
    bool only_health;  // a histogram says it better
};

// Makes the get() of four rows about the turns of loops, NAME_turns and so on, and the read() of one,
// NAME_lag_read. `lag`: their member of struct service. All rows show the reading that metrics_read() took.
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
    }                                                                                                        \
    static void name##_lag_read(struct service *s, struct metric_histogram *h) {                             \
        metrics_of_lag(&s->lag, h);                                                                          \
    }

// Returns the kind as Prometheus names it.
const char *metric_kind_name(enum metric_kind);

// Whether a row belongs to the family that begins at `first`.
bool metric_is_of_family(const struct metric *first, const struct metric *row);

struct durations;
struct loop_lag;
void metrics_of_durations(const struct durations *, struct metric_histogram *);
void metrics_of_lag(const struct loop_lag *, struct metric_histogram *);

// Reads what several rows show: how long the turns of the control loop and of the workers have been, and the
// engine's figures. To be called before rows are added.
void metrics_read(struct service *);

// Tables end with a row without a name.

// The metrics of every part: its HTTP server, the engine, the control loop.
extern const struct metric service_metrics[];

// The metrics of a process as the system sees it, named as the client libraries of Prometheus name them.
extern const struct metric process_metrics[];

// Add rows to an object: those with a name in /health, those with one in reports, or all by their own names.
void metrics_add_to_health(const struct metric *, struct service *, json_t *health);
void metrics_add_to_report(const struct metric *, struct service *, json_t *report);
void metrics_add(const struct metric *, struct service *, json_t *metrics);
