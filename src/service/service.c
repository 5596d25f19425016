#include "service/service.h"

#include "base/buf.h"
#include "base/uthash.h"
#include "http/asset_reply.h"
#include "http/exchange.h"
#include "service/internal_only.h"
#include "service/json_reply.h"
#include "exposition.h"
#include "reporter.h"
#include "version.h"

// So that a sample of every 2 s has new figures, with the usual interval of 5 s.
#define REPORTS_OFTEN 2.5

// The name for log lines.
static const char *service_log_name(const struct service *s) {
    return s->kind->logs_instance ? s->instance_id : s->kind->role;
}

static json_t *build_report(void *arg) {
    struct service *s = arg;
    json_t *report = json_pack("{s:s, s:s}", "instanceId", s->instance_id, "askedOn", REPORT_TOPIC);
    metrics_read(s);
    metrics_add_to_report(s->kind->metrics, s, report);
    metrics_add_to_report(service_metrics, s, report);
    if (s->kind->add_to_report) s->kind->add_to_report(s, report);
    return report;
}

void service_report_now(struct service *s) {
    if (s->reporter) reporter_report_now(s->reporter);
}

static void on_report_asked(void *arg, const char *body, size_t len) {
    struct service *s = arg;
    if (s->kind->asked) s->kind->asked(s, body, len);
    service_report_now(s);
}

void service_init(struct service *s, const struct service_kind *kind, struct loop *loop,
                  struct engine *engine, struct http_client *client, const struct service_config *config) {
    *s = (struct service){.kind = kind,
                          .instance_id = config->instance_id,
                          .loop = loop,
                          .engine = engine,
                          .process = config->process};
    if (s->process) DL_APPEND(s->process->services, s);
    if (!kind->report_path) return;
    double interval_ms = config->statistics_interval_ms > 0 ? config->statistics_interval_ms : 5000;
    if (kind->reports_often) interval_ms /= REPORTS_OFTEN;
    s->reporter = reporter_new(loop, client,
                               &(struct reporter_config){.role = service_log_name(s),
                                                         .statistics_url = config->statistics_url,
                                                         .path = kind->report_path,
                                                         .interval_ms = (int)interval_ms,
                                                         .token = config->token,
                                                         .build = build_report,
                                                         .arg = s});
    if (s->reporter) s->asked = engine->ops->listen(engine, REPORT_TOPIC, on_report_asked, s);
}

void service_set_token(struct service *s, const char *token) {
    reporter_set_token(s->reporter, token);
}

bool service_is_reporting(const struct service *s) {
    return reporter_is_posting(s->reporter);
}

bool service_report_failed(const struct service *s) {
    return reporter_is_failing(s->reporter);
}

void service_release(struct service *s) {
    if (s->asked) s->engine->ops->unlisten(s->engine, s->asked);
    s->asked = NULL;
    reporter_free(s->reporter);
    s->reporter = NULL;
    if (s->process) DL_DELETE(s->process->services, s);
    s->process = NULL;
}

void service_process_release(struct service_process *p) {
    while (p->services) service_release(p->services);
}

// Some roles have a page there too.
static void handle_root(struct http_exchange *x, void *arg) {
    struct service *s = arg;
    reply_json_with(x, 200, "Vary: Accept\r\n",
                    json_pack("{s:s,s:s,s:s,s:s}", "service", "chorus", "role", s->kind->role, "instanceId",
                              s->instance_id, "version", CHORUS_VERSION));
}

// Lists the parts of the process. Returns whether all are ready, or false and the sentence of the first that
// is not.
static bool service_add_parts(const struct service_process *p, json_t *health, const char **why) {
    json_t *parts = json_array();
    bool all_ready = true;
    for (struct service *s = p->services; s; s = s->next) {
        const char *its_why = NULL;
        bool ready = service_is_ready(s, &its_why);
        if (!ready && !its_why) its_why = "starting";
        if (!ready && all_ready) *why = its_why;
        all_ready &= ready;
        json_array_append_new(parts, json_pack("{s:s,s:s,s:s,s:s*}", "role", s->kind->role, "instanceId",
                                               s->instance_id, "status", ready ? "ready" : "degraded", "why",
                                               its_why));
    }
    json_object_set_new(health, "parts", parts);
    return all_ready;
}

static json_t *service_health(struct service *s, bool *ready) {
    const char *why = NULL;
    json_t *all = json_object();
    *ready =
        s->is_for_all && s->process ? service_add_parts(s->process, all, &why) : service_is_ready(s, &why);
    json_t *o = json_pack("{s:s,s:s,s:s,s:s}", "status", *ready ? "ready" : "degraded", "role", s->kind->role,
                          "instanceId", s->instance_id, "version", CHORUS_VERSION);
    if (!*ready) json_object_set_new(o, "why", json_string(why ? why : "starting"));
    if (s->process && s->process->reload_failed) json_object_set_new(o, "reloadFailed", json_true());
    metrics_read(s);
    metrics_add_to_health(service_metrics, s, o);
    metrics_add_to_health(s->kind->metrics, s, o);
    if (s->kind->describe) s->kind->describe(s, o);
    json_t *metrics = json_object();
    metrics_add(s->kind->metrics, s, metrics);
    metrics_add(service_metrics, s, metrics);
    json_object_set_new(o, "metrics", metrics);
    json_object_update(o, all);
    json_decref(all);
    return o;
}

// 200 while the process is alive, whatever else is wrong: an orchestrator must not kill a reader whose store
// is away.
static void handle_health(struct http_exchange *x, void *arg) {
    bool ready;
    reply_json(x, 200, service_health(arg, &ready));
}

static void handle_ready(struct http_exchange *x, void *arg) {
    bool ready;
    json_t *o = service_health(arg, &ready);
    reply_json(x, ready ? 200 : 503, o);
}

static bool guard_metrics(struct http_request *r, void *arg, struct http_refusal *refusal) {
    const struct service *s = arg;
    if (s->process) return internal_only_guard(s->process->internal, r, refusal);
    return http_refuse(refusal, 403, "forbidden", "This part shows no metrics.");
}

static void handle_metrics(struct http_exchange *x, void *arg) {
    const struct service *s = arg;
    struct buf text = {0};
    exposition_write(&text, s->process);
    http_reply(x,
               &(struct http_reply){
                   .status = 200, .content_type = exposition_type, .body = text.data, .body_len = text.len});
    buf_release(&text);
}

// The description of the whole HTTP interface, the same at every part.
static void handle_openapi(struct http_exchange *x, void *arg) {
    (void)arg;
    http_reply_asset(x, service_assets);
}

const struct http_route service_routes[] = {
    {"GET", "/", .handle = handle_root, .exact_path = true},
    {"GET", "/health", .handle = handle_health, .exact_path = true},
    {"GET", "/ready", .handle = handle_ready, .exact_path = true},
    {"GET", "/metrics", .handle = handle_metrics, .guard = guard_metrics, .exact_path = true},
    {"GET", "/openapi.json", .handle = handle_openapi, .exact_path = true},
    {0},
};
