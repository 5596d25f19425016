#include "client_reports.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/client.h"

enum { FIRST_MS = 2000, TIMEOUT_MS = 5000 };

struct report {
    struct client_reports *reports;
    struct client_viewer *viewer;
};

static void client_reports_log_change(struct client_reports *r, const struct http_client_response *a) {
    bool fine = !a->error && a->status / 100 == 2;
    if (fine && r->failing) log_info("clients", "reports_accepted", "url=%s", r->url);
    if (!fine && !r->failing)
        log_warn("clients", "reports_failing", "url=%s status=%d error=\"%s\"", r->url,
                 a->error ? 0 : a->status, a->error ? strerror(-a->error) : "");
    r->failing = !fine;
}

static void client_reports_on_answer(void *arg, const struct http_client_response *a) {
    struct report *report = arg;
    struct client_reports *r = report->reports;
    report->viewer->reporting = false;
    if (a->error != -ECANCELED) client_reports_log_change(r, a);
    free(report);
    r->on_calls(r, -1);
}

static char *client_report_write(const struct client_viewer *v) {
    char client[32], user[32], video[32], topic[40];
    snprintf(client, sizeof client, "client-%u", v->number);
    snprintf(user, sizeof user, "user%u", v->number);
    snprintf(video, sizeof video, "video%u", v->video);
    snprintf(topic, sizeof topic, "video:%s", video);
    json_t *report =
        json_pack("{s:s,s:s,s:s,s:I,s:I,s:[s],s:s?}", "clientId", client, "userId", user, "videoId", video,
                  "commentsGenerated", (json_int_t)v->generated, "commentsConsumed", (json_int_t)v->consumed,
                  "subscribedTopics", topic, "connectedReader", v->reader ? v->reader->text : NULL);
    char *text = json_dumps(report, JSON_COMPACT);
    json_decref(report);
    return text;
}

// Skips a report while the one before is still pending: the figures are totals.
static void client_report_post(struct client_reports *r, struct client_viewer *v) {
    char *body = v->reporting ? NULL : client_report_write(v);
    if (!body) return;
    struct report *report = mem_alloc(sizeof *report);
    *report = (struct report){.reports = r, .viewer = v};
    v->reporting = true;
    r->on_calls(r, 1);
    http_client_request(r->client,
                        &(struct http_client_request){.method = "POST",
                                                      .url = r->url,
                                                      .body = body,
                                                      .body_len = strlen(body),
                                                      .authorization = r->authorization,
                                                      .timeout_ms = TIMEOUT_MS},
                        client_reports_on_answer, report);
    free(body);
}

static void client_reports_on_due(struct loop_timer *t) {
    struct client_reports *r = container_of(t, struct client_reports, timer);
    loop_timer_start(r->loop, t, r->interval_ms);
    for (size_t i = 0; i < r->viewer_count && i < CLIENT_REPORTS; i++) client_report_post(r, &r->viewers[i]);
}

void client_reports_start(struct client_reports *r) {
    if (!r->url) return;
    r->timer.on_due = client_reports_on_due;
    loop_timer_start(r->loop, &r->timer, r->interval_ms < FIRST_MS ? r->interval_ms : FIRST_MS);
}

void client_reports_stop(struct client_reports *r) {
    loop_timer_stop(r->loop, &r->timer);
}
