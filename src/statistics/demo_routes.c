#include "demo_routes.h"

#include <stdio.h>

#include "demo_desk.h"
#include "http/exchange.h"
#include "service/json_reply.h"
#include "statistics/demo.h"
#include "statistics/statistics.h"

static bool guard_page(struct http_request *r, void *arg, struct http_refusal *refusal) {
    return demo_desk_trusts(statistics_desk(arg), r) ||
           http_refuse(refusal, 403, "forbidden",
                       "Only the dashboard of this server may do that, opened by its address or as "
                       "localhost, from an address in --internal-from and not through a proxy.");
}

static bool guard_kill(struct http_request *r, void *arg, struct http_refusal *refusal) {
    if (!guard_page(r, arg, refusal)) return false;
    return demo_desk_has_token(statistics_desk(arg), r) ||
           http_refuse(refusal, 403, "forbidden", "This needs the token of GET /demo, as a bearer token.");
}

static void handle_demo(struct http_exchange *x, void *arg) {
    const struct demo_desk *d = statistics_desk(arg);
    char body[128];
    int len = snprintf(body, sizeof body, "{\"token\":\"%s\",\"restartMs\":%d}\n", demo_desk_token(d),
                       demo_desk_demo(d)->restart_ms);
    http_reply(x, &(struct http_reply){.status = 200,
                                       .body = body,
                                       .body_len = (size_t)len,
                                       .headers = "Cross-Origin-Resource-Policy: same-origin\r\n"});
}

static void handle_kill(struct http_exchange *x, void *arg) {
    const struct statistics_demo *demo = demo_desk_demo(statistics_desk(arg));
    const char *reader = http_request_param(x->request, 0);
    switch (demo->kill(demo->arg, reader)) {
    case DEMO_KILLED:
        reply_json(
            x, 202,
            json_pack("{s:b, s:s, s:i}", "success", 1, "instanceId", reader, "restartMs", demo->restart_ms));
        return;
    case DEMO_DOWN:
        http_reply_error(x, 409, "already_down", "This reader is down already, and will be started again.");
        return;
    case DEMO_UNKNOWN: break;
    }
    http_reply_error(x, 404, "unknown_reader", "There is no reader of this name.");
}

const struct http_route demo_routes[] = {
    {"GET", "/demo", .handle = handle_demo, .guard = guard_page, .exact_path = true},
    {"POST", "/demo/readers/:instanceId/kill", .handle = handle_kill, .guard = guard_kill,
     .exact_path = true},
    {0},
};
