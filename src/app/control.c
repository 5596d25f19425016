#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "http/exchange.h"
#include "http/server.h"
#include "placement/orders_topic.h"
#include "placement/placement.h"
#include "placement/reader_set.h"
#include "placement/readers.h"
#include "placement/rebalance.h"
#include "reader/crowd.h"
#include "runtime.h"
#include "service/fields.h"
#include "service/json_reply.h"

enum {
    TIMEOUT_MS = 5000,
    CONNECTIONS_MAX = 16,
    WATCH_MS = 1000,
    ROUND_MS = 5000, // between two plans that are carried out
    ANSWERS_MS = 500 // for readers to list their videos
};

// A round: readers are asked for their coldest videos, and then there is a plan, for those who wait.
struct round {
    bool running;
    struct loop_timer over;
    json_t *lists;                  // by reader URL: viewers by video
    struct http_exchange *exchange; // wants to see the plan; NULL: none
    bool applies;
    int64_t next_ms;
};

struct control {
    const struct runtime *runtime;
    struct http_server *server;
    struct http_mount mounts[2];
    char topic[48]; // for answers of readers
    struct engine_listener *answers;
    struct loop_timer watch;
    struct rebalance_pace pace;
    bool applies, closing;
    uint64_t moved; // viewers of videos that were moved
    struct round round;
};

static const struct readers *readers_of(const struct control *c) {
    return placement_readers(c->runtime->placement);
}

static struct loop *loop_of(const struct control *c) {
    return c->runtime->loop;
}

// Readers

static const char *state_of(const struct reader_row *row) {
    if (row->state != READER_LIVE) return row->given_up ? "stopped" : "gone";
    return row->load.draining ? "draining" : reader_load_is_full(&row->load, row->viewers) ? "full" : "live";
}

static bool may_take(const struct reader_row *row) {
    return row->state == READER_LIVE && !row->load.draining && !reader_load_is_full(&row->load, row->viewers);
}

static const struct reader_row *find_reader(const struct control *c, const char *name) {
    const struct readers *r = readers_of(c);
    const struct reader_row *found = readers_find(r, name);
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        bool named = row->instance_id && !strcmp(row->instance_id, name);
        if (named && (!found || row->state == READER_LIVE)) found = row;
    }
    return found;
}

static const struct reader_row *emptiest_but(const struct control *c, const char *url) {
    const struct readers *r = readers_of(c);
    const struct reader_row *best = NULL;
    for (size_t i = 0; i < r->count; i++) {
        const struct reader_row *row = &r->rows[i];
        if (!may_take(row) || !strcmp(row->reader_url, url)) continue;
        if (!best || row->viewers < best->viewers) best = row;
    }
    return best;
}

static void order(const struct control *c, const char *reader_url, const char *text) {
    char topic[ENGINE_TOPIC_MAX + 1];
    struct engine *e = c->runtime->engine;
    orders_topic(topic, reader_url);
    e->ops->notify(e, topic, text, strlen(text));
}

// Status

static json_t *row_json(const struct reader_row *row) {
    return json_pack("{s:s*, s:s, s:s, s:I, s:I, s:I}", "instanceId", row->instance_id, "readerUrl",
                     row->reader_url, "state", state_of(row), "viewers", (json_int_t)row->viewers, "connects",
                     (json_int_t)row->load.connects, "maxViewers", (json_int_t)row->load.most);
}

static size_t balanced_readers(const struct control *c, struct rebalance_reader *list) {
    const struct readers *r = readers_of(c);
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].state == READER_LIVE && r->rows[i].leased && !r->rows[i].load.draining)
            list[count++] =
                (struct rebalance_reader){r->rows[i].reader_url, r->rows[i].viewers, r->rows[i].load.most};
    return count;
}

static uint64_t spread_of(const struct control *c, uint64_t *viewers) {
    struct rebalance_reader *list = mem_alloc((readers_of(c)->count + 1) * sizeof *list);
    size_t count = balanced_readers(c, list);
    uint64_t spread = rebalance_spread(list, count);
    *viewers = 0;
    for (size_t i = 0; i < count; i++) *viewers += list[i].viewers;
    free(list);
    return spread;
}

static void handle_status(struct http_exchange *x, void *arg) {
    const struct control *c = arg;
    const struct readers *r = readers_of(c);
    uint64_t viewers;
    uint64_t spread = spread_of(c, &viewers);
    json_t *rows = json_array();
    for (size_t i = 0; i < r->count; i++) json_array_append_new(rows, row_json(&r->rows[i]));
    reply_json(x, 200,
               json_pack("{s:o, s:I, s:b, s:I}", "readers", rows, "maxOfMeanPercent", (json_int_t)spread,
                         "rebalancing", c->applies, "moved", (json_int_t)c->moved));
}

// Drains

static const struct reader_row *asked_reader(struct http_exchange *x, const struct control *c) {
    const char *name = http_request_query(x->request, "reader");
    const struct reader_row *row = name ? find_reader(c, name) : NULL;
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
    if (!emptiest_but(c, row->reader_url)) {
        http_reply_error(x, 409, "no_other_reader", "There is no other reader that could take its viewers.");
        return;
    }
    order(c, row->reader_url, "drain");
    reply_row(x, row);
}

static void handle_stay(struct http_exchange *x, void *arg) {
    const struct control *c = arg;
    const struct reader_row *row = asked_reader(x, c);
    if (!row) return;
    order(c, row->reader_url, "stay");
    reply_row(x, row);
}

// Moves

struct video_move {
    struct control *control;
    struct http_exchange *exchange; // NULL: of a rebalance
    char from[ENGINE_URL_MAX + 1], to[ENGINE_URL_MAX + 1];
    char video[ID_MAX + 1];
};

static void move_reply(const struct video_move *m) {
    if (m->exchange)
        reply_json(m->exchange, 200,
                   json_pack("{s:s, s:s, s:s}", "videoid", m->video, "from", m->from, "to", m->to));
}

static void move_refuse(const struct video_move *m, int status, const char *code, const char *sentence) {
    if (m->exchange) http_reply_error(m->exchange, status, code, sentence);
}

// The old reader lets the viewers go as fast as the new one can take them on.
static void on_reassigned(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct video_move *m = arg;
    const struct control *c = m->control;
    if (status == ENGINE_OK && changed) {
        char text[ID_MAX + 64];
        const struct reader_row *to = c->closing ? NULL : readers_find(readers_of(c), reader_url);
        int64_t connects = to && to->load.connects ? (int64_t)to->load.connects : CROWD_CONNECTS_UNKNOWN;
        snprintf(text, sizeof text, "move %" PRId64 " %s", crowd_pace(connects), m->video);
        if (!c->closing) order(c, m->from, text);
        log_info("placement", "moved", "video=%s reader=%s from=%s", m->video, m->to, m->from);
        move_reply(m);
    } else if (status == ENGINE_OK || status == ENGINE_NOT_FOUND) {
        move_refuse(m, 409, "moved_meanwhile", "The video has been moved meanwhile; try again.");
    } else {
        move_refuse(m, 503, "store_unavailable", "The store does not answer; try again soon.");
    }
    free(m);
}

static void move_make(struct video_move *m) {
    struct engine *e = m->control->runtime->engine;
    e->ops->reassign(e, m->video, m->from, m->to, on_reassigned, m);
}

static void on_move_found(void *arg, enum engine_status status, const char *reader_url, bool changed) {
    struct video_move *m = arg;
    (void)changed;
    if (status == ENGINE_OK && !m->to[0]) {
        const struct reader_row *to = m->control->closing ? NULL : emptiest_but(m->control, reader_url);
        if (to) snprintf(m->to, sizeof m->to, "%s", to->reader_url);
    }
    if (status == ENGINE_OK && m->to[0] && strcmp(m->to, reader_url) != 0) {
        snprintf(m->from, sizeof m->from, "%s", reader_url);
        move_make(m);
        return;
    }
    if (status == ENGINE_NOT_FOUND)
        move_refuse(m, 404, "unknown_video", "No reader has this video.");
    else if (status != ENGINE_OK)
        move_refuse(m, 503, "store_unavailable", "The store does not answer; try again soon.");
    else if (!m->to[0])
        move_refuse(m, 409, "no_other_reader", "There is no other reader that could take its viewers.");
    else
        move_refuse(m, 409, "already_there", "The reader has this video already.");
    free(m);
}

// A set has its own way to even out its readers.
static void on_move_set(void *arg, enum engine_status status, const struct engine_set *found) {
    struct video_move *m = arg;
    struct engine *e = m->control->runtime->engine;
    struct reader_set *set = status == ENGINE_OK ? reader_set_read(found) : NULL;
    bool has_several = set && set->count > 1;
    reader_set_unref(set);
    if (has_several) {
        move_refuse(m, 409, "in_a_set", "The video is hot: it has several readers, which share its viewers.");
        free(m);
        return;
    }
    e->ops->lookup(e, m->video, on_move_found, m);
}

static void handle_move(struct http_exchange *x, void *arg) {
    struct control *c = arg;
    const char *video, *name = http_request_query(x->request, "reader");
    const struct reader_row *to = NULL;
    if (!query_id(x, "videoid", &video)) return;
    if (name && !(to = asked_reader(x, c))) return;
    if (to && !may_take(to)) {
        http_reply_error(x, 409, "reader_full",
                         "This reader is draining, or has as many viewers as it may have.");
        return;
    }
    struct video_move *m = mem_zalloc(sizeof *m);
    m->control = c;
    m->exchange = x;
    snprintf(m->video, sizeof m->video, "%s", video);
    if (to) snprintf(m->to, sizeof m->to, "%s", to->reader_url);
    struct engine *e = c->runtime->engine;
    e->ops->set_read(e, m->video, on_move_set, m);
}

// Plans

static void on_list(void *arg, const char *body, size_t len) {
    struct control *c = arg;
    json_t *list = c->round.running ? json_loadb(body, len, 0, NULL) : NULL;
    const char *reader = json_string_value(json_object_get(list, "reader"));
    json_t *videos = json_object_get(list, "videos");
    if (reader && json_is_object(videos)) json_object_set(c->round.lists, reader, videos);
    json_decref(list);
}

static size_t videos_of(const struct control *c, const struct rebalance_reader *readers, size_t count,
                        struct rebalance_video **videos) {
    size_t room = 1, found = 0;
    const char *reader, *video;
    json_t *list, *viewers;
    json_object_foreach(c->round.lists, reader, list) room += json_object_size(list);
    *videos = mem_alloc(room * sizeof **videos);
    for (size_t i = 0; i < count; i++) {
        list = json_object_get(c->round.lists, readers[i].url);
        json_object_foreach(list, video, viewers) {
            json_int_t n = json_integer_value(viewers);
            if (id_is_valid(video, strlen(video)) && n > 0)
                (*videos)[found++] = (struct rebalance_video){video, i, (uint64_t)n};
        }
    }
    return found;
}

static void apply_move(struct control *c, const struct rebalance_reader *readers,
                       const struct rebalance_move *move) {
    struct video_move *m = mem_zalloc(sizeof *m);
    m->control = c;
    snprintf(m->video, sizeof m->video, "%s", move->video->video);
    snprintf(m->from, sizeof m->from, "%s", readers[move->video->reader].url);
    snprintf(m->to, sizeof m->to, "%s", readers[move->to].url);
    c->moved += move->video->viewers;
    c->pace.viewers -= (double)move->video->viewers;
    move_make(m);
}

static json_t *plan_json(const struct rebalance_reader *readers, const struct rebalance_move *moves,
                         size_t count) {
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:s, s:s}", "videoid", moves[i].video->video, "viewers",
                                        (json_int_t)moves[i].video->viewers, "from",
                                        readers[moves[i].video->reader].url, "to", readers[moves[i].to].url));
    return list;
}

static void on_round_over(struct loop_timer *t) {
    struct control *c = container_of(t, struct control, round.over);
    struct round *r = &c->round;
    struct rebalance_reader *readers = mem_alloc((readers_of(c)->count + 1) * sizeof *readers);
    struct rebalance_video *videos;
    size_t count = balanced_readers(c, readers), video_count = videos_of(c, readers, count, &videos);
    struct rebalance_move *moves = mem_alloc((video_count + 1) * sizeof *moves);
    uint64_t budget = r->applies ? (uint64_t)c->pace.viewers : UINT64_MAX;
    size_t planned = rebalance_plan(readers, count, videos, video_count, budget, moves);
    for (size_t i = 0; i < planned && r->applies; i++) apply_move(c, readers, &moves[i]);
    if (r->exchange)
        reply_json(r->exchange, 200,
                   json_pack("{s:I, s:o}", "maxOfMeanPercent", (json_int_t)rebalance_spread(readers, count),
                             "moves", plan_json(readers, moves, planned)));
    free(moves);
    free(videos);
    free(readers);
    json_decref(r->lists);
    *r = (struct round){.over.on_due = on_round_over, .next_ms = r->next_ms};
}

static void round_begin(struct control *c, struct http_exchange *x, bool applies) {
    struct round *r = &c->round;
    struct rebalance_reader *readers = mem_alloc((readers_of(c)->count + 1) * sizeof *readers);
    size_t count = balanced_readers(c, readers);
    r->running = true;
    r->lists = json_object();
    r->exchange = x;
    r->applies = applies;
    r->next_ms = loop_now_ms(loop_of(c)) + ROUND_MS;
    for (size_t i = 0; i < count; i++) {
        char text[96];
        uint64_t surplus = rebalance_surplus(readers, count, i);
        snprintf(text, sizeof text, "list %" PRIu64 " %s", surplus, c->topic);
        if (surplus) order(c, readers[i].url, text);
    }
    free(readers);
    loop_timer_start(loop_of(c), &r->over, ANSWERS_MS);
}

static void handle_plan(struct http_exchange *x, void *arg) {
    struct control *c = arg;
    if (c->round.running)
        reply_unavailable(x, "overloaded", "A plan is being made; try again soon.");
    else
        round_begin(c, x, false);
}

static void on_watch(struct loop_timer *t) {
    struct control *c = container_of(t, struct control, watch);
    int64_t now_ms = loop_now_ms(loop_of(c));
    uint64_t viewers, spread = spread_of(c, &viewers);
    bool due = rebalance_watch(&c->pace, spread, viewers, now_ms);
    if (c->applies && due && !c->round.running && now_ms >= c->round.next_ms) round_begin(c, NULL, true);
    loop_timer_start(loop_of(c), t, WATCH_MS);
}

static void control_apply(struct http_exchange *x, struct control *c, bool applies) {
    c->applies = applies;
    log_info("placement", applies ? "rebalancing" : "rebalancing_stopped", NULL);
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
    c->runtime = r;
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
    snprintf(c->topic, sizeof c->topic, "control:%016" PRIx64, hash_random());
    c->answers = r->engine->ops->listen(r->engine, c->topic, on_list, c);
    c->round.over.on_due = on_round_over;
    c->watch.on_due = on_watch;
    loop_timer_start(r->loop, &c->watch, WATCH_MS);
    http_server_start(c->server);
    return c;
}

void control_stop(struct control *c) {
    if (!c) return;
    c->closing = true;
    loop_timer_stop(loop_of(c), &c->watch);
    loop_timer_stop(loop_of(c), &c->round.over);
    if (c->round.exchange) http_abort(c->round.exchange);
    json_decref(c->round.lists);
    c->runtime->engine->ops->unlisten(c->runtime->engine, c->answers);
    http_server_free(c->server);
}

void control_free(struct control *c) {
    free(c);
}
