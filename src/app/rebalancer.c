#include "rebalancer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/log.h"
#include "base/mem.h"
#include "fleet.h"
#include "http/exchange.h"
#include "placement/placement.h"
#include "placement/readers.h"
#include "runtime.h"
#include "service/json_reply.h"
#include "video_move.h"

enum {
    WATCH_MS = 1000,
    ROUND_MS = 5000, // between two plans that are carried out
    ANSWERS_MS = 500 // for readers to list their videos
};

static const struct readers *readers_of(const struct rebalancer *b) {
    return placement_readers(b->mover->runtime->placement);
}

static struct loop *loop_of(const struct rebalancer *b) {
    return b->mover->runtime->loop;
}

static size_t balanced_readers(const struct rebalancer *b, struct rebalance_reader *list) {
    const struct readers *r = readers_of(b);
    size_t count = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].state == READER_LIVE && r->rows[i].leased && !r->rows[i].load.draining)
            list[count++] =
                (struct rebalance_reader){r->rows[i].reader_url, r->rows[i].viewers, r->rows[i].load.most};
    return count;
}

static uint64_t spread_of(const struct rebalancer *b, uint64_t *viewers) {
    struct rebalance_reader *list = mem_alloc((readers_of(b)->count + 1) * sizeof *list);
    size_t count = balanced_readers(b, list);
    uint64_t spread = rebalance_spread(list, count);
    *viewers = 0;
    for (size_t i = 0; i < count; i++) *viewers += list[i].viewers;
    free(list);
    return spread;
}

uint64_t rebalancer_spread(const struct rebalancer *b) {
    uint64_t viewers;
    return spread_of(b, &viewers);
}

// Rounds

static void on_list(void *arg, const char *body, size_t len) {
    struct rebalancer *b = arg;
    json_t *list = b->round.running ? json_loadb(body, len, 0, NULL) : NULL;
    const char *reader = json_string_value(json_object_get(list, "reader"));
    json_t *videos = json_object_get(list, "videos");
    if (reader && json_is_object(videos)) json_object_set(b->round.lists, reader, videos);
    json_decref(list);
}

static size_t videos_of(const struct rebalancer *b, const struct rebalance_reader *readers, size_t count,
                        struct rebalance_video **videos) {
    size_t room = 1, found = 0;
    const char *reader, *video;
    json_t *list, *viewers;
    json_object_foreach(b->round.lists, reader, list) room += json_object_size(list);
    *videos = mem_alloc(room * sizeof **videos);
    for (size_t i = 0; i < count; i++) {
        list = json_object_get(b->round.lists, readers[i].url);
        json_object_foreach(list, video, viewers) {
            json_int_t n = json_integer_value(viewers);
            if (id_is_valid(video, strlen(video)) && n > 0)
                (*videos)[found++] = (struct rebalance_video){video, i, (uint64_t)n};
        }
    }
    return found;
}

static void apply_move(struct rebalancer *b, const struct rebalance_reader *readers,
                       const struct rebalance_move *move) {
    const struct rebalance_video *video = move->video;
    mover_move(b->mover, video->video, readers[video->reader].url, readers[move->to].url);
    b->moved += video->viewers;
    b->pace.viewers -= (double)video->viewers;
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
    struct rebalancer *b = container_of(t, struct rebalancer, round.over);
    struct rebalancer_round *r = &b->round;
    struct rebalance_reader *readers = mem_alloc((readers_of(b)->count + 1) * sizeof *readers);
    struct rebalance_video *videos;
    size_t count = balanced_readers(b, readers), video_count = videos_of(b, readers, count, &videos);
    struct rebalance_move *moves = mem_alloc((video_count + 1) * sizeof *moves);
    uint64_t budget = r->applies ? (uint64_t)b->pace.viewers : UINT64_MAX;
    size_t planned = rebalance_plan(readers, count, videos, video_count, budget, moves);
    for (size_t i = 0; i < planned && r->applies; i++) apply_move(b, readers, &moves[i]);
    if (r->exchange)
        reply_json(r->exchange, 200,
                   json_pack("{s:I, s:o}", "maxOfMeanPercent", (json_int_t)rebalance_spread(readers, count),
                             "moves", plan_json(readers, moves, planned)));
    free(moves);
    free(videos);
    free(readers);
    json_decref(r->lists);
    *r = (struct rebalancer_round){.over.on_due = on_round_over, .next_ms = r->next_ms};
}

static void round_begin(struct rebalancer *b, struct http_exchange *x, bool applies) {
    struct rebalancer_round *r = &b->round;
    struct rebalance_reader *readers = mem_alloc((readers_of(b)->count + 1) * sizeof *readers);
    size_t count = balanced_readers(b, readers);
    r->running = true;
    r->lists = json_object();
    r->exchange = x;
    r->applies = applies;
    r->next_ms = loop_now_ms(loop_of(b)) + ROUND_MS;
    for (size_t i = 0; i < count; i++) {
        char text[96];
        uint64_t surplus = rebalance_surplus(readers, count, i);
        snprintf(text, sizeof text, "list %" PRIu64 " %s", surplus, b->topic);
        if (surplus) fleet_order(b->mover->runtime->engine, readers[i].url, text);
    }
    free(readers);
    loop_timer_start(loop_of(b), &r->over, ANSWERS_MS);
}

void rebalancer_answer_plan(struct rebalancer *b, struct http_exchange *x) {
    if (b->round.running)
        reply_unavailable(x, "overloaded", "A plan is being made; try again soon.");
    else
        round_begin(b, x, false);
}

void rebalancer_apply(struct rebalancer *b, bool applies) {
    b->applies = applies;
    log_info("placement", applies ? "rebalancing" : "rebalancing_stopped", NULL);
}

static void on_watch(struct loop_timer *t) {
    struct rebalancer *b = container_of(t, struct rebalancer, watch);
    int64_t now_ms = loop_now_ms(loop_of(b));
    uint64_t viewers, spread = spread_of(b, &viewers);
    bool due = rebalance_watch(&b->pace, spread, viewers, now_ms);
    if (b->applies && due && !b->round.running && now_ms >= b->round.next_ms) round_begin(b, NULL, true);
    loop_timer_start(loop_of(b), t, WATCH_MS);
}

// Life

void rebalancer_start(struct rebalancer *b, const struct mover *mover) {
    struct engine *e = mover->runtime->engine;
    b->mover = mover;
    snprintf(b->topic, sizeof b->topic, "control:%016" PRIx64, hash_random());
    b->answers = e->ops->listen(e, b->topic, on_list, b);
    b->round.over.on_due = on_round_over;
    b->watch.on_due = on_watch;
    loop_timer_start(loop_of(b), &b->watch, WATCH_MS);
}

void rebalancer_stop(struct rebalancer *b) {
    struct engine *e = b->mover->runtime->engine;
    loop_timer_stop(loop_of(b), &b->watch);
    loop_timer_stop(loop_of(b), &b->round.over);
    if (b->round.exchange) http_abort(b->round.exchange);
    json_decref(b->round.lists);
    e->ops->unlisten(e, b->answers);
}
