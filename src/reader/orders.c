#include "orders.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/id.h"
#include "base/mem.h"
#include "placement/orders_topic.h"
#include "coldest.h"
#include "drain.h"
#include "moves.h"
#include "reader_core.h"
#include "watched.h"

enum {
    ORDER_MAX = ENGINE_TOPIC_MAX + ENGINE_VIDEO_MAX + 64,
    LIST_BYTES = ENGINE_MESSAGE_MAX - ENGINE_VIDEO_MAX - 64
};

static void order_move(struct reader *r, const char *order) {
    char *video;
    double per_second = strtod(order, &video);
    if (*video == ' ' && per_second >= 0 && per_second < 1e9)
        moves_start(r, video + 1, MOVES_ALL, per_second);
}

// Videos of this reader alone, whose viewers are redirected: those that are served anywhere would come back.
static void list_movable(const struct reader *r, struct coldest *list) {
    for (const struct watched *w = watched_next(r, NULL); w; w = watched_next(r, w)) {
        unsigned viewers = broadcast_viewers(&w->broadcast);
        if (w->is_rechecked && !w->move && !w->was_in_set && viewers) coldest_add(list, w->video, viewers);
    }
    coldest_sort(list);
}

static void order_list(const struct reader *r, const char *order) {
    char *topic;
    uint64_t wanted = strtoull(order, &topic, 10), sum = 0;
    if (*topic++ != ' ') return;
    struct coldest *list = mem_zalloc(sizeof *list);
    struct buf b = {0};
    list_movable(r, list);
    buf_printf(&b, "{\"reader\":\"%s\",\"videos\":{", r->config.reader_url);
    for (size_t i = 0; i < list->count && sum < wanted && b.len < LIST_BYTES; i++) {
        const struct cold_video *v = &list->videos[i];
        buf_printf(&b, "%s\"%s\":%u", i ? "," : "", v->video, v->viewers);
        sum += v->viewers;
    }
    buf_add_string(&b, "}}");
    r->service.engine->ops->notify(r->service.engine, topic, b.data, b.len);
    buf_release(&b);
    free(list);
}

static const char *after(const char *order, const char *verb) {
    size_t len = strlen(verb);
    return !strncmp(order, verb, len) && order[len] == ' ' ? order + len + 1 : NULL;
}

static void on_order(void *arg, const char *body, size_t len) {
    struct reader *r = arg;
    char order[ORDER_MAX + 1];
    const char *rest;
    if (len > ORDER_MAX) return;
    memcpy(order, body, len);
    order[len] = 0;
    if (!strcmp(order, "drain") || !strcmp(order, "stay"))
        drain_set(r, order[0] == 'd');
    else if ((rest = after(order, "move")))
        order_move(r, rest);
    else if ((rest = after(order, "list")))
        order_list(r, rest);
}

void orders_start(struct reader *r) {
    char topic[ENGINE_TOPIC_MAX + 1];
    orders_topic(topic, r->config.reader_url);
    r->orders = r->service.engine->ops->listen(r->service.engine, topic, on_order, r);
}

void orders_stop(struct reader *r) {
    if (r->orders) r->service.engine->ops->unlisten(r->service.engine, r->orders);
    r->orders = NULL;
}
