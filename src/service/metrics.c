#include "service/metrics.h"

#include <math.h>
#include <string.h>

#include "engine/engine.h"
#include "http/counters.h"
#include "net/loop.h"
#include "service/service.h"

static json_t *metric_value(const struct metric *m, struct service *s) {
    double value = m->get(s);
    return value == floor(value) ? json_integer((json_int_t)value) : json_real(value);
}

// Adds a member; "a.b" is the member b of the member a.
static void metric_add(const struct metric *m, struct service *s, json_t *object, const char *member) {
    const char *dot = strchr(member, '.');
    if (!dot) {
        json_object_set_new(object, member, metric_value(m, s));
        return;
    }
    char outer[32] = "";
    strncat(outer, member, (size_t)(dot - member));
    json_t *inner = json_object_get(object, outer);
    if (!inner) json_object_set_new(object, outer, inner = json_object());
    json_object_set_new(inner, dot + 1, metric_value(m, s));
}

void metrics_add_to_health(const struct metric *m, struct service *s, json_t *health) {
    for (; m && m->name; m++)
        if (m->health) metric_add(m, s, health, m->health);
}

void metrics_add_to_report(const struct metric *m, struct service *s, json_t *report) {
    for (; m && m->name; m++)
        if (m->report) metric_add(m, s, report, m->report);
}

void metrics_add(const struct metric *m, struct service *s, json_t *metrics) {
    for (; m && m->name; m++) metric_add(m, s, metrics, m->name);
}

void metrics_read_loops(struct service *s) {
    s->loop_lag = loop_lag(s->loop);
    if (s->kind->workers_lag) s->workers_lag = s->kind->workers_lag(s);
}

// The metrics of every part

#define HTTP(name, expression)                                                                               \
    static double http_##name(struct service *s) {                                                           \
        const struct http_counters *c = s->http;                                                             \
        return (double)(expression);                                                                         \
    }
HTTP(open, c->connections_open)
HTTP(accepted, c->connections_accepted)
HTTP(evicted, c->connections_closed_for_room)
HTTP(dropped, c->connections_dropped)
HTTP(requests, c->requests)
HTTP(streams, c->streams)
HTTP(aborted, c->aborted)
HTTP(2xx, http_counters_class(c, 2))
HTTP(3xx, http_counters_class(c, 3))
HTTP(4xx, http_counters_class(c, 4))
HTTP(429, c->responses[429])
HTTP(5xx, http_counters_class(c, 5))
#undef HTTP

#define ENGINE(name, expression)                                                                             \
    static double engine_##name(struct service *s) {                                                         \
        struct engine_stats e = s->engine->ops->stats(s->engine);                                            \
        return (double)(expression);                                                                         \
    }
ENGINE(waiting, e.waiting)
ENGINE(trips, e.trips)
ENGINE(trip_s, (double)e.trip_us / 1e6)
ENGINE(longest_trip_s, (double)e.longest_trip_us / 1e6)
ENGINE(failures, e.failures)
#undef ENGINE

static double engine_ready(struct service *s) {
    const char *why = NULL;
    return s->engine->ops->ready(s->engine, &why);
}

METRICS_OF_LOOPS(loop, loop_lag)

const struct metric service_metrics[] = {
    {"chorus_http_open_connections", "connections", METRIC_GAUGE,
     "Connections to this port, without streams.", http_open, NULL, NULL},
    {"chorus_http_accepted_connections_total", "connections", METRIC_COUNTER, "Connections accepted.",
     http_accepted, NULL, NULL},
    {"chorus_http_evicted_connections_total", "connections", METRIC_COUNTER,
     "Idle or slow connections closed to make room for new ones.", http_evicted, "idleClosed", NULL},
    {"chorus_http_dropped_connections_total", "connections", METRIC_COUNTER,
     "Connections closed because they held memory or a place for too long.", http_dropped, NULL, NULL},
    {"chorus_http_requests_total", "requests", METRIC_COUNTER, "Requests, refused ones included.",
     http_requests, NULL, NULL},
    {"chorus_http_streams_total", "streams", METRIC_COUNTER, "Event streams begun.", http_streams, NULL,
     NULL},
    {"chorus_http_aborted_requests_total", "requests", METRIC_COUNTER,
     "Requests answered by closing the connection.", http_aborted, NULL, NULL},
    {"chorus_http_2xx_responses_total", "responses", METRIC_COUNTER, "Responses with status 200 to 299.",
     http_2xx, NULL, NULL},
    {"chorus_http_3xx_responses_total", "responses", METRIC_COUNTER, "Responses with status 300 to 399.",
     http_3xx, NULL, NULL},
    {"chorus_http_4xx_responses_total", "responses", METRIC_COUNTER, "Responses with status 400 to 499.",
     http_4xx, NULL, NULL},
    {"chorus_http_429_responses_total", "responses", METRIC_COUNTER,
     "Of those, the ones that say a user posts too fast.", http_429, NULL, NULL},
    {"chorus_http_5xx_responses_total", "responses", METRIC_COUNTER, "Responses with status 500 to 599.",
     http_5xx, NULL, NULL},
    {"chorus_engine_waiting_operations", "operations", METRIC_GAUGE,
     "Operations of the engine not yet answered.", engine_waiting, NULL, NULL},
    {"chorus_engine_available_stores", "stores", METRIC_GAUGE, "Whether the store answers: 1, or 0.",
     engine_ready, NULL, "figures.storesAvailable"},
    {"chorus_engine_trips_total", "trips", METRIC_COUNTER,
     "Trips to the store: transactions of SQLite, or commands to Redis.", engine_trips, NULL, NULL},
    {"chorus_engine_trip_seconds_total", "seconds", METRIC_COUNTER, "Time that all trips took.",
     engine_trip_s, NULL, NULL},
    {"chorus_engine_longest_trip_seconds", "seconds", METRIC_GAUGE, "Time that the longest trip took.",
     engine_longest_trip_s, NULL, NULL},
    {"chorus_engine_failed_trips_total", "trips", METRIC_COUNTER,
     "Transactions rolled back; commands refused or lost.", engine_failures, NULL, NULL},
    {"chorus_loop_turns_total", "turns", METRIC_COUNTER, "Turns of the control loop.", loop_turns, NULL,
     NULL},
    {"chorus_loop_slow_turns_total", "turns", METRIC_COUNTER,
     "Of those, the ones of 16 ms and longer: an event may have waited as long.", loop_slow_turns, NULL,
     NULL},
    {"chorus_loop_busy_seconds_total", "seconds", METRIC_COUNTER, "Time that all turns took.", loop_busy_s,
     NULL, NULL},
    {"chorus_loop_longest_turn_seconds", "seconds", METRIC_GAUGE, "Time that the longest turn took.",
     loop_longest_turn_s, NULL, NULL},
    {0},
};
