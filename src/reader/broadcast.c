// A join request waits until the feed is live. What a viewer that reconnects has missed comes from the
// history, or else is read from the log (backfill.h), after which the history holds it for the next ones.
// Where there is no memory for that, the request waits until some is free. When its patience is over, the
// viewer gets a gap and the newest entries.
//
// The newest comments, for a viewer that arrives, come from the history as well, if the log has been read for
// that lately; otherwise one backfill serves all that wait. Without memory, such a viewer starts live.
#include "broadcast.h"

#include <stdlib.h>

#include "base/budget.h"
#include "base/log.h"
#include "base/uthash.h"
#include "engine/engine.h"
#include "base/container_of.h"
#include "net/loop.h"
#include "backfill.h"
#include "fanout/counters.h"
#include "fanout/fanout.h"
#include "fanout/pending.h"
#include "fanout/replay.h"

enum {
    FREE_FRAMES = 16,   // frames that a viewer gets without a check for room
    JOIN_COST = 512,    // a waiting join request, with what its caller holds for it
    JOINS_AT_ONCE = 64, // started before the loop does something else
    SERVE_MORE_MS = 1,
    CONFIRM_EVERY_MS = 100,
    DELIVERED_LINES = 10,
    FEED_QUERIES_MAX = 1000
};

// Join requests that wait.
struct join_queue {
    struct broadcast *broadcast;
    struct join_request *requests;
    struct backfill *backfill; // one at a time
    bool has_more;             // to be served by env->serve_more
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
    if (!b->env->queues) loop_timer_stop(b->env->loop, &b->env->serve_more);
    budget_give_back(sizeof *q);
    free(q);
    b->queue = NULL;
}

static void join_refuse(struct join_request *j, enum join_outcome outcome) {
    j->outcome = outcome;
    j->on_joined(j, j->broadcast, (struct position){0}, NULL);
}

static bool join_wants_history(const struct join_request *j) {
    return j->history && !position_is_set(j->last);
}

// A start may be on its way here, browsers never come back after JOIN_OVER, and some clients do not after a
// stream that was ended in order. So until the store has confirmed the end, no stream begins that would end
// at once; past its deadline such a request is refused.
static bool join_is_unsure(const struct broadcast *b, const struct join_request *j) {
    return feed_is_live(&b->feed) && feed_is_over(&b->feed) && !feed_was_over(&b->feed, j->since_ms);
}

// The video has ended, and there is nothing that the viewer has missed of it.
static bool join_is_over(const struct broadcast *b, const struct join_request *j) {
    return feed_is_live(&b->feed) && feed_is_over(&b->feed) &&
           (!position_is_set(j->last) || position_compare(j->last, feed_position(&b->feed)) == 0);
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
    if (join_wants_history(j))
        return history_newest(&b->history, j->history, broadcast_now_ms(b), &start->at, &start->first);
    if (!position_is_set(j->last) || position_compare(j->last, at) == 0) {
        *start = (struct start){at, history_end(&b->history)};
        return true;
    }
    start->at = j->last;
    return history_covers(&b->history, j->last, &start->first);
}

// Serves the requests that wait for exactly these frames, where the history has no room for all of them. The
// frames were read for the first of these; there may be no memory for the others.
static void join_queue_serve_backfill(struct join_queue *queue, struct backfill *fill) {
    struct broadcast *b = queue->broadcast;
    struct join_request *j, *next;
    bool first = true;
    DL_FOREACH_SAFE(queue->requests, j, next) {
        struct start covered;
        bool is_newest = join_wants_history(j);
        if (join_is_unsure(b, j) || broadcast_find_start(b, j, &covered)) continue;
        if (is_newest ? j->history > backfill_comments(fill)
                      : position_compare(j->last, backfill_from(fill)) != 0)
            continue;
        if (!first && !broadcast_has_room_for(b->env, backfill_frames(fill))) return;
        first = false;
        join_queue_remove(queue, j);
        struct position start = j->last;
        struct pending *p = is_newest ? backfill_newest(fill, j->history, &start) : backfill_pending(fill);
        j->on_joined(j, b, start, p);
    }
}

// Replaces the history by a backfill that reaches further back. (Clients may claim any position: what was
// read for one beyond the feed is not history.)
static void broadcast_keep_backfill(struct broadcast *b, const struct backfill *fill) {
    struct position at = history_from(&b->history), from = backfill_kept_from(fill);
    if (!position_is_set(at)) at = feed_position(&b->feed);
    if (position_compare(from, at) >= 0) return;
    history_reset(&b->history, b->env->budget, from, broadcast_now_ms(b));
    at = from;
    for (uint32_t i = 0; i < backfill_frames(fill); i++) {
        struct frame *f = backfill_frame(fill, i);
        history_push(&b->history, b->env->budget, at, f, broadcast_now_ms(b));
        if (position_is_set(f->at)) at = f->at;
    }
}

// Remembers that there are no comments as well.
static void broadcast_note_newest(struct broadcast *b, const struct backfill *fill) {
    int64_t now_ms = broadcast_now_ms(b);
    if (!position_is_set(history_from(&b->history)))
        history_reset(&b->history, b->env->budget, feed_position(&b->feed), now_ms);
    history_checked(&b->history, backfill_kept_from(fill), backfill_comments(fill), now_ms);
}

// Starts a viewer for which there is no memory to hold what comes after `from`.
static void broadcast_start_without(struct broadcast *b, struct join_request *j, struct position from) {
    struct position at = feed_position(&b->feed);
    struct pending *p = pending_new(1);
    if (position_is_set(j->last))
        p = pending_add(p, gap_without_room(from, at));
    else
        from = at;
    j->on_joined(j, b, from, p);
}

// Starts viewers whose patience is over with a gap for everything they missed. (Those that claim to have seen
// more than the feed wait for it.)
static void join_queue_give_gaps(struct broadcast *b) {
    struct position at = feed_position(&b->feed);
    struct join_request *j, *next;
    DL_FOREACH_SAFE(b->queue->requests, j, next) {
        if (j->patience_ms > broadcast_now_ms(b) || position_compare(j->last, at) >= 0 ||
            join_is_unsure(b, j))
            continue;
        join_queue_remove(b->queue, j);
        broadcast_start_without(b, j, j->last);
    }
}

static void on_backfill_end(void *arg, struct backfill *fill, enum backfill_outcome outcome) {
    struct broadcast *b = arg;
    switch (outcome) {
    case BACKFILL_REACHED:
        broadcast_keep_backfill(b, fill);
        if (backfill_comments(fill)) broadcast_note_newest(b, fill);
        join_queue_serve_backfill(b->queue, fill);
        break;
    case BACKFILL_NO_ROOM: join_queue_give_gaps(b); break;
    case BACKFILL_FAILED: break; // the requests try again with the next sweep, until their deadline
    }
    b->queue->backfill = NULL;
    join_queue_free_if_empty(b);
    if (outcome != BACKFILL_FAILED) join_queue_serve(b);
    backfill_free(fill); // last: the next one in line may need the memory of what was read
}

// Returns whether there is room for what it missed, or its patience is over and it gets a gap instead.
static bool broadcast_has_room(const struct broadcast *b, const struct join_request *j,
                               const struct start *start) {
    return broadcast_has_room_for(b->env, history_end(&b->history) - start->first) ||
           j->patience_ms <= broadcast_now_ms(b);
}

// Returns the frames of the history from this one on: shared, if they are many.
static struct pending *broadcast_frames_from(struct broadcast *b, uint64_t first) {
    uint64_t end = history_end(&b->history);
    uint32_t few = end - first <= FREE_FRAMES ? (uint32_t)(end - first) : 0, at;
    struct pending *p = pending_new(few);
    for (uint32_t i = 0; i < few; i++) p = pending_add(p, frame_ref(history_at(&b->history, first + i)));
    if (first + few == end) return p;
    struct replay *r = history_replay(&b->history, first, &at);
    pending_add_replay(p, replay_ref(r), at);
    return p;
}

static void broadcast_start_join(struct broadcast *b, struct join_request *j, const struct start *start) {
    uint64_t end = history_end(&b->history);
    history_use(&b->history, broadcast_now_ms(b));
    if (!broadcast_has_room_for(b->env, end - start->first)) {
        broadcast_start_without(b, j, start->at);
        return;
    }
    j->on_joined(j, b, start->at, broadcast_frames_from(b, start->first));
}

static void join_queue_backfill(struct broadcast *b, const struct join_request *j) {
    struct backfills *all = &b->env->backfills;
    uint32_t most = j->history;
    const struct join_request *other;
    if (!join_wants_history(j)) {
        b->queue->backfill = backfill_start(all, &b->feed, &b->history, b, j->last, j->patience_ms);
        return;
    }
    DL_FOREACH(b->queue->requests, other) {
        if (join_wants_history(other) && other->history > most) most = other->history;
    }
    b->queue->backfill = backfill_start_newest(all, &b->feed, &b->history, b, most, j->patience_ms);
}

// After a storm thousands may wait for the same backfill, and comments wait for the loop.
static void on_serve_more(struct loop_timer *t) {
    struct broadcast_env *env = container_of(t, struct broadcast_env, serve_more);
    struct join_queue *q, *next;
    DL_FOREACH_SAFE(env->queues, q, next) {
        if (!q->has_more) continue;
        q->has_more = false;
        join_queue_serve(q->broadcast);
    }
}

static void join_queue_serve_later(struct join_queue *q) {
    struct broadcast_env *env = q->broadcast->env;
    q->has_more = true;
    if (!env->serve_more.slot) loop_timer_start(env->loop, &env->serve_more, SERVE_MORE_MS);
}

static void join_queue_serve(struct broadcast *b) {
    struct join_queue *q = b->queue;
    struct join_request *j, *next, *oldest = NULL; // a backfill for the oldest covers the others
    struct start start;
    unsigned started = 0;
    if (!q || !feed_is_live(&b->feed)) return;
    DL_FOREACH_SAFE(q->requests, j, next) {
        if (started == JOINS_AT_ONCE) {
            join_queue_serve_later(q);
            return;
        }
        if (join_is_unsure(b, j)) continue;
        if (join_is_over(b, j)) {
            join_queue_remove(q, j);
            join_refuse(j, JOIN_OVER);
            started++;
        } else if (!broadcast_find_start(b, j, &start)) {
            if (!oldest || position_compare(j->last, oldest->last) < 0) oldest = j;
        } else if (broadcast_has_room(b, j, &start)) {
            join_queue_remove(q, j);
            broadcast_start_join(b, j, &start);
            started++;
        }
    }
    join_queue_free_if_empty(b);
    if (oldest && b->queue && !b->queue->backfill) join_queue_backfill(b, oldest);
}

static void on_feed_still_over(struct feed *f) {
    join_queue_serve(container_of(f, struct broadcast, feed));
}

static void on_feed_live(struct feed *f) {
    join_queue_serve(container_of(f, struct broadcast, feed));
}

// A gap that all viewers get: entries that the store has lost, or dropped before this reader read them.
static void broadcast_tell_gap(struct broadcast *b, const struct frame *f) {
    struct broadcast_env *env = b->env;
    bool epoch = f->first.epoch != f->at.epoch || f->first.seq > f->at.seq; // or the store went back
    if (!event_feed_has_room(&env->events, broadcast_now_ms(b))) return;
    uint64_t count = f->at.seq - f->first.seq + 1;
    json_t *missed = epoch ? json_null() : json_integer((json_int_t)count);
    event_feed_send(&env->events, env->engine,
                    json_pack("{s:s, s:s, s:o, s:s}", "kind", "gap", "video", b->feed.video, "missed", missed,
                              "reason", epoch ? "epoch" : "expired"));
}

static void broadcast_log_delivered(const struct broadcast *b, const struct frame *f) {
    const struct broadcast_env *env = b->env;
    unsigned viewers = outlet_viewers(&b->outlet);
    char id[POSITION_TEXT_SIZE];
    if (!viewers || !log_sample(env->sampler, env->instance_id, DELIVERED_LINES, broadcast_now_ms(b))) return;
    position_format(f->at, id);
    log_info(env->instance_id, "delivered", "video=%s id=%s viewers=%u", b->feed.video, id, viewers);
}

// An entry without a number is only for viewers that are connected: one that reconnects cannot tell whether
// it has seen it. Where the feed has gone back, the history starts again.
static void on_sampled(void *arg, struct position from, struct frame *f, enum sample_fate fate,
                       uint32_t more) {
    struct broadcast *b = arg;
    b->feed.held = NULL;
    if (position_is_set(f->at)) {
        if (position_compare(f->at, from) <= 0) history_release(&b->history);
        history_push(&b->history, b->env->budget, from, f, broadcast_now_ms(b));
    }
    if (fate == SAMPLE_SHOWN) broadcast_log_delivered(b, f);
    if (fate == SAMPLE_SHOWN && b->env->on_shown) b->env->on_shown(b);
    outlet_publish(&b->outlet, f, fate, more);
}

// The room is read only once comments follow each other: an occasional one is below any rate.
static void broadcast_count_comment(struct broadcast *b) {
    rate_add(&b->comments, broadcast_now_ms(b));
    if (b->comments.newer > 1 && b->env->on_busy) b->env->on_busy(b);
}

static void on_feed_frame(struct feed *feed, struct frame *f) {
    struct broadcast *b = container_of(feed, struct broadcast, feed);
    if (f->is_gap) {
        b->env->gaps[frame_gap_reason(f)] += outlet_viewers(&b->outlet);
        broadcast_tell_gap(b, f);
    } else if (frame_is_plain(f)) {
        broadcast_count_comment(b);
    }
    if (b->sample) {
        sample_take(b->sample, feed->at, f);
        feed->held = sample_held(b->sample);
    } else {
        on_sampled(b, feed->at, f, SAMPLE_SHOWN, 0);
    }
}

void broadcast_set_readable_rate(struct broadcast *b, int64_t rate) {
    if (b->sample && rate) {
        sample_set_rate(b->sample, rate);
    } else if (b->sample) {
        sample_release(b->sample);
        sample_free(b->sample);
        b->sample = NULL;
    } else if (rate) {
        b->sample = sample_new(b->env->loop, rate, (struct sample_calls){on_sampled, b});
    }
}

// Idle

static void broadcast_begin_idle(struct broadcast *b) {
    struct idle_entry *v = mem_zalloc(sizeof *v);
    v->broadcast = b;
    v->since_ms = broadcast_now_ms(b);
    b->idle = v;
    DL_APPEND(b->env->idle_entries, v);
    b->env->idle_count++;
}

static void broadcast_end_idle(struct broadcast *b) {
    if (!b->idle) return;
    DL_DELETE(b->env->idle_entries, b->idle);
    b->env->idle_count--;
    free(b->idle);
    b->idle = NULL;
}

static void on_viewers_left(void *arg) {
    struct broadcast *b = arg;
    if (b->env->on_viewers) b->env->on_viewers(b);
    if (outlet_viewers(&b->outlet)) return;
    broadcast_begin_idle(b);
    if (b->env->on_audience) b->env->on_audience(b, false);
}

struct broadcast *broadcast_idle_for(struct broadcast_env *env, int64_t for_ms) {
    int64_t before_ms = loop_now_ms(env->loop) - (for_ms > 0 ? for_ms : 1);
    while (env->idle_entries && env->idle_entries->since_ms <= before_ms) {
        struct broadcast *b = env->idle_entries->broadcast;
        if (!b->queue && !b->joining) return b;
        broadcast_end_idle(b); // a viewer is joining: the time counts from now
        broadcast_begin_idle(b);
    }
    return NULL;
}

static void on_feed_over(struct feed *feed) {
    struct broadcast *b = container_of(feed, struct broadcast, feed);
    if (feed_is_over(feed)) {
        if (b->sample) sample_release(b->sample);
        outlet_end(&b->outlet);
        return;
    }
    bool ending = outlet_viewers(&b->outlet) > 0;
    outlet_begin_again(&b->outlet, b->env->end);
    if (ending) on_viewers_left(b);
}

// Life cycle

bool broadcast_env_is_settled(const struct broadcast_env *env) {
    return !env->backfills.running && !env->feed_env.asking && !env->counters->channels && !env->joins_due &&
           !env->taken_joins;
}

static void on_joins_due(struct loop_job *);

void broadcast_env_init(struct broadcast_env *env) {
    env->take_joins.run = on_joins_due;
    env->serve_more.on_due = on_serve_more;
    env->backfills = (struct backfills){.loop = env->loop,
                                        .engine = env->engine,
                                        .fanout = env->fanout,
                                        .budget = env->budget,
                                        .on_end = on_backfill_end};
    backfills_init(&env->backfills);
    env->feed_env = (struct feed_env){.loop = env->loop,
                                      .engine = env->engine,
                                      .instance_id = env->instance_id,
                                      .most_asking = FEED_QUERIES_MAX,
                                      .on_live = on_feed_live,
                                      .on_frame = on_feed_frame,
                                      .on_over = on_feed_over,
                                      .on_still_over = on_feed_still_over};
}

void broadcast_open(struct broadcast *b, struct broadcast_env *env, const char *video,
                    struct ledger *ledger) {
    *b = (struct broadcast){.env = env};
    broadcast_begin_idle(b);
    outlet_open(&b->outlet, env->fanout, ledger, video, on_viewers_left, b);
    feed_open(&b->feed, &env->feed_env, video);
}

static void join_queue_close(struct broadcast *b) {
    struct join_request *j, *next;
    if (!b->queue) return;
    DL_FOREACH_SAFE(b->queue->requests, j, next) {
        join_queue_remove(b->queue, j);
        join_refuse(j, JOIN_BROADCAST_CLOSED);
    }
    if (b->queue->backfill) backfill_abandon(b->queue->backfill);
    b->queue->backfill = NULL;
    join_queue_free_if_empty(b);
}

static void broadcast_give_up_joins(struct broadcast *b, struct join_request **list) {
    struct join_request *j, *next;
    DL_FOREACH_SAFE(*list, j, next) {
        if (j->broadcast != b) continue;
        DL_DELETE(*list, j);
        b->joining--;
        join_refuse(j, JOIN_BROADCAST_CLOSED);
    }
}

void broadcast_close(struct broadcast *b) {
    broadcast_give_up_joins(b, &b->env->new_joins);
    broadcast_give_up_joins(b, &b->env->taken_joins);
    join_queue_close(b);
    broadcast_end_idle(b);
    feed_close(&b->feed);
    sample_free(b->sample);
    outlet_close(&b->outlet, b->env->end);
    history_release(&b->history);
}

void broadcast_join(struct broadcast *b, struct join_request *j) {
    struct broadcast_env *env = b->env;
    j->broadcast = b;
    j->since_ms = broadcast_now_ms(b);
    j->outcome = JOIN_STARTS;
    if (!env->joins_due) loop_defer(env->loop, &env->take_joins);
    env->joins_due = true;
    DL_APPEND(env->new_joins, j);
    b->joining++;
}

// Those that come within a moment are confirmed together.
static void broadcast_confirm_over(struct broadcast *b) {
    if (!feed_was_over(&b->feed, broadcast_now_ms(b) - CONFIRM_EVERY_MS)) feed_check(&b->feed);
}

static void broadcast_take_join(struct broadcast *b, struct join_request *j) {
    struct start start;
    if (join_is_unsure(b, j)) {
        join_queue_add(b, j);
        broadcast_confirm_over(b);
        return;
    }
    if (join_is_over(b, j)) {
        join_refuse(j, JOIN_OVER);
        return;
    }
    bool covered = broadcast_find_start(b, j, &start);
    if (covered && broadcast_has_room(b, j, &start)) {
        broadcast_start_join(b, j, &start);
        return;
    }
    join_queue_add(b, j);
    if (!covered && feed_is_live(&b->feed) && !b->queue->backfill) join_queue_backfill(b, j);
}

static void on_joins_due(struct loop_job *job) {
    struct broadcast_env *env = container_of(job, struct broadcast_env, take_joins);
    struct join_request *j;
    env->joins_due = false;
    DL_CONCAT(env->taken_joins, env->new_joins);
    env->new_joins = NULL;
    for (unsigned taken = 0; taken < JOINS_AT_ONCE && (j = env->taken_joins); taken++) {
        DL_DELETE(env->taken_joins, j);
        j->broadcast->joining--;
        broadcast_take_join(j->broadcast, j);
    }
    if (!env->taken_joins || env->joins_due) return;
    env->joins_due = true; // in a storm, the rest after the events of the next turn
    loop_next_turn(env->loop, &env->take_joins);
}

static void count_gaps(const struct pending *p, uint64_t gaps[GAP_REASONS]) {
    bool only_own = p->replay && !p->replay->has_gaps;
    uint32_t count = only_own ? p->count - p->next : pending_left(p);
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *f = pending_at(p, i);
        if (f->is_gap) gaps[frame_gap_reason(f)]++;
    }
}

bool broadcast_add(struct broadcast *b, const struct sink *sink, uint8_t asks, bool whole,
                   struct pending *p) {
    uint64_t gaps[GAP_REASONS] = {0};
    count_gaps(p, gaps);
    if (!outlet_add(&b->outlet, sink, asks, whole, p)) return false;
    for (int i = 0; i < GAP_REASONS; i++) b->env->gaps[i] += gaps[i];
    if (b->idle && b->env->on_audience) b->env->on_audience(b, true);
    broadcast_end_idle(b);
    if (b->env->on_viewers) b->env->on_viewers(b);
    return true;
}

void broadcast_moment(struct broadcast *b, enum moment kind, struct frame *f) {
    outlet_moment(&b->outlet, (uint8_t)(1u << kind), f);
}

void broadcast_move(struct broadcast *b, unsigned count, bool spares, struct frame *f) {
    outlet_move(&b->outlet, count, (uint8_t)(1u << MOMENT_MOVE | (spares ? FAN_STAYS : 0u)), f);
}

unsigned broadcast_viewers(const struct broadcast *b) {
    return outlet_viewers(&b->outlet);
}

static void join_queue_sweep(struct join_queue *q, int64_t now) {
    struct broadcast *b = q->broadcast;
    bool full = feed_failure(&b->feed) == ENGINE_FULL;
    struct join_request *j, *next;
    DL_FOREACH_SAFE(q->requests, j, next) {
        bool is_late = j->deadline_ms <= now;
        // While the store does not answer, a viewer that arrives sees what comes from now on.
        bool goes_live =
            join_wants_history(j) && j->patience_ms <= now && feed_is_live(&b->feed) && !join_is_unsure(b, j);
        if (!is_late && !goes_live) continue;
        join_queue_remove(q, j);
        if (goes_live)
            broadcast_start_without(b, j, j->last);
        else
            join_refuse(j, full ? JOIN_TOO_MANY_VIDEOS : JOIN_STORE_AWAY);
    }
    if (!q->backfill || backfill_is_reading(q->backfill)) return;
    if (q->requests) {
        backfill_retry(q->backfill);
    } else {
        backfill_free(q->backfill);
        q->backfill = NULL;
    }
}

void broadcast_sweep(struct broadcast_env *env) {
    int64_t now = loop_now_ms(env->loop);
    struct join_queue *q, *next;
    DL_FOREACH_SAFE(env->queues, q, next) {
        struct broadcast *b = q->broadcast;
        join_queue_sweep(q, now);
        join_queue_free_if_empty(b);
        if (b->queue && feed_is_live(&b->feed) && feed_is_over(&b->feed)) feed_check(&b->feed);
        join_queue_serve(b);
    }
    history_budget_sweep(env->budget, now);
    history_budget_yield(env->budget, 0);
}
