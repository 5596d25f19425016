#include "statistics/statistics_routes.h"

#include "base/json_reader.h"
#include "net/http_server.h"
#include "service/body.h"
#include "service/internal_only.h"
#include "statistics/statistics.h"

enum { REPORT_BODY_MAX = 1048576 };

static void on_document(void *arg, const char *document, size_t len) {
    struct http_request *r = arg;
    if (!document) {
        reply_unavailable(r, "store_unavailable", "What is stored is not known yet; try again soon.");
        return;
    }
    http_reply(
        r, &(struct http_reply){
               .status = 200, .body = document, .body_len = len, .headers = "Cache-Control: no-store\r\n"});
}

static void handle_statistics(struct http_request *r, void *arg) {
    statistics_document(arg, on_document, r);
}

static void take_report(struct http_request *r, struct statistics *s, enum report_kind kind) {
    if (!internal_only_check(statistics_guard(s), r)) return;
    struct json_reader reader;
    struct report_refusal refusal;
    if (!body_begin(r, &reader)) return;
    if (statistics_report(s, kind, &reader, &refusal))
        reply_json(r, 200, json_pack("{s:b}", "success", 1));
    else if (refusal.code)
        http_reply_error(r, 400, refusal.code, refusal.sentence);
    else
        body_refuse(r, &reader);
}

static void handle_comment_api(struct http_request *r, void *arg) {
    take_report(r, arg, REPORT_COMMENT_API);
}

static void handle_reader(struct http_request *r, void *arg) {
    take_report(r, arg, REPORT_READER);
}

static void handle_manager(struct http_request *r, void *arg) {
    take_report(r, arg, REPORT_MANAGER);
}

static void handle_client(struct http_request *r, void *arg) {
    take_report(r, arg, REPORT_CLIENT);
}

static const struct http_route routes[] = {
    {"GET", "/statistics", handle_statistics, 0},
    {"POST", "/comment-api-statistics", handle_comment_api, REPORT_BODY_MAX},
    {"POST", "/reader-api-statistics", handle_reader, REPORT_BODY_MAX},
    {"POST", "/reader-api-manager-statistics", handle_manager, REPORT_BODY_MAX},
    {"POST", "/client-statistics", handle_client, REPORT_BODY_MAX},
    {0},
};

const struct http_route *const statistics_tables[] = {service_routes, routes, NULL};
