#include "scheduler.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "net/address.h"

struct http_lane {
    uint32_t address;
    bool is_fresh;             // in that list, so it has a queue; otherwise in the rotation
    struct http_task *waiting; // oldest first
    struct http_lane *prev, *next;
    struct http_lane *next_in_bucket;
};

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

uint32_t http_scheduler_lane(const union address *peer) {
    const uint8_t *v4 = peer->any.sa_family == AF_INET ? (const uint8_t *)&peer->v4.sin_addr
                                                       : address_embedded_v4(&peer->v6.sin6_addr);
    return (uint32_t)(v4 ? hash_bytes(v4, 4) : hash_bytes(peer->v6.sin6_addr.s6_addr, 8));
}

// Lanes

static struct http_lane *scheduler_find_lane(const struct http_scheduler *t, uint32_t address) {
    struct http_lane *lane = t->lanes[address % HTTP_LANE_BUCKETS];
    while (lane && lane->address != address) lane = lane->next_in_bucket;
    return lane;
}

static struct http_lane *scheduler_add_lane(struct http_scheduler *t, uint32_t address, bool is_fresh) {
    struct http_lane *lane = mem_zalloc(sizeof *lane);
    lane->address = address;
    lane->is_fresh = is_fresh;
    LL_PREPEND2(t->lanes[address % HTTP_LANE_BUCKETS], lane, next_in_bucket);
    if (is_fresh)
        DL_APPEND(t->fresh, lane);
    else
        DL_APPEND(t->rotation, lane);
    return lane;
}

static void scheduler_remove_lane(struct http_scheduler *t, struct http_lane **list, struct http_lane *lane) {
    DL_DELETE(*list, lane);
    LL_DELETE2(t->lanes[lane->address % HTTP_LANE_BUCKETS], lane, next_in_bucket);
    free(lane);
}

static void scheduler_enqueue(struct http_scheduler *t, struct http_task *c, bool is_fresh) {
    struct http_lane *lane = scheduler_find_lane(t, c->lane);
    if (!lane) lane = scheduler_add_lane(t, c->lane, is_fresh);
    DL_APPEND(lane->waiting, c);
    c->waits = true;
    scheduler_request_turn(t);
}

bool http_scheduler_is_backlogged(const struct http_scheduler *t, const struct http_task *c) {
    return c->waits && !scheduler_find_lane(t, c->lane)->is_fresh;
}

static void scheduler_take(struct http_lane *lane, struct http_task *c) {
    DL_DELETE(lane->waiting, c);
    c->waits = false;
}

void http_scheduler_leave(struct http_scheduler *t, struct http_task *c) {
    if (!c->waits) return;
    struct http_lane *lane = scheduler_find_lane(t, c->lane);
    scheduler_take(lane, c);
    if (!lane->waiting && lane->is_fresh) scheduler_remove_lane(t, &t->fresh, lane);
}

// Serving

static int64_t scheduler_serve(struct http_scheduler *t, struct http_task *c, int64_t quantum) {
    c->quantum = quantum;
    int64_t cost = t->serve(c);
    if (c->more) scheduler_enqueue(t, c, false);
    return cost;
}

static bool scheduler_may_serve_at_once(struct http_scheduler *t, uint32_t lane) {
    if (t->turn != loop_turn(t->loop)) {
        t->turn = loop_turn(t->loop);
        t->left = HTTP_READY_QUOTA;
    }
    return t->left > 0 && !scheduler_find_lane(t, lane);
}

// Where others wait, that was its turn: it goes to the end of the rotation.
static void scheduler_serve_at_once(struct http_scheduler *t, struct http_task *c) {
    bool others_wait = t->fresh || t->rotation;
    t->left -= scheduler_serve(t, c, others_wait && !c->eager ? HTTP_FIRST_COST : HTTP_TASK_COST);
    others_wait = t->fresh || t->rotation;
    if (others_wait && !scheduler_find_lane(t, c->lane)) scheduler_add_lane(t, c->lane, false);
}

void http_scheduler_ready(struct http_scheduler *t, struct http_task *c) {
    if (c->waits) return;
    if (c->eager || scheduler_may_serve_at_once(t, c->lane))
        scheduler_serve_at_once(t, c);
    else
        scheduler_enqueue(t, c, true);
}

bool http_scheduler_move(struct http_scheduler *t, struct http_task *c, uint32_t lane) {
    c->lane = lane;
    return scheduler_may_serve_at_once(t, lane);
}

void http_scheduler_queue(struct http_scheduler *t, struct http_task *c) {
    if (!c->waits) scheduler_enqueue(t, c, true);
}

// Returns the lane whose turn it is, at the end of the rotation, or NULL if no connection waits. Lanes that
// have nothing to do when their turn has come are removed.
static struct http_lane *scheduler_next_lane(struct http_scheduler *t, int64_t *quantum) {
    while (t->rotation && !t->rotation->waiting) scheduler_remove_lane(t, &t->rotation, t->rotation);
    bool fresh_goes = t->fresh && (!t->rotation || t->fresh_went < HTTP_FRESH_MOST);
    t->fresh_went = fresh_goes ? t->fresh_went + 1 : 0;
    *quantum = fresh_goes ? HTTP_FIRST_COST : HTTP_TASK_COST;
    struct http_lane **list = fresh_goes ? &t->fresh : &t->rotation, *lane = *list;
    if (!lane) return NULL;
    DL_DELETE(*list, lane);
    lane->is_fresh = false;
    DL_APPEND(t->rotation, lane);
    return lane;
}

// Serves the first connection of each lane, lane after lane. One with more to do goes to the end of its lane.
static void scheduler_on_turn(struct loop_job *job) {
    struct http_scheduler *t = container_of(job, struct http_scheduler, job);
    struct http_lane *lane;
    t->scheduled = false;
    for (int64_t left = HTTP_WAITING_QUOTA; left > 0; left -= HTTP_READ_COST) {
        int64_t quantum;
        if (!(lane = scheduler_next_lane(t, &quantum))) break;
        struct http_task *c = lane->waiting;
        scheduler_take(lane, c);
        left -= scheduler_serve(t, c, quantum);
    }
    if (t->fresh || t->rotation)
        scheduler_request_turn(t);
    else if (t->on_idle && !t->scheduled)
        t->on_idle(t);
}
