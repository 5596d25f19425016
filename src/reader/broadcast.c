// A join request waits until the feed is live. What a viewer that reconnects has missed comes from the
// history, or else is read from the log (a backfill), after which the history holds it for the next ones.
//
// Memory for missed entries is reserved before they are read: a backfill reads only as many as there is
// memory for, and at most BACKFILLS_MAX run at a time. Without memory, history is dropped, viewers that do
// not read lose their backlogs (fanout_relieve), and the join request waits for that. When its patience is
// over, or the backfill has used more than its share, the viewer gets a gap and the newest entries. The
// reason of the gap is `slow`: the log still has the entries, but there is no memory to hold them until this
// viewer has read them.
#include "broadcast.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/log.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "base/container_of.h"
#include "net/loop.h"
#include "continuity.h"
#include "fanout/fanout.h"
#include "fanout/pending.h"

enum {
    BACKFILL_BATCH = 200, // entries per query
    BACKFILLS_MAX = 16,
    BACKFILL_FRAMES = 16,
    ENTRY_MAX = 5120, // bytes of an entry: a comment of 2,000 bytes, all of them escaped, and its members
    ENTRY_COST = 2 * ENTRY_MAX, // once in the engine's answer, once as a frame
    FREE_FRAMES = 16,           // frames that a viewer gets without a check for room
    ROOM_AGAIN_MS = 25,
    JOIN_COST = 512, // a waiting join request, with what its caller holds for it
    DELIVERED_LINES = 10,
    FEED_QUERIES_MAX = 1000
};

// Reads from the log what a viewer that reconnects has missed.
struct backfill {
    struct broadcast_env *env;
    struct broadcast *broadcast; // NULL once that is closed
    enum { BACKFILL_IN_LINE, BACKFILL_WITHOUT_ROOM, BACKFILL_READING } state;
    struct position from, at;
    struct position lost;    // entries up to here were read and dropped again for lack of room
    struct position feed_at; // the feed's position when the query was sent
    int64_t patience_ms;
    size_t reserved, bytes; // for the next answer; of the frames
    struct pending *frames;
    struct backfill *prev, *next; // in env->backfill_line, or in env->backfills
};

// Join requests that wait.
struct join_queue {
    struct broadcast *broadcast;
    struct join_request *requests;
    struct backfill *backfill; // one at a time
    struct join_queue *prev, *next;
};

// A broadcast without viewers.
struct idle_entry {
    struct broadcast *broadcast;
    int64_t since_ms;
    struct idle_entry *prev, *next;
};

static void join_queue_serve(struct broadcast *);

static int64_t broadcast_now_ms(const struct broadcast *b) {
    return loop_now_ms(b->env->loop);
}

// Returns the gap for entries after `at`, up to `to`, that cannot be held for a viewer.
static struct frame *gap_without_room(struct position at, struct position to) {
    return frame_of_gap((struct position){at.epoch, at.seq + 1}, to, GAP_SLOW);
}

// Returns whether this number of frames, which exist anyway, may be queued for one more viewer.
static bool broadcast_has_room_for(struct broadcast_env *env, uint64_t frames) {
    if (frames <= FREE_FRAMES || budget_backlog_room() >= frames * sizeof(struct frame *)) return true;
    fanout_relieve(env->fanout);
    return false;
}

// Waiting

static void join_queue_add(struct broadcast *b, struct join_request *j) {
    if (!b->queue) {
        b->queue = mem_zalloc(sizeof *b->queue);
        b->queue->broadcast = b;
        budget_take(sizeof *b->queue);
        DL_APPEND(b->env->queues, b->queue);
    }
    DL_APPEND(b->queue->requests, j);
    budget_take(JOIN_COST);
}

static void join_queue_remove(struct join_queue *q, struct join_request *j) {
    DL_DELETE(q->requests, j);
    budget_give_back(JOIN_COST);
}

static void join_queue_free_if_empty(struct broadcast *b) {
    struct join_queue *q = b->queue;
    if (!q || q->requests || q->backfill) return;
    DL_DELETE(b->env->queues, q);
    budget_give_back(sizeof *q);
    free(q);
    b->queue = NULL;
}

static void join_refuse(struct join_request *j, enum join_outcome outcome) {
    j->outcome = outcome;
    j->on_joined(j, j->broadcast, (struct position){0}, NULL);
}

// Backfill

static void backfill_emit(void *arg, struct frame *f) {
    struct backfill *fill = arg;
    fill->frames = pending_add(fill->frames, f);
    fill->bytes += f->len;
}

static uint32_t backfill_frames(const struct backfill *fill) {
    return fill->frames->count - fill->frames->next;
}

// Drops the older half of the frames.
static void backfill_drop_older(struct backfill *fill) {
    struct pending *p = fill->frames;
    for (uint32_t left = backfill_frames(fill) / 2; backfill_frames(fill) > left; p->next++) {
        struct frame *f = p->frames[p->next];
        if (position_is_set(f->at)) fill->lost = f->at;
        fill->bytes -= f->len;
        frame_unref(f);
    }
}

static bool backfill_is_overdue(const struct backfill *fill) {
    return fill->patience_ms <= loop_now_ms(fill->env->loop);
}

// A backfill's share of memory, beyond which it drops its oldest frames. This much is kept for the first
// backfill, so that they cannot all wait for each other.
static size_t backfill_share(void) {
    return budget_max() / 4;
}

static size_t backfill_room(const struct backfill *fill) {
    size_t room = budget_backlog_room(), kept = fill == fill->env->backfills ? 0 : backfill_share();
    return room > kept ? room - kept : 0;
}

// Reserves memory for the next answer. Returns the number of entries, 0 if there is no room.
static size_t backfill_reserve(struct backfill *fill) {
    history_budget_yield(fill->env->budget, backfill_share() / 2);
    for (;;) {
        size_t entries = (backfill_room(fill) / ENTRY_COST + 1) / 2; // leaves some to the others
        if (entries > BACKFILL_BATCH) entries = BACKFILL_BATCH;
        fill->reserved = entries * ENTRY_COST;
        budget_take(fill->reserved);
        if (entries) return entries;
        if (!backfill_frames(fill) || (!backfill_is_overdue(fill) && fill->bytes < backfill_share())) break;
        backfill_drop_older(fill);
    }
    fanout_relieve(fill->env->fanout);
    return 0;
}

static void on_backfill_range(void *, enum engine_status, const struct engine_range *);

static void backfill_read(struct backfill *fill) {
    const struct broadcast *b = fill->broadcast;
    size_t entries = backfill_reserve(fill);
    fill->state = entries ? BACKFILL_READING : BACKFILL_WITHOUT_ROOM;
    if (!entries) {
        if (!fill->env->room.slot) loop_timer_start(fill->env->loop, &fill->env->room, ROOM_AGAIN_MS);
        return;
    }
    fill->feed_at = feed_position(&b->feed);
    b->env->engine->ops->range(b->env->engine, b->feed.video, fill->at, entries, on_backfill_range, fill);
}

static void backfill_next(struct broadcast_env *env) {
    while (env->backfill_line && env->backfilling < BACKFILLS_MAX) {
        struct backfill *fill = env->backfill_line;
        DL_DELETE(env->backfill_line, fill);
        DL_APPEND(env->backfills, fill);
        env->backfilling++;
        backfill_read(fill);
    }
}

static void on_room_due(struct loop_timer *t) {
    struct broadcast_env *env = container_of(t, struct broadcast_env, room);
    struct backfill *fill;
    DL_FOREACH(env->backfills, fill) {
        if (fill->state == BACKFILL_WITHOUT_ROOM) backfill_read(fill);
    }
}

static void backfill_start(struct broadcast *b, const struct join_request *j) {
    struct backfill *fill = mem_zalloc(sizeof *fill);
    assert(b->queue);
    budget_take(sizeof *fill);
    fill->env = b->env;
    fill->broadcast = b;
    fill->from = fill->at = j->last;
    fill->patience_ms = j->patience_ms;
    fill->frames = pending_new(BACKFILL_FRAMES);
    b->queue->backfill = fill;
    DL_APPEND(b->env->backfill_line, fill);
    backfill_next(b->env);
}

static void backfill_free(struct backfill *fill) {
    struct broadcast_env *env = fill->env;
    if (fill->broadcast) {
        fill->broadcast->queue->backfill = NULL;
        join_queue_free_if_empty(fill->broadcast);
    }
    if (fill->state == BACKFILL_IN_LINE) {
        DL_DELETE(env->backfill_line, fill);
    } else {
        DL_DELETE(env->backfills, fill);
        env->backfilling--;
    }
    if (!env->backfills) loop_timer_stop(env->loop, &env->room);
    pending_free(fill->frames);
    budget_give_back(sizeof *fill);
    free(fill);
    backfill_next(env);
}

// The log may be ahead of the feed: drops the entries that the feed will publish. Returns whether the rest
// ends at the feed's position.
static bool backfill_cut_to(struct backfill *fill, struct position to) {
    struct pending *p = fill->frames;
    while (backfill_frames(fill) && position_compare(p->frames[p->count - 1]->at, to) > 0) {
        fill->bytes -= p->frames[--p->count]->len;
        frame_unref(p->frames[p->count]);
    }
    fill->at = backfill_frames(fill)         ? p->frames[p->count - 1]->at
               : position_is_set(fill->lost) ? fill->lost
                                             : fill->from;
    return position_compare(fill->at, to) == 0;
}

// Appends the frames of the history, up to the feed's position. Returns false if it does not cover them.
static bool backfill_from_history(struct broadcast *b, struct backfill *fill) {
    const struct history *h = &b->history;
    uint64_t first, end = history_end(h);
    if (!history_covers(h, fill->at, &first)) return false;
    for (uint64_t n = first; n < end; n++) backfill_emit(fill, frame_ref(history_at(h, n)));
    fill->at = feed_position(&b->feed);
    return true;
}

enum reach { REACHED, READ_ON, TRY_LATER };

// Makes the frames end exactly at the feed's position.
static enum reach backfill_reach_feed(struct broadcast *b, struct backfill *fill) {
    struct position feed_at = feed_position(&b->feed);
    if (position_compare(fill->at, feed_at) > 0) return backfill_cut_to(fill, feed_at) ? REACHED : TRY_LATER;
    if (position_compare(fill->at, feed_at) == 0 || backfill_from_history(b, fill)) return REACHED;
    if (position_compare(fill->at, fill->feed_at) >= 0) return READ_ON; // the log has more by now
    continuity_end(&fill->at, feed_at, backfill_emit, fill); // the store has lost what the feed has seen
    return REACHED;
}

static struct pending *pending_from_backfill(const struct backfill *fill) {
    struct pending *p = pending_new(backfill_frames(fill) + 1);
    if (position_is_set(fill->lost)) p = pending_add(p, gap_without_room(fill->from, fill->lost));
    for (uint32_t i = fill->frames->next; i < fill->frames->count; i++)
        p = pending_add(p, frame_ref(fill->frames->frames[i]));
    return p;
}

// Serves the requests that wait for exactly these frames, as the history may have no room for all of them.
// The frames were read for the first of these; there may be no memory for the others.
static void join_queue_serve_backfill(struct join_queue *queue, const struct backfill *fill) {
    struct join_request *j, *next;
    bool first = true;
    DL_FOREACH_SAFE(queue->requests, j, next) {
        if (position_compare(j->last, fill->from) != 0) continue;
        if (!first && !broadcast_has_room_for(fill->env, backfill_frames(fill))) return;
        first = false;
        join_queue_remove(queue, j);
        j->on_joined(j, fill->broadcast, fill->from, pending_from_backfill(fill));
    }
}

// Replaces the history by a backfill that reaches further back. (Clients may claim any position: what was
// read for one beyond the feed is not history.)
static void broadcast_keep_backfill(struct broadcast *b, const struct backfill *fill) {
    struct position at = history_from(&b->history);
    struct position from = position_is_set(fill->lost) ? fill->lost : fill->from;
    if (!position_is_set(at)) at = feed_position(&b->feed);
    if (position_compare(from, at) >= 0) return;
    history_reset(&b->history, b->env->budget, from, broadcast_now_ms(b));
    at = from;
    for (uint32_t i = fill->frames->next; i < fill->frames->count; i++) {
        struct frame *f = fill->frames->frames[i];
        history_push(&b->history, b->env->budget, at, f, broadcast_now_ms(b));
        if (position_is_set(f->at)) at = f->at;
    }
}

static void on_backfill_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct backfill *fill = arg;
    struct broadcast *b = fill->broadcast;
    if (b && status == ENGINE_OK) continuity_walk(&fill->at, r->entries, r->count, backfill_emit, fill);
    budget_give_back(fill->reserved);
    if (!b || status != ENGINE_OK) { // the requests try again with the next sweep, until their deadline
        backfill_free(fill);
        return;
    }
    if (!r->more) continuity_end(&fill->at, r->head, backfill_emit, fill);
    switch (r->more ? READ_ON : backfill_reach_feed(b, fill)) {
    case READ_ON: backfill_read(fill); return;
    case TRY_LATER: // with the next sweep, when the feed has caught up
        feed_check(&b->feed);
        backfill_free(fill);
        return;
    case REACHED: break;
    }
    join_queue_serve_backfill(b->queue, fill);
    broadcast_keep_backfill(b, fill);
    backfill_free(fill);
    join_queue_serve(b);
}

// Starts viewers whose patience is over with a gap for everything they missed. (Those that claim to have seen
// more than the feed wait for it.)
static void join_queue_give_gaps(struct broadcast *b) {
    struct position at = feed_position(&b->feed);
    struct join_request *j, *next;
    DL_FOREACH_SAFE(b->queue->requests, j, next) {
        if (j->patience_ms > broadcast_now_ms(b) || !position_is_set(j->last) ||
            position_compare(j->last, at) >= 0)
            continue;
        join_queue_remove(b->queue, j);
        j->on_joined(j, b, j->last, pending_add(pending_new(1), gap_without_room(j->last, at)));
    }
}

// Tries again to reserve memory, if the backfill has its turn.
static void backfill_retry(struct backfill *fill) {
    struct broadcast *b = fill->broadcast;
    if (fill->state == BACKFILL_WITHOUT_ROOM) backfill_read(fill);
    if (fill->state == BACKFILL_READING || !backfill_is_overdue(fill) || backfill_room(fill) >= ENTRY_COST)
        return;
    join_queue_give_gaps(b);
    backfill_free(fill);
    join_queue_serve(b);
}

// The position where a viewer starts, and the first frame of the history that it gets.
struct start {
    struct position at;
    uint64_t first;
};

static bool broadcast_find_start(const struct broadcast *b, const struct join_request *j,
                                 struct start *start) {
    struct position at = feed_position(&b->feed);
    if (!feed_is_live(&b->feed)) return false;
    if (!position_is_set(j->last) || position_compare(j->last, at) == 0) {
        *start = (struct start){at, history_end(&b->history)};
        return true;
    }
    start->at = j->last;
    return history_covers(&b->history, j->last, &start->first);
}

// Returns whether there is room for what it missed, or its patience is over and it gets a gap instead.
static bool broadcast_has_room(const struct broadcast *b, const struct join_request *j,
                               const struct start *start) {
    return broadcast_has_room_for(b->env, history_end(&b->history) - start->first) ||
           j->patience_ms <= broadcast_now_ms(b);
}

static void broadcast_start_join(struct broadcast *b, struct join_request *j, const struct start *start) {
    uint64_t end = history_end(&b->history);
    struct pending *p;
    if (broadcast_has_room_for(b->env, end - start->first)) {
        p = pending_new((uint32_t)(end - start->first));
        for (uint64_t n = start->first; n < end; n++)
            p = pending_add(p, frame_ref(history_at(&b->history, n)));
    } else {
        p = pending_add(pending_new(1), gap_without_room(start->at, feed_position(&b->feed)));
    }
    history_use(&b->history, broadcast_now_ms(b));
    j->on_joined(j, b, start->at, p);
}

static void join_queue_serve(struct broadcast *b) {
    struct join_queue *q = b->queue;
    struct join_request *j, *next, *oldest = NULL; // a backfill for the oldest covers the others
    struct start start;
    if (!q || !feed_is_live(&b->feed)) return;
    DL_FOREACH_SAFE(q->requests, j, next) {
        if (!broadcast_find_start(b, j, &start)) {
            if (!oldest || position_compare(j->last, oldest->last) < 0) oldest = j;
        } else if (broadcast_has_room(b, j, &start)) {
            join_queue_remove(q, j);
            broadcast_start_join(b, j, &start);
        }
    }
    join_queue_free_if_empty(b);
    if (oldest && b->queue && !b->queue->backfill) backfill_start(b, oldest);
}

static void on_feed_live(struct feed *f) {
    join_queue_serve(container_of(f, struct broadcast, feed));
}

static void on_feed_frame(struct feed *feed, struct frame *f) {
    struct broadcast *b = container_of(feed, struct broadcast, feed);
    struct broadcast_env *env = b->env;
    struct position from = feed_position(feed);
    // An entry without a number is only for viewers that are connected: one that reconnects cannot tell
    // whether it has seen it. Where the feed has gone back, the history starts again.
    if (position_is_set(f->at)) {
        if (position_compare(f->at, from) <= 0) history_release(&b->history);
        history_push(&b->history, env->budget, from, f, broadcast_now_ms(b));
    }
    if (fan_video_viewers(b->fan) &&
        log_sample(env->sampler, env->instance_id, DELIVERED_LINES, broadcast_now_ms(b))) {
        char id[POSITION_TEXT_SIZE];
        position_format(f->at, id);
        log_info(env->instance_id, "delivered", "video=%s id=%s viewers=%u", feed->video, id,
                 fan_video_viewers(b->fan));
    }
    fan_video_publish(b->fan, f);
}

// Idle

static void broadcast_begin_idle(struct broadcast *b) {
    struct idle_entry *v = mem_zalloc(sizeof *v);
    v->broadcast = b;
    v->since_ms = broadcast_now_ms(b);
    b->idle = v;
    DL_APPEND(b->env->idle_entries, v);
}

static void broadcast_end_idle(struct broadcast *b) {
    if (!b->idle) return;
    DL_DELETE(b->env->idle_entries, b->idle);
    free(b->idle);
    b->idle = NULL;
}

static void on_viewers_left(void *arg) {
    struct broadcast *b = arg;
    if (fan_video_viewers(b->fan)) return;
    broadcast_begin_idle(b);
    if (b->env->on_audience) b->env->on_audience(b, false);
}

struct broadcast *broadcast_idle_for(struct broadcast_env *env, int64_t for_ms) {
    int64_t before_ms = loop_now_ms(env->loop) - (for_ms > 0 ? for_ms : 1);
    while (env->idle_entries && env->idle_entries->since_ms <= before_ms) {
        struct broadcast *b = env->idle_entries->broadcast;
        if (!b->queue) return b;
        broadcast_end_idle(b); // a viewer is joining: the time counts from now
        broadcast_begin_idle(b);
    }
    return NULL;
}

// Life cycle

static void on_joins_due(struct loop_job *);

void broadcast_env_init(struct broadcast_env *env) {
    env->take_joins.run = on_joins_due;
    env->room.on_due = on_room_due;
    env->feed_env = (struct feed_env){.loop = env->loop,
                                      .engine = env->engine,
                                      .instance_id = env->instance_id,
                                      .most_asking = FEED_QUERIES_MAX,
                                      .on_live = on_feed_live,
                                      .on_frame = on_feed_frame};
}

void broadcast_open(struct broadcast *b, struct broadcast_env *env, const char *video) {
    *b = (struct broadcast){.env = env};
    broadcast_begin_idle(b);
    b->fan = fan_video_new(env->fanout, env->counters, on_viewers_left, b);
    feed_open(&b->feed, &env->feed_env, video);
}

static void join_queue_close(struct broadcast *b) {
    struct join_request *j, *next;
    if (!b->queue) return;
    DL_FOREACH_SAFE(b->queue->requests, j, next) {
        join_queue_remove(b->queue, j);
        join_refuse(j, JOIN_BROADCAST_CLOSED);
    }
    struct backfill *fill = b->queue->backfill;
    b->queue->backfill = NULL;
    join_queue_free_if_empty(b);
    if (!fill) return;
    fill->broadcast = NULL;
    if (fill->state != BACKFILL_READING) backfill_free(fill); // otherwise the answer frees it
}

static void broadcast_give_up_joins(struct broadcast *b, struct join_request **list) {
    struct join_request *j, *next;
    DL_FOREACH_SAFE(*list, j, next) {
        if (j->broadcast != b) continue;
        DL_DELETE(*list, j);
        join_refuse(j, JOIN_BROADCAST_CLOSED);
    }
}

void broadcast_close(struct broadcast *b) {
    broadcast_give_up_joins(b, &b->env->new_joins);
    broadcast_give_up_joins(b, &b->env->taken_joins);
    join_queue_close(b);
    broadcast_end_idle(b);
    feed_close(&b->feed);
    fan_video_free(b->fan);
    history_release(&b->history);
}

void broadcast_join(struct broadcast *b, struct join_request *j) {
    struct broadcast_env *env = b->env;
    j->broadcast = b;
    j->outcome = JOIN_STARTS;
    if (!env->new_joins) loop_defer(env->loop, &env->take_joins);
    DL_APPEND(env->new_joins, j);
}

static void broadcast_take_join(struct broadcast *b, struct join_request *j) {
    struct start start;
    bool covered = broadcast_find_start(b, j, &start);
    if (covered && broadcast_has_room(b, j, &start)) {
        broadcast_start_join(b, j, &start);
        return;
    }
    join_queue_add(b, j);
    if (!covered && feed_is_live(&b->feed) && !b->queue->backfill) backfill_start(b, j);
}

static void on_joins_due(struct loop_job *job) {
    struct broadcast_env *env = container_of(job, struct broadcast_env, take_joins);
    struct join_request *j;
    env->taken_joins = env->new_joins;
    env->new_joins = NULL;
    while ((j = env->taken_joins)) {
        DL_DELETE(env->taken_joins, j);
        broadcast_take_join(j->broadcast, j);
    }
}

bool broadcast_add(struct broadcast *b, const struct sink *sink, uint8_t asks, struct pending *p) {
    if (!fan_video_add(b->fan, sink, asks, p)) return false;
    if (b->idle && b->env->on_audience) b->env->on_audience(b, true);
    broadcast_end_idle(b);
    return true;
}

unsigned broadcast_viewers(const struct broadcast *b) {
    return fan_video_viewers(b->fan);
}

static void join_queue_sweep(struct join_queue *q, int64_t now) {
    bool full = feed_failure(&q->broadcast->feed) == ENGINE_FULL;
    struct join_request *j, *next;
    DL_FOREACH_SAFE(q->requests, j, next) {
        if (j->deadline_ms > now) continue;
        join_queue_remove(q, j);
        join_refuse(j, full ? JOIN_TOO_MANY_VIDEOS : JOIN_STORE_AWAY);
    }
    if (q->backfill && q->backfill->state != BACKFILL_READING) {
        if (q->requests)
            backfill_retry(q->backfill);
        else
            backfill_free(q->backfill);
    }
}

void broadcast_sweep(struct broadcast_env *env) {
    int64_t now = loop_now_ms(env->loop);
    struct join_queue *q, *next;
    DL_FOREACH_SAFE(env->queues, q, next) {
        struct broadcast *b = q->broadcast;
        join_queue_sweep(q, now);
        join_queue_free_if_empty(b);
        join_queue_serve(b);
    }
    history_budget_sweep(env->budget, now);
    history_budget_yield(env->budget, 0);
}
