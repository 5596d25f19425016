#include "service/service.h"

#include "engine/engine.h"
#include "http/counters.h"
#include "http/exchange.h"
#include "service/body.h"
#include "version.h"

// Whether the engine and the role are ready; if not, *why is a sentence.
static bool is_ready(struct service *s, const char **why) {
    *why = NULL;
    if (!s->engine->ops->ready(s->engine, why)) return false;
    return !s->ready || s->ready(s, why);
}

static void handle_root(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    reply_json(x, 200,
               json_pack("{s:s,s:s,s:s,s:s}", "service", "chorus", "role", s->role, "instanceId",
                         s->instance_id, "version", CHORUS_VERSION));
}

static json_t *health(struct service *s, bool *ready) {
    const char *why;
    *ready = is_ready(s, &why);
    json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "status", *ready ? "ready" : "degraded", "role", s->role,
                          "instanceId", s->instance_id, "version", CHORUS_VERSION);
    if (!*ready) json_object_set_new(o, "why", json_string(why ? why : "starting"));
    json_object_set_new(o, "idleClosed", json_integer((json_int_t)s->http->connections_closed_for_room));
    if (s->describe) s->describe(s, o);
    return o;
}

// Alive is 200, whatever else is wrong: an orchestrator must not kill a reader whose store is away.
static void handle_health(struct http_exchange *x, void *arg) {
    bool ready;
    reply_json(x, 200, health(arg, &ready));
}

static void handle_ready(struct http_exchange *x, void *arg) {
    bool ready;
    json_t *o = health(arg, &ready);
    reply_json(x, ready ? 200 : 503, o);
}

const struct http_route service_routes[] = {
    {"GET", "/", .handle = handle_root, .exact_path = true},
    {"GET", "/health", .handle = handle_health, .exact_path = true},
    {"GET", "/ready", .handle = handle_ready, .exact_path = true},
    {0},
};
