#include "service/metrics.h"

#include <math.h>
#include <string.h>

#include "engine/engine.h"
#include "http/counters.h"
#include "http/limited.h"
#include "net/address_limits.h"
#include "net/loop.h"
#include "service/service.h"

const char *metric_kind_name(enum metric_kind kind) {
    static const char *const names[] = {
        [METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};
    return names[kind];
}

bool metric_is_of_family(const struct metric *first, const struct metric *row) {
    return row->name && !strcmp(first->name, row->name);
}

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
    for (; m && m->name; m++) {
        const char *name = m->label ? m->alias : m->name;
        if (name && m->kind != METRIC_HISTOGRAM) metric_add(m, s, metrics, name);
    }
}

void metrics_read(struct service *s) {
    s->engine_stats = s->engine->ops->stats(s->engine);
    s->loop_lag = loop_lag(s->loop);
    if (s->kind->workers_lag) s->workers_lag = s->kind->workers_lag(s);
}

void metrics_of_durations(const struct durations *d, struct metric_histogram *h) {
    h->count = DURATION_STEPS;
    for (unsigned i = 0; i < DURATION_STEPS; i++) h->bounds[i] = (double)duration_step_us(i) / 1e6;
    for (unsigned i = 0; i <= DURATION_STEPS; i++) h->within[i] = d->within[i];
    h->sum = (double)d->sum_us / 1e6;
}

void metrics_of_lag(const struct loop_lag *lag, struct metric_histogram *h) {
    h->count = LOOP_LAG_STEPS - 1;
    for (unsigned i = 0; i < LOOP_LAG_STEPS; i++) {
        h->within[i] = lag->within[i];
        if (i < h->count) h->bounds[i] = (double)loop_lag_step_us(i) / 1e6;
    }
    h->sum = (double)lag->busy_us / 1e6;
}

// The metrics of every part

#define HTTP(name, expression)                                                                               \
    static double http_##name(struct service *s) {                                                           \
        const struct http_counters *c = s->http;                                                             \
        return c ? (double)(expression) : 0;                                                                 \
    }
// A part without a port of its own has no server, and its requests are counted where they arrive.
HTTP(open, c->connections_open)
HTTP(accepted, c->connections_accepted)
HTTP(evicted, c->connections_closed_for_room)
HTTP(dropped, c->connections_dropped)
HTTP(malformed, c->proxied_refused[HTTP_PROXIED_MALFORMED])
HTTP(incomplete, c->proxied_refused[HTTP_PROXIED_INCOMPLETE])
HTTP(untrusted, c->proxied_refused[HTTP_PROXIED_UNTRUSTED])
HTTP(requests, c->requests)
HTTP(streams, c->streams)
HTTP(aborted, c->aborted)
HTTP(2xx, http_counters_class(c, 2))
HTTP(3xx, http_counters_class(c, 3))
HTTP(4xx, http_counters_class(c, 4))
HTTP(429, c->responses[429])
HTTP(5xx, http_counters_class(c, 5))
#undef HTTP

#define LIMITED(name, kind)                                                                                  \
    static double limited_##name(struct service *s) {                                                        \
        (void)s;                                                                                             \
        return (double)http_limited(kind);                                                                   \
    }
LIMITED(streams, HTTP_LIMITED_STREAMS)
LIMITED(connections, HTTP_LIMITED_CONNECTIONS)
LIMITED(connects, HTTP_LIMITED_CONNECTS)
LIMITED(posts, HTTP_LIMITED_POSTS)
LIMITED(bytes, HTTP_LIMITED_BYTES)
#undef LIMITED

static double limited_addresses(struct service *s) {
    (void)s;
    return address_limits_streaming();
}

#define ENGINE(name, expression)                                                                             \
    static double engine_##name(struct service *s) {                                                         \
        return (double)(expression);                                                                         \
    }
ENGINE(waiting, s->engine_stats.waiting)
ENGINE(trips, s->engine_stats.trips)
ENGINE(trip_s, (double)s->engine_stats.trip_us / 1e6)
ENGINE(longest_trip_s, (double)s->engine_stats.longest_trip_us / 1e6)
ENGINE(failures, s->engine_stats.failures)
ENGINE(reconnects, s->engine_stats.reconnects)
ENGINE(database, s->engine_stats.database_bytes)
ENGINE(wal, s->engine_stats.wal_bytes)
ENGINE(disk, s->engine_stats.disk_bytes)
ENGINE(left, s->engine_stats.free_bytes)
#undef ENGINE

static void engine_took(struct service *s, struct metric_histogram *h) {
    metrics_of_durations(&s->engine_stats.took, h);
}

static double engine_ready(struct service *s) {
    const char *why = NULL;
    return s->engine->ops->ready(s->engine, &why);
}

static double part_ready(struct service *s) {
    const char *why = NULL;
    return service_is_ready(s, &why);
}

METRICS_OF_LOOPS(loop, loop_lag)

#define LIMITED_ROW(name, sentence)                                                                          \
    {                                                                                                        \
        "chorus_limits_refused_requests_total", "requests", METRIC_COUNTER, sentence,                        \
            .get = limited_##name, .label = "reason=\"too_many_" #name "\"",                                 \
            .alias = "chorus_limits_too_many_" #name "_total", .of_process = true                            \
    }

#define PROXIED_ROW(name, sentence)                                                                          \
    {                                                                                                        \
        "chorus_http_refused_proxy_connections_total", "connections", METRIC_COUNTER, sentence,              \
            .get = http_##name, .label = "reason=\"" #name "\"",                                             \
            .alias = "chorus_http_" #name "_proxy_connections_total"                                         \
    }

const struct metric service_metrics[] = {
    {"chorus_ready_parts", "parts", METRIC_GAUGE, "Whether the part is ready, as /ready says: 1, or 0.",
     .get = part_ready},
    {"chorus_http_open_connections", "connections", METRIC_GAUGE,
     "Connections to the part's port, without streams.", .get = http_open},
    {"chorus_http_accepted_connections_total", "connections", METRIC_COUNTER, "Connections accepted.",
     .get = http_accepted},
    {"chorus_http_evicted_connections_total", "connections", METRIC_COUNTER,
     "Idle or slow connections closed to make room for new ones.", .get = http_evicted,
     .health = "idleClosed"},
    {"chorus_http_dropped_connections_total", "connections", METRIC_COUNTER,
     "Connections closed because they held memory or a place for too long.", .get = http_dropped},
    PROXIED_ROW(malformed,
                "Connections to --proxy-listen closed before a request, by what they lacked (reason)."),
    PROXIED_ROW(incomplete, "They ended within the header."),
    PROXIED_ROW(untrusted, "They came from an address that is not in --trusted-proxies."),
    {"chorus_http_requests_total", "requests", METRIC_COUNTER, "Requests, refused ones included.",
     .get = http_requests},
    {"chorus_http_streams_total", "streams", METRIC_COUNTER, "Event streams begun.", .get = http_streams},
    {"chorus_http_aborted_requests_total", "requests", METRIC_COUNTER,
     "Requests answered by closing the connection.", .get = http_aborted},
    {"chorus_http_responses_total", "responses", METRIC_COUNTER,
     "Responses by class of status (code); streams and aborted requests have none.", .get = http_2xx,
     .label = "code=\"2xx\"", .alias = "chorus_http_2xx_responses_total"},
    {"chorus_http_responses_total", "responses", METRIC_COUNTER, "Redirects.", .get = http_3xx,
     .label = "code=\"3xx\"", .alias = "chorus_http_3xx_responses_total"},
    {"chorus_http_responses_total", "responses", METRIC_COUNTER, "Refusals.", .get = http_4xx,
     .label = "code=\"4xx\"", .alias = "chorus_http_4xx_responses_total"},
    {"chorus_http_responses_total", "responses", METRIC_COUNTER, "Failures.", .get = http_5xx,
     .label = "code=\"5xx\"", .alias = "chorus_http_5xx_responses_total"},
    {"chorus_http_429_responses_total", "responses", METRIC_COUNTER,
     "Responses that say a user posts too fast.", .get = http_429, .only_health = true},
    LIMITED_ROW(streams, "Refused for a limit of the client's address, by the limit (reason)."),
    LIMITED_ROW(connections, "Connections beyond --limit-connections, which are reset."),
    LIMITED_ROW(connects, "Connections beyond --limit-connects, of which most are reset."),
    LIMITED_ROW(posts, "Beyond --limit-posts."),
    LIMITED_ROW(bytes, "Dropped at --limit-bytes: unfinished requests, unread responses."),
    {"chorus_limits_streaming_addresses", "addresses", METRIC_GAUGE,
     "Addresses with streams, without those that are exempt from limits; an estimate.",
     .get = limited_addresses, .of_process = true},
    {"chorus_engine_waiting_operations", "operations", METRIC_GAUGE,
     "Operations of the engine not yet answered.", .get = engine_waiting, .of_process = true},
    {"chorus_engine_available_stores", "stores", METRIC_GAUGE, "Whether the store answers: 1, or 0.",
     .get = engine_ready, .report = "figures.storesAvailable", .of_process = true},
    {"chorus_engine_trips_total", "trips", METRIC_COUNTER,
     "Trips to the store: transactions of SQLite, or commands to Redis.", .get = engine_trips,
     .only_health = true},
    {"chorus_engine_trip_seconds_total", "seconds", METRIC_COUNTER, "Time that all trips took.",
     .get = engine_trip_s, .only_health = true},
    {"chorus_engine_trip_seconds", "seconds", METRIC_HISTOGRAM,
     "How long each trip to the store took: a transaction of SQLite, or a command to Redis.",
     .read = engine_took, .of_process = true},
    {"chorus_engine_longest_trip_seconds", "seconds", METRIC_GAUGE, "Time that the longest trip took.",
     .get = engine_longest_trip_s, .only_health = true},
    {"chorus_engine_failed_trips_total", "trips", METRIC_COUNTER,
     "Transactions rolled back; commands refused or lost.", .get = engine_failures, .of_process = true},
    {"chorus_engine_reconnects_total", "reconnects", METRIC_COUNTER,
     "Times that one of the two connections to Redis was made again.", .get = engine_reconnects,
     .of_process = true},
    {"chorus_engine_database_bytes", "bytes", METRIC_GAUGE, "Size of the database; 0 with Redis.",
     .get = engine_database, .of_process = true},
    {"chorus_engine_wal_bytes", "bytes", METRIC_GAUGE, "Size of its write-ahead log; 0 with Redis.",
     .get = engine_wal, .of_process = true},
    {"chorus_engine_disk_bytes", "bytes", METRIC_GAUGE,
     "Size of the file system with the database; 0 with Redis.", .get = engine_disk, .of_process = true},
    {"chorus_engine_free_bytes", "bytes", METRIC_GAUGE, "How much of it is left; 0 with Redis.",
     .get = engine_left, .of_process = true},
    {"chorus_loop_turns_total", "turns", METRIC_COUNTER, "Turns of the control loop.", .get = loop_turns,
     .only_health = true},
    {"chorus_loop_slow_turns_total", "turns", METRIC_COUNTER,
     "Of those, the ones of 16 ms and longer: an event may have waited as long.", .get = loop_slow_turns,
     .only_health = true},
    {"chorus_loop_busy_seconds_total", "seconds", METRIC_COUNTER, "Time that all turns took.",
     .get = loop_busy_s, .only_health = true},
    {"chorus_loop_longest_turn_seconds", "seconds", METRIC_GAUGE, "Time that the longest turn took.",
     .get = loop_longest_turn_s, .only_health = true},
    {"chorus_loop_lag_seconds", "seconds", METRIC_HISTOGRAM,
     "How long each turn of the control loop took: a request or an answer of the store may have waited as long.",
     .read = loop_lag_read, .of_process = true},
    {0},
};
