// A joiner's way: it waits until the feed is live; if it has seen something before, what it missed is taken
// from the history, or else read from the log (load), whereupon the history holds it for those who come
// after.
//
// What a joiner missed is charged before it is read: a load asks the log for as many entries as there is
// memory for, and at most LOADS_AT_ONCE are under way. Without memory, history is dropped, viewers that do
// not read lose their backlogs (fanout_relieve), and the joiner waits for that. When its patience is over, or
// it has used more than its share, it gets a gap and the newest of what it missed. The gap's reason is
// `slow`: the log still has the entries, but there is no memory to hold them until this viewer has read them.
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
    BACKFILL_BATCH = 200, // entries that the log is asked for at a time
    BACKFILLS_MAX = 16,
    BACKFILL_FRAMES = 16,
    ENTRY_MOST = 5120, // bytes of an entry: a comment of 2,000 bytes, each of them escaped, and its names
    ENTRY_COST = 2 * ENTRY_MOST, // as the engine's answer, and as a frame
    SHORT = 16,                  // frames that are a joiner's without asking for room
    ROOM_AGAIN_MS = 25,
    JOIN_COST = 512, // one that waits, with what its caller holds for it
    DELIVERED_LINES = 10,
    ASKING = 1000
};

// What is being read from the log for somebody who came back.
struct backfill {
    struct broadcast_env *env;
    struct broadcast *broadcast; // NULL once the stream is closed
    enum { BACKFILL_IN_LINE, BACKFILL_WITHOUT_ROOM, BACKFILL_READING } state;
    struct position from, at;
    struct position lost;    // up to here, what was read was given up for lack of room
    struct position feed_at; // where the feed stood when the log was asked
    int64_t patience_ms;
    size_t reserved, bytes; // for the answer to come; of the frames
    struct pending *frames;
    struct backfill *prev, *next; // of those in line, or of those that have their turn
};

// Where joiners wait.
struct join_queue {
    struct broadcast *broadcast;
    struct join_request *requests;
    struct backfill *backfill; // one at a time
    struct join_queue *prev, *next;
};

// A stream without viewers.
struct idle_entry {
    struct broadcast *broadcast;
    int64_t since_ms;
    struct idle_entry *prev, *next;
};

static void join_queue_serve(struct broadcast *);

static int64_t now_ms(const struct broadcast *s) {
    return loop_now_ms(s->env->loop);
}

static struct pending *pending_from_history(const struct history *h, uint64_t first) {
    uint64_t end = history_end(h);
    struct pending *p = pending_new((uint32_t)(end - first));
    for (uint64_t n = first; n < end; n++) p = pending_add(p, frame_ref(history_at(h, n)));
    return p;
}

// The gap for entries after `at`, up to `to`, that cannot be held for a viewer.
static struct frame *gap_without_room(struct position at, struct position to) {
    return frame_of_gap((struct position){at.epoch, at.seq + 1}, to, GAP_SLOW);
}

// Whether so many frames, which exist anyway, may be queued for one more viewer.
static bool has_room_for(struct broadcast_env *env, uint64_t frames) {
    if (frames <= SHORT || budget_backlog_room() >= frames * sizeof(struct frame *)) return true;
    fanout_relieve(env->fanout);
    return false;
}

// Waiting

static void join_queue_add(struct broadcast *s, struct join_request *j) {
    if (!s->queue) {
        s->queue = mem_zalloc(sizeof *s->queue);
        s->queue->broadcast = s;
        budget_take(sizeof *s->queue);
        DL_APPEND(s->env->queues, s->queue);
    }
    DL_APPEND(s->queue->requests, j);
    budget_take(JOIN_COST);
}

static void join_queue_remove(struct join_queue *l, struct join_request *j) {
    DL_DELETE(l->requests, j);
    budget_give_back(JOIN_COST);
}

static void join_queue_free_if_empty(struct broadcast *s) {
    struct join_queue *l = s->queue;
    if (!l || l->requests || l->backfill) return;
    DL_DELETE(s->env->queues, l);
    budget_give_back(sizeof *l);
    free(l);
    s->queue = NULL;
}

static void join_give_up(struct join_request *j, enum join_outcome outcome) {
    j->outcome = outcome;
    j->on_joined(j, j->broadcast, (struct position){0}, NULL);
}

// Reading what was missed

static void backfill_emit(void *arg, struct frame *f) {
    struct backfill *l = arg;
    l->frames = pending_add(l->frames, f);
    l->bytes += f->len;
}

static uint32_t backfill_frames(const struct backfill *l) {
    return l->frames->count - l->frames->next;
}

// Drops the older half of what was read.
static void backfill_drop_older(struct backfill *l) {
    struct pending *p = l->frames;
    for (uint32_t left = backfill_frames(l) / 2; backfill_frames(l) > left; p->next++) {
        struct frame *f = p->frames[p->next];
        if (position_is_set(f->at)) l->lost = f->at;
        l->bytes -= f->len;
        frame_unref(f);
    }
}

static bool backfill_is_overdue(const struct backfill *l) {
    return l->patience_ms <= loop_now_ms(l->env->loop);
}

// A load's share of memory, beyond which it drops what is oldest. It is reserved for the first of the loads,
// so that they cannot all wait for each other.
static size_t backfill_share(void) {
    return budget_max() / 4;
}

static size_t backfill_room(const struct backfill *l) {
    size_t room = budget_backlog_room(), kept = l == l->env->backfills ? 0 : backfill_share();
    return room > kept ? room - kept : 0;
}

// Reserves memory for the next answer. Returns for how many entries, 0 if there is no room.
static size_t backfill_reserve(struct backfill *l) {
    history_budget_yield(l->env->budget, backfill_share() / 2);
    for (;;) {
        size_t entries = (backfill_room(l) / ENTRY_COST + 1) / 2; // the others want some, too
        if (entries > BACKFILL_BATCH) entries = BACKFILL_BATCH;
        l->reserved = entries * ENTRY_COST;
        budget_take(l->reserved);
        if (entries) return entries;
        if (!backfill_frames(l) || (!backfill_is_overdue(l) && l->bytes < backfill_share())) break;
        backfill_drop_older(l);
    }
    fanout_relieve(l->env->fanout);
    return 0;
}

static void on_backfill_range(void *, enum engine_status, const struct engine_range *);

static void backfill_read(struct backfill *l) {
    const struct broadcast *s = l->broadcast;
    size_t entries = backfill_reserve(l);
    l->state = entries ? BACKFILL_READING : BACKFILL_WITHOUT_ROOM;
    if (!entries) {
        if (!l->env->room.slot) loop_timer_start(l->env->loop, &l->env->room, ROOM_AGAIN_MS);
        return;
    }
    l->feed_at = feed_position(&s->feed);
    s->env->engine->ops->range(s->env->engine, s->feed.video, l->at, entries, on_backfill_range, l);
}

static void backfill_next(struct broadcast_env *env) {
    while (env->backfill_line && env->backfilling < BACKFILLS_MAX) {
        struct backfill *l = env->backfill_line;
        DL_DELETE(env->backfill_line, l);
        DL_APPEND(env->backfills, l);
        env->backfilling++;
        backfill_read(l);
    }
}

static void on_room_due(struct loop_timer *t) {
    struct broadcast_env *env = container_of(t, struct broadcast_env, room);
    struct backfill *l;
    DL_FOREACH(env->backfills, l) {
        if (l->state == BACKFILL_WITHOUT_ROOM) backfill_read(l);
    }
}

static void backfill(struct broadcast *s, const struct join_request *j) {
    struct backfill *l = mem_zalloc(sizeof *l);
    assert(s->queue);
    budget_take(sizeof *l);
    l->env = s->env;
    l->broadcast = s;
    l->from = l->at = j->last;
    l->patience_ms = j->patience_ms;
    l->frames = pending_new(BACKFILL_FRAMES);
    s->queue->backfill = l;
    DL_APPEND(s->env->backfill_line, l);
    backfill_next(s->env);
}

static void backfill_free(struct backfill *l) {
    struct broadcast_env *env = l->env;
    if (l->broadcast) {
        l->broadcast->queue->backfill = NULL;
        join_queue_free_if_empty(l->broadcast);
    }
    if (l->state == BACKFILL_IN_LINE) {
        DL_DELETE(env->backfill_line, l);
    } else {
        DL_DELETE(env->backfills, l);
        env->backfilling--;
    }
    if (!env->backfills) loop_timer_stop(env->loop, &env->room);
    pending_free(l->frames);
    budget_give_back(sizeof *l);
    free(l);
    backfill_next(env);
}

// The log may be ahead of the feed: what lies beyond comes to everybody by the feed. Returns whether what is
// left ends where the feed stands.
static bool backfill_cut_to(struct backfill *l, struct position to) {
    struct pending *p = l->frames;
    while (backfill_frames(l) && position_compare(p->frames[p->count - 1]->at, to) > 0) {
        l->bytes -= p->frames[--p->count]->len;
        frame_unref(p->frames[p->count]);
    }
    l->at = backfill_frames(l) ? p->frames[p->count - 1]->at : position_is_set(l->lost) ? l->lost : l->from;
    return position_compare(l->at, to) == 0;
}

// Continues what was read with what the history holds, up to the feed. Returns whether it could.
static bool backfill_from_history(struct broadcast *s, struct backfill *l) {
    const struct history *h = &s->history;
    uint64_t first, end = history_end(h);
    if (!history_covers(h, l->at, &first)) return false;
    for (uint64_t n = first; n < end; n++) backfill_emit(l, frame_ref(history_at(h, n)));
    l->at = feed_position(&s->feed);
    return true;
}

enum reach { REACHED, READ_ON, TRY_LATER };

// Makes what was read reach exactly up to the feed.
static enum reach backfill_reach_feed(struct broadcast *s, struct backfill *l) {
    struct position feed_at = feed_position(&s->feed);
    if (position_compare(l->at, feed_at) > 0) return backfill_cut_to(l, feed_at) ? REACHED : TRY_LATER;
    if (position_compare(l->at, feed_at) == 0 || backfill_from_history(s, l)) return REACHED;
    if (position_compare(l->at, l->feed_at) >= 0) return READ_ON; // there is more by now
    continuity_end(&l->at, feed_at, backfill_emit, l);            // the store has lost what the feed has seen
    return REACHED;
}

static struct pending *pending_from_backfill(const struct backfill *l) {
    struct pending *p = pending_new(backfill_frames(l) + 1);
    if (position_is_set(l->lost)) p = pending_add(p, gap_without_room(l->from, l->lost));
    for (uint32_t i = l->frames->next; i < l->frames->count; i++)
        p = pending_add(p, frame_ref(l->frames->frames[i]));
    return p;
}

// Joiners that wait for exactly this get it directly, as the history may not be allowed to hold all of it. It
// was read for the first of them; there may be no memory for the others.
static void join_queue_serve_backfill(struct join_queue *queue, const struct backfill *l) {
    struct join_request *j, *next;
    bool first = true;
    DL_FOREACH_SAFE(queue->requests, j, next) {
        if (position_compare(j->last, l->from) != 0) continue;
        if (!first && !has_room_for(l->env, backfill_frames(l))) return;
        first = false;
        join_queue_remove(queue, j);
        j->on_joined(j, l->broadcast, l->from, pending_from_backfill(l));
    }
}

// What reaches further back than the history takes its place. (Clients may claim to have seen anything: what
// was read for a position beyond the feed is not history.)
static void broadcast_keep_backfill(struct broadcast *s, const struct backfill *l) {
    struct position at = history_from(&s->history);
    struct position from = position_is_set(l->lost) ? l->lost : l->from;
    if (!position_is_set(at)) at = feed_position(&s->feed);
    if (position_compare(from, at) >= 0) return;
    history_reset(&s->history, s->env->budget, from, now_ms(s));
    at = from;
    for (uint32_t i = l->frames->next; i < l->frames->count; i++) {
        struct frame *f = l->frames->frames[i];
        history_push(&s->history, s->env->budget, at, f, now_ms(s));
        if (position_is_set(f->at)) at = f->at;
    }
}

static void on_backfill_range(void *arg, enum engine_status status, const struct engine_range *r) {
    struct backfill *l = arg;
    struct broadcast *s = l->broadcast;
    if (s && status == ENGINE_OK) continuity_walk(&l->at, r->entries, r->count, backfill_emit, l);
    budget_give_back(l->reserved);
    if (!s || status != ENGINE_OK) { // those who wait ask again with the next sweep, until their time is up
        backfill_free(l);
        return;
    }
    if (!r->more) continuity_end(&l->at, r->head, backfill_emit, l);
    switch (r->more ? READ_ON : backfill_reach_feed(s, l)) {
    case READ_ON: backfill_read(l); return;
    case TRY_LATER: // the next sweep looks again, when the feed has caught up
        feed_check(&s->feed);
        backfill_free(l);
        return;
    case REACHED: break;
    }
    join_queue_serve_backfill(s->queue, l);
    broadcast_keep_backfill(s, l);
    backfill_free(l);
    join_queue_serve(s);
}

// Lets joiners in whose patience is over, with a gap for everything they missed. (Joiners that claim to have
// seen more than the feed wait for it.)
static void join_queue_give_gaps(struct broadcast *s) {
    struct position at = feed_position(&s->feed);
    struct join_request *j, *next;
    DL_FOREACH_SAFE(s->queue->requests, j, next) {
        if (j->patience_ms > now_ms(s) || !position_is_set(j->last) || position_compare(j->last, at) >= 0)
            continue;
        join_queue_remove(s->queue, j);
        j->on_joined(j, s, j->last, pending_add(pending_new(1), gap_without_room(j->last, at)));
    }
}

// Looks again whether there is room, if it is its turn.
static void backfill_retry(struct backfill *l) {
    struct broadcast *s = l->broadcast;
    if (l->state == BACKFILL_WITHOUT_ROOM) backfill_read(l);
    if (l->state == BACKFILL_READING || !backfill_is_overdue(l) || backfill_room(l) >= ENTRY_COST) return;
    join_queue_give_gaps(s);
    backfill_free(l);
    join_queue_serve(s);
}

// Where a joiner starts, and the first frame of the history that it gets.
struct start {
    struct position at;
    uint64_t first;
};

static bool broadcast_find_start(const struct broadcast *s, const struct join_request *j,
                                 struct start *start) {
    struct position at = feed_position(&s->feed);
    if (!feed_is_live(&s->feed)) return false;
    if (!position_is_set(j->last) || position_compare(j->last, at) == 0) {
        *start = (struct start){at, history_end(&s->history)};
        return true;
    }
    start->at = j->last;
    return history_covers(&s->history, j->last, &start->first);
}

// Whether it may have what it missed now, or its patience is over, so that a gap stands for it.
static bool broadcast_has_room(const struct broadcast *s, const struct join_request *j,
                               const struct start *start) {
    return has_room_for(s->env, history_end(&s->history) - start->first) || j->patience_ms <= now_ms(s);
}

static void broadcast_start_join(struct broadcast *s, struct join_request *j, const struct start *start) {
    struct pending *p;
    if (has_room_for(s->env, history_end(&s->history) - start->first)) {
        p = pending_from_history(&s->history, start->first);
    } else {
        p = pending_add(pending_new(1), gap_without_room(start->at, feed_position(&s->feed)));
    }
    history_use(&s->history, now_ms(s));
    j->on_joined(j, s, start->at, p);
}

static void join_queue_serve(struct broadcast *s) {
    struct join_queue *l = s->queue;
    struct join_request *j, *next, *oldest = NULL; // what is read for the oldest covers the others
    struct start start;
    if (!l || !feed_is_live(&s->feed)) return;
    DL_FOREACH_SAFE(l->requests, j, next) {
        if (!broadcast_find_start(s, j, &start)) {
            if (!oldest || position_compare(j->last, oldest->last) < 0) oldest = j;
        } else if (broadcast_has_room(s, j, &start)) {
            join_queue_remove(l, j);
            broadcast_start_join(s, j, &start);
        }
    }
    join_queue_free_if_empty(s);
    if (oldest && s->queue && !s->queue->backfill) backfill(s, oldest);
}

static void on_feed_live(struct feed *f) {
    join_queue_serve(container_of(f, struct broadcast, feed));
}

// A message without a number is only for viewers that are connected, as one that resumes cannot say whether
// it has seen it. Where the feed has gone back, history begins again.
static void broadcast_keep_frame(struct broadcast *s, struct frame *f) {
    struct position from = feed_position(&s->feed);
    if (!position_is_set(f->at)) return;
    if (position_compare(f->at, from) <= 0) history_release(&s->history);
    history_push(&s->history, s->env->budget, from, f, now_ms(s));
}

static void on_feed_frame(struct feed *of, struct frame *f) {
    struct broadcast *s = container_of(of, struct broadcast, feed);
    struct broadcast_env *env = s->env;
    broadcast_keep_frame(s, f);
    if (fan_video_viewers(s->fan) && log_sample(env->sampler, env->instance_id, DELIVERED_LINES, now_ms(s))) {
        char id[POSITION_TEXT_SIZE];
        position_format(f->at, id);
        log_info(env->instance_id, "delivered", "video=%s id=%s viewers=%u", of->video, id,
                 fan_video_viewers(s->fan));
    }
    fan_video_publish(s->fan, f);
}

// Without viewers

static void broadcast_begin_idle(struct broadcast *s) {
    struct idle_entry *v = mem_zalloc(sizeof *v);
    v->broadcast = s;
    v->since_ms = now_ms(s);
    s->idle = v;
    DL_APPEND(s->env->idle_entries, v);
}

static void broadcast_end_idle(struct broadcast *s) {
    if (!s->idle) return;
    DL_DELETE(s->env->idle_entries, s->idle);
    free(s->idle);
    s->idle = NULL;
}

static void on_viewers_left(void *arg, unsigned n) {
    struct broadcast *s = arg;
    s->env->viewers -= n;
    if (fan_video_viewers(s->fan)) return;
    broadcast_begin_idle(s);
    if (s->env->on_audience) s->env->on_audience(s, false);
}

struct broadcast *broadcast_idle_for(struct broadcast_env *env, int64_t for_ms) {
    int64_t before_ms = loop_now_ms(env->loop) - (for_ms > 0 ? for_ms : 1);
    while (env->idle_entries && env->idle_entries->since_ms <= before_ms) {
        struct broadcast *s = env->idle_entries->broadcast;
        if (!s->queue) return s;
        broadcast_end_idle(s); // somebody is on the way: it counts from now
        broadcast_begin_idle(s);
    }
    return NULL;
}

// Life

static void on_joins_due(struct loop_job *);

void broadcast_env_init(struct broadcast_env *env) {
    env->take_joins.run = on_joins_due;
    env->room.on_due = on_room_due;
    env->feed_env = (struct feed_env){.loop = env->loop,
                                      .engine = env->engine,
                                      .instance_id = env->instance_id,
                                      .most_asking = ASKING,
                                      .on_live = on_feed_live,
                                      .on_frame = on_feed_frame};
}

void broadcast_open(struct broadcast *s, struct broadcast_env *env, const char *video) {
    *s = (struct broadcast){.env = env};
    broadcast_begin_idle(s);
    s->fan = fan_video_new(env->fanout, env->counters, on_viewers_left, s);
    feed_open(&s->feed, &env->feed_env, video);
}

static void join_queue_close(struct broadcast *s) {
    struct join_request *j, *next;
    if (!s->queue) return;
    DL_FOREACH_SAFE(s->queue->requests, j, next) {
        join_queue_remove(s->queue, j);
        join_give_up(j, JOIN_BROADCAST_CLOSED);
    }
    struct backfill *backfill = s->queue->backfill;
    s->queue->backfill = NULL;
    join_queue_free_if_empty(s);
    if (!backfill) return;
    backfill->broadcast = NULL;
    if (backfill->state != BACKFILL_READING) backfill_free(backfill); // else the answer does
}

static void broadcast_give_up_joins(struct broadcast *s, struct join_request **new_joins) {
    struct join_request *j, *next;
    DL_FOREACH_SAFE(*new_joins, j, next) {
        if (j->broadcast != s) continue;
        DL_DELETE(*new_joins, j);
        join_give_up(j, JOIN_BROADCAST_CLOSED);
    }
}

void broadcast_close(struct broadcast *s) {
    broadcast_give_up_joins(s, &s->env->new_joins);
    broadcast_give_up_joins(s, &s->env->taken_joins);
    join_queue_close(s);
    broadcast_end_idle(s);
    s->env->viewers -= fan_video_viewers(s->fan);
    feed_close(&s->feed);
    fan_video_free(s->fan);
    history_release(&s->history);
}

void broadcast_join(struct broadcast *s, struct join_request *j) {
    struct broadcast_env *env = s->env;
    j->broadcast = s;
    j->outcome = JOIN_STARTS;
    if (!env->new_joins) loop_defer(env->loop, &env->take_joins);
    DL_APPEND(env->new_joins, j);
}

static void broadcast_take_join(struct broadcast *s, struct join_request *j) {
    struct start start;
    bool covered = broadcast_find_start(s, j, &start);
    if (covered && broadcast_has_room(s, j, &start)) {
        broadcast_start_join(s, j, &start);
        return;
    }
    join_queue_add(s, j);
    if (!covered && feed_is_live(&s->feed) && !s->queue->backfill) backfill(s, j);
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

bool broadcast_add(struct broadcast *s, const struct sink *sink, uint8_t asks, struct pending *p) {
    if (!fan_video_add(s->fan, sink, asks, p)) return false;
    s->env->viewers++;
    if (s->idle && s->env->on_audience) s->env->on_audience(s, true);
    broadcast_end_idle(s);
    return true;
}

unsigned broadcast_viewers(const struct broadcast *s) {
    return fan_video_viewers(s->fan);
}

static void join_queue_sweep(struct join_queue *l, int64_t now) {
    bool full = feed_failure(&l->broadcast->feed) == ENGINE_FULL;
    struct join_request *j, *next;
    DL_FOREACH_SAFE(l->requests, j, next) {
        if (j->deadline_ms > now) continue;
        join_queue_remove(l, j);
        join_give_up(j, full ? JOIN_TOO_MANY_VIDEOS : JOIN_STORE_AWAY);
    }
    if (l->backfill && l->backfill->state != BACKFILL_READING) {
        if (l->requests)
            backfill_retry(l->backfill);
        else
            backfill_free(l->backfill);
    }
}

void broadcast_sweep(struct broadcast_env *env) {
    int64_t now = loop_now_ms(env->loop);
    struct join_queue *l, *next;
    DL_FOREACH_SAFE(env->queues, l, next) {
        struct broadcast *s = l->broadcast;
        join_queue_sweep(l, now);
        join_queue_free_if_empty(s);
        join_queue_serve(s);
    }
    history_budget_sweep(env->budget, now);
    history_budget_yield(env->budget, 0);
}
