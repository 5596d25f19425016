#include "control.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "fleet.h"
#include "http/exchange.h"
#include "http/server.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "rebalancer.h"
#include "runtime.h"
#include "service/fields.h"
#include "service/json_reply.h"
#include "video_move.h"

enum { TIMEOUT_MS = 5000, CONNECTIONS_MAX = 16 };

struct control {
    struct http_server *server;
    struct http_mount mounts[2];
    struct mover mover;
    struct rebalancer rebalancer;
};

static const struct readers *readers_of(const struct control *c) {
    return placement_readers(c->mover.runtime->placement);
}

// Status

static json_t *row_json(const struct reader_row *row) {
    return json_pack("{s:s*, s:s, s:s, s:I, s:I, s:I}", "instanceId", row->instance_id, "readerUrl",
                     row->reader_url, "state", fleet_state(row), "viewers", (json_int_t)row->viewers,
                     "connects", (json_int_t)row->load.connects, "maxViewers", (json_int_t)row->load.most);
}

static void handle_status(struct http_exchange *x, void *arg) {
    const struct control *c = arg;
    const struct readers *r = readers_of(c);
    const struct rebalancer *b = &c->rebalancer;
    json_t *rows = json_array();
    for (size_t i = 0; i < r->count; i++) json_array_append_new(rows, row_json(&r->rows[i]));
    reply_json(x, 200,
               json_pack("{s:o, s:I, s:b, s:I}", "readers", rows, "maxOfMeanPercent",
                         (json_int_t)rebalancer_spread(b), "rebalancing", b->applies, "moved",
                         (json_int_t)b->moved));
}

// Drains

static const struct reader_row *asked_reader(struct http_exchange *x, const struct control *c) {
    const char *name = http_request_query(x->request, "reader");
    const struct reader_row *row = name ? fleet_find(readers_of(c), name) : NULL;
    if (!name)
        http_reply_error(x, 400, "missing_field", "reader is required");
    else if (!row)
        http_reply_error(x, 404, "unknown_reader", "There is no reader of this name or address.");
    else if (row->state != READER_LIVE)
        http_reply_error(x, 409, "reader_gone", "This reader is not running.");
    else
        return row;
    return NULL;
}

static void reply_row(struct http_exchange *x, const struct reader_row *row) {
    reply_json(x, 200, row_json(row));
}

static void handle_drain(struct http_exchange *x, void *arg) {
    const struct control *c = arg;
    const struct reader_row *row = asked_reader(x, c);
    if (!row) return;
    if (!fleet_emptiest_but(readers_of(c), row->reader_url)) {
        http_reply_error(x, 409, "no_other_reader", "There is no other reader that could take its viewers.");
        return;
    }
    fleet_order(c->mover.runtime->engine, row->reader_url, "drain");
    reply_row(x, row);
}

static void handle_stay(struct http_exchange *x, void *arg) {
    const struct control *c = arg;
    const struct reader_row *row = asked_reader(x, c);
    if (!row) return;
    fleet_order(c->mover.runtime->engine, row->reader_url, "stay");
    reply_row(x, row);
}

// Moves

static void handle_move(struct http_exchange *x, void *arg) {
    const struct control *c = arg;
    const char *video, *name = http_request_query(x->request, "reader");
    const struct reader_row *to = NULL;
    if (!query_id(x, "videoid", &video)) return;
    if (name && !(to = asked_reader(x, c))) return;
    if (to && !fleet_may_take(to)) {
        http_reply_error(x, 409, "reader_full",
                         "This reader is draining, or has as many viewers as it may have.");
        return;
    }
    mover_answer(&c->mover, x, video, to ? to->reader_url : "");
}

static void handle_plan(struct http_exchange *x, void *arg) {
    struct control *c = arg;
    rebalancer_answer_plan(&c->rebalancer, x);
}

static void control_apply(struct http_exchange *x, struct control *c, bool applies) {
    rebalancer_apply(&c->rebalancer, applies);
    reply_json(x, 200, json_pack("{s:b}", "rebalancing", applies));
}

static void handle_apply(struct http_exchange *x, void *arg) {
    control_apply(x, arg, true);
}

static void handle_stop(struct http_exchange *x, void *arg) {
    control_apply(x, arg, false);
}

// Life

static const struct http_route control_routes[] = {
    {"GET", "/status", .handle = handle_status}, {"POST", "/drain", .handle = handle_drain},
    {"POST", "/stay", .handle = handle_stay},    {"POST", "/move", .handle = handle_move},
    {"GET", "/plan", .handle = handle_plan},     {"POST", "/apply", .handle = handle_apply},
    {"POST", "/stop", .handle = handle_stop},    {0}};
static const struct http_route *const control_tables[] = {control_routes, NULL};

struct control *control_start(const struct runtime *r, const char *path) {
    struct control *c = mem_zalloc(sizeof *c);
    char at[sizeof "unix:" + SETTINGS_PATH_MAX];
    int error = -ENAMETOOLONG;
    c->mover.runtime = r;
    c->mounts[0] = (struct http_mount){.tables = control_tables, .arg = c};
    snprintf(at, sizeof at, "unix:%s", path);
    c->server = http_server_new(r->loop,
                                &(struct http_server_config){.role = "control",
                                                             .header_timeout_ms = TIMEOUT_MS,
                                                             .body_timeout_ms = TIMEOUT_MS,
                                                             .idle_timeout_ms = TIMEOUT_MS,
                                                             .max_connections = CONNECTIONS_MAX,
                                                             .start_later = true,
                                                             .site = {.mounts = c->mounts}},
                                &error);
    if (c->server) error = http_server_listen(c->server, at, 0600, false);
    if (error) {
        log_warn("chorus", "no_control", "socket=%s error=\"%s\"", path, strerror(-error));
        http_server_free(c->server);
        free(c);
        return NULL;
    }
    rebalancer_start(&c->rebalancer, &c->mover);
    http_server_start(c->server);
    return c;
}

void control_stop(struct control *c) {
    if (!c) return;
    c->mover.closing = true;
    rebalancer_stop(&c->rebalancer);
    http_server_free(c->server);
}

void control_free(struct control *c) {
    free(c);
}
