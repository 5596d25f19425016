#include "statistics/statistics_routes.h"

#include <stdlib.h>

#include "base/json_reader.h"
#include "base/mem.h"
#include "http/exchange.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "service/known_videos.h"
#include "service/internal_only.h"
#include "service/rights.h"
#include "service/visible.h"
#include "statistics/statistics.h"
#include "active_videos.h"
#include "dashboard.h"
#include "demo_routes.h"

enum { REPORT_BODY_MAX = 1048576 };

static void reply_document(struct http_exchange *x, const char *document, size_t len, bool sees_all) {
    if (document)
        visible_reply_statistics(x, document, len, sees_all);
    else
        reply_unavailable(x, "store_unavailable", "The stored comments are not known yet; try again soon.");
}

static void on_document(void *arg, const char *document, size_t len) {
    reply_document(arg, document, len, true);
}

static void on_document_for_stranger(void *arg, const char *document, size_t len) {
    reply_document(arg, document, len, false);
}

static void handle_document(struct http_exchange *x, void *arg) {
    struct identity who;
    rights_look(arg, x, &who);
    bool sees_all = identity_may(&who, IDENTITY_READ, "*");
    statistics_document(arg, sees_all ? on_document : on_document_for_stranger, x);
}

struct videos_request {
    struct http_exchange *exchange;
    uint32_t limit;
    struct identity who;
    json_t *all;
    struct known_videos *known; // NULL: all exist
};

static void on_videos_known(void *arg) {
    struct videos_request *q = arg;
    reply_json(q->exchange, 200, visible_videos(q->all, q->known, &q->who, q->limit));
    json_decref(q->all);
    free(q);
}

static void handle_videos(struct http_exchange *x, void *arg) {
    uint32_t limit = ACTIVE_VIDEOS_DEFAULT;
    if (!query_number(x, "limit", 1, ACTIVE_VIDEOS_MAX, &limit)) return;
    const struct service *s = arg;
    struct known_videos *known = s->process ? s->process->known : NULL;
    struct videos_request *q = mem_alloc(sizeof *q);
    *q = (struct videos_request){
        .exchange = x, .limit = limit, .all = statistics_videos(arg, ACTIVE_VIDEOS_MAX), .known = known};
    rights_look(arg, x, &q->who);
    if (!known || known_videos_prepare(known, q->all, on_videos_known, q)) on_videos_known(q);
}

static void on_ledger(void *arg, json_t *ledger) {
    if (ledger)
        reply_json(arg, 200, ledger);
    else
        http_reply_error(arg, 404, "no_ledger", "No reader has reported this video.");
}

static void handle_ledger(struct http_exchange *x, void *arg) {
    const char *video;
    if (path_id(x, &video)) statistics_ledger(arg, video, on_ledger, x);
}

static bool guard_ledger(struct http_request *r, void *arg, struct http_refusal *refusal) {
    return internal_only_page_guard(statistics_guard(arg), r, refusal);
}

static void handle_dashboard(struct http_exchange *x, void *arg) {
    reply_json_with(x, 200, "Vary: Accept\r\n", dashboard_snapshot(statistics_dashboard(arg)));
}

static void handle_events(struct http_exchange *x, void *arg) {
    dashboard_connect(statistics_dashboard(arg), x);
}

// Whether there is a dashboard: only a test's statistics role has none.
static bool guard_dashboard(struct http_request *r, void *arg, struct http_refusal *refusal) {
    (void)r;
    if (statistics_dashboard(arg)) return true;
    return http_refuse(refusal, 503, "statistics_unavailable", "There is no dashboard here.");
}

static bool guard_report(struct http_request *r, void *arg, struct http_refusal *refusal) {
    return internal_only_guard(statistics_guard(arg), r, refusal) && body_guard(r, arg, refusal);
}

static void accept_report(struct http_exchange *x, struct statistics *s, enum report_kind kind) {
    struct json_reader reader;
    struct report_refusal refusal;
    body_begin(x->request, &reader);
    if (statistics_report(s, kind, &reader, &refusal))
        reply_json(x, 200, json_pack("{s:b}", "success", 1));
    else if (refusal.code)
        http_reply_error(x, 400, refusal.code, refusal.sentence);
    else
        body_refuse(x, &reader);
}

static void handle_comment_api(struct http_exchange *x, void *arg) {
    accept_report(x, arg, REPORT_COMMENT_API);
}

static void handle_reader(struct http_exchange *x, void *arg) {
    accept_report(x, arg, REPORT_READER);
}

static void handle_manager(struct http_exchange *x, void *arg) {
    accept_report(x, arg, REPORT_MANAGER);
}

static void handle_client(struct http_exchange *x, void *arg) {
    accept_report(x, arg, REPORT_CLIENT);
}

#define REPORTS(path, handler)                                                                               \
    {                                                                                                        \
        "POST", (path), .handle = (handler), .body_max = REPORT_BODY_MAX, .guard = guard_report,             \
                        .exact_path = true                                                                   \
    }

static const struct http_route public_routes[] = {
    {"GET", "/statistics", .handle = handle_document},
    {"GET", "/videos", .handle = handle_videos},
    {0},
};

static const struct http_route inner_routes[] = {
    {"GET", "/dashboard", .handle = handle_dashboard, .guard = guard_dashboard},
    {"GET", "/videos/:videoid/ledger", .handle = handle_ledger, .guard = guard_ledger},
    {"GET", "/events", .handle = handle_events, .guard = guard_dashboard, .streams = true},
    REPORTS("/comment-api-statistics", handle_comment_api),
    REPORTS("/reader-api-statistics", handle_reader),
    REPORTS("/reader-api-manager-statistics", handle_manager),
    REPORTS("/client-statistics", handle_client),
    {0},
};

const struct http_route *const statistics_tables[] = {service_routes, public_routes, inner_routes, NULL};
const struct http_route *const statistics_demo_tables[] = {service_routes, public_routes, inner_routes,
                                                           demo_routes, NULL};
const struct http_route *const statistics_public_tables[] = {public_routes, NULL};
const struct http_route *const statistics_inner_tables[] = {inner_routes, NULL};
const struct http_route *const statistics_inner_demo_tables[] = {inner_routes, demo_routes, NULL};

bool statistics_inner_guard(struct http_request *r, void *arg, struct http_refusal *refusal) {
    return internal_only_page_guard(statistics_guard(arg), r, refusal);
}
