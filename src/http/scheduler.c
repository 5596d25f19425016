#include "scheduler.h"

#include <netinet/in.h>
#include <stddef.h>

#include "base/container_of.h"
#include "base/uthash.h"
#include "net/address.h"

static void scheduler_on_turn(struct loop_job *);

void http_scheduler_init(struct http_scheduler *t, struct loop *loop, int64_t (*serve)(struct http_task *)) {
    *t = (struct http_scheduler){.loop = loop, .serve = serve, .job.run = scheduler_on_turn};
}

static void scheduler_request_turn(struct http_scheduler *t) {
    if (t->scheduled) return;
    t->scheduled = true;
    loop_next_turn(t->loop, &t->job);
}

void http_scheduler_stop(struct http_scheduler *t, void (*on_idle)(struct http_scheduler *)) {
    t->on_idle = on_idle;
    scheduler_request_turn(t);
}

uint8_t http_scheduler_lane(const union address *peer) {
    const uint8_t *v4 = peer->any.sa_family == AF_INET ? (const uint8_t *)&peer->v4.sin_addr
                                                       : address_embedded_v4(&peer->v6.sin6_addr);
    return (uint8_t)(v4 ? hash_bytes(v4, 4) : hash_bytes(peer->v6.sin6_addr.s6_addr, 8));
}

static void scheduler_enqueue(struct http_scheduler *t, struct http_task *c) {
    struct http_lane *lane = &t->lanes[c->lane];
    if (!lane->waiting) DL_APPEND(t->active, lane);
    DL_APPEND(lane->waiting, c);
    c->waits = true;
    scheduler_request_turn(t);
}

void http_scheduler_leave(struct http_scheduler *t, struct http_task *c) {
    if (!c->waits) return;
    struct http_lane *lane = &t->lanes[c->lane];
    DL_DELETE(lane->waiting, c);
    if (!lane->waiting) DL_DELETE(t->active, lane);
    c->waits = false;
}

static int64_t scheduler_serve(struct http_scheduler *t, struct http_task *c) {
    int64_t cost = t->serve(c);
    t->lanes[c->lane].left -= cost; // which it may have moved to
    if (c->more) scheduler_enqueue(t, c);
    return cost;
}

static bool scheduler_lane_is_free(struct http_scheduler *t, struct http_lane *lane) {
    if (lane->turn != loop_turn(t->loop)) {
        lane->turn = loop_turn(t->loop);
        lane->left = HTTP_LANE_QUOTA;
    }
    return !lane->waiting && lane->left > 0;
}

void http_scheduler_ready(struct http_scheduler *t, struct http_task *c) {
    if (c->waits) return;
    if (c->eager || scheduler_lane_is_free(t, &t->lanes[c->lane]))
        scheduler_serve(t, c);
    else
        scheduler_enqueue(t, c);
}

bool http_scheduler_move(struct http_scheduler *t, struct http_task *c, uint8_t lane) {
    c->lane = lane;
    return scheduler_lane_is_free(t, &t->lanes[lane]);
}

void http_scheduler_queue(struct http_scheduler *t, struct http_task *c) {
    if (!c->waits) scheduler_enqueue(t, c);
}

// Serves the first connection of each lane, lane after lane. One with more to do goes to the end of its lane.
static void scheduler_on_turn(struct loop_job *job) {
    struct http_scheduler *t = container_of(job, struct http_scheduler, job);
    t->scheduled = false;
    for (int64_t left = HTTP_WAITING_QUOTA; t->active && left > 0; left -= HTTP_READ_COST) {
        struct http_lane *lane = t->active;
        struct http_task *c = lane->waiting;
        DL_DELETE(t->active, lane); // to the end; http_scheduler_leave() removes it if that empties its queue
        DL_APPEND(t->active, lane);
        http_scheduler_leave(t, c);
        left -= scheduler_serve(t, c);
    }
    if (t->active)
        scheduler_request_turn(t);
    else if (t->on_idle && !t->scheduled)
        t->on_idle(t);
}
