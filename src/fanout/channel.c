#include "channel.h"

#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/uthash.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"
#include "flush.h"
#include "moments.h"
#include "remove.h"

enum {
    SCARCE_BYTES = 1 << 16, // a channel may always keep this much for viewers that are up to date
    MOVE_RETRY_MS = 250,    // after which viewers that are moved come back
    FEW_BEHIND = 64,        // this many slow viewers are cheap to visit
    RELIEF_IDLE_MS = 1000,  // a viewer that reads accepts data more often than that,
    EVICT_STILL_MS = 5000   // and even after a few lost packets more often than this
};

void channel_init(struct channel *ch, struct channel_env *env, struct ledger *ledger, void *owner) {
    *ch = (struct channel){.env = env, .ledger = ledger, .owner = owner, .oldest = UINT64_MAX};
}

// Adds to the shared counters, once per slice instead of once per send.
static void channel_settle(struct channel *ch) {
    if (ch->delivered) {
        counter_add(&ch->ledger->counters->delivered, ch->delivered);
        ledger_add(ch->ledger, LEDGER_DELIVERED, ch->delivered);
    }
    if (ch->sends) counter_add(&ch->ledger->counters->sends, ch->sends);
    ch->delivered = ch->sends = 0;
}

void channel_put_off_heartbeat(struct channel *ch, int64_t now_ms) {
    int64_t every = ch->env->bounds.heartbeat_ms;
    ch->heartbeat_due_ms = now_ms + every - (int64_t)(hash_random() % (uint64_t)(every / 8 + 1));
}

uint32_t channel_report_left(struct channel *ch) {
    uint32_t left = ch->left;
    if (left) LL_DELETE2(ch->env->left_unreported, ch, left_next);
    ch->left = 0;
    return left;
}

void channel_refuse(struct channel *ch) {
    channel_note_left(ch);
    counter_add(&ch->ledger->counters->refused, 1);
}

// What a viewer missed, or asked for, is due to it; but what the gaps among it stand for is not sent.
static void channel_count_missed(const struct channel *ch, const struct pending *p) {
    struct pending_counts c = pending_count(p);
    ledger_add(ch->ledger, LEDGER_DUE, c.entries + c.slow + c.lost);
    if (c.slow) ledger_add(ch->ledger, LEDGER_SLOW, c.slow);
    if (c.lost) ledger_add(ch->ledger, LEDGER_LOST, c.lost);
}

void channel_add(struct channel *ch, const struct sink *sink, uint8_t asks, struct pending *pending,
                 int64_t now_ms) {
    struct viewer *v = viewer_new(ch, sink, pending, now_ms);
    if (!v) {
        channel_refuse(ch);
        return;
    }
    channel_count_missed(ch, pending);
    viewer_set_add(&ch->viewers, v);
    v->asks = asks & 0x3fu;
    if (ch->moments)
        v->lacks = asks & ch->moments->known & (uint8_t)~ch->moments->fresh; // a flush brings those
    if (ch->viewers.count == 1) {
        channel_put_off_heartbeat(ch, now_ms);
        ch->retries_told = ch->env->retries_round;
    }
    viewer_continue(v, now_ms);
    channel_settle(ch);
}

// The first frame that viewers that are ready still need.
static uint64_t channel_needed_from(const struct channel *ch) {
    return ch->flush ? ch->flush->from : ch->sent;
}

static uint32_t channel_lagging_count(const struct channel *ch) {
    return ch->viewers.behind - ch->viewers.ready;
}

// Drops frames before `keep`; slow viewers that need them fall off the ring.
static void channel_drop_before(struct channel *ch, uint64_t keep) {
    if (keep > ch->oldest) {
        ch->oldest = UINT64_MAX;
        for (uint32_t i = ch->viewers.ready; i < ch->viewers.behind;) {
            struct viewer *v = ch->viewers.at[i];
            if (v->cursor < keep) {
                viewer_fall_off_ring(v); // another viewer has its slot now
                continue;
            }
            if (v->cursor < ch->oldest) ch->oldest = v->cursor;
            i++;
        }
    }
    ring_drop_before(&ch->ring, keep);
}

// Drops frames that no viewer needs. What the slow ones need is only looked up if they are few, or if `look`;
// otherwise frames may be kept for longer than needed.
static void channel_drop_served(struct channel *ch, bool look) {
    uint64_t needed = channel_needed_from(ch);
    if (ch->oldest < needed && (look || channel_lagging_count(ch) <= FEW_BEHIND)) {
        ch->oldest = UINT64_MAX;
        for (uint32_t i = ch->viewers.ready; i < ch->viewers.behind; i++)
            if (ch->viewers.at[i]->cursor < ch->oldest) ch->oldest = ch->viewers.at[i]->cursor;
    }
    ring_drop_before(&ch->ring, ch->oldest < needed ? ch->oldest : needed);
}

static bool channel_fits(const struct channel *ch, uint64_t from, size_t bytes, size_t most) {
    return ch->ring.next - from < ch->env->bounds.ring_frames && bytes <= most;
}

// Makes room in the ring for `len` more bytes, at the cost of slow viewers: where memory is scarce, of those
// that need the older half; where it is used up, of all. If they are many, at least an eighth of the ring is
// dropped in one go. Returns false if frames that viewers up to date need leave no room.
static bool channel_make_room(struct channel *ch, size_t len, bool used_up) {
    const struct ring *r = &ch->ring;
    uint64_t keep = r->first, needed = channel_needed_from(ch);
    size_t bytes = r->bytes + len, most = ch->env->bounds.ring_bytes;
    size_t kept = used_up ? 0 : budget_backlog_is_full() ? r->bytes / 2 + len : SIZE_MAX;
    if (used_up && most > SCARCE_BYTES) most = SCARCE_BYTES;
    while (keep < needed && (bytes > kept || !channel_fits(ch, keep, bytes, most)))
        bytes -= ring_at(r, keep++)->len;
    if (keep > r->first && channel_lagging_count(ch) > FEW_BEHIND) {
        uint64_t portion = r->first + (r->next - r->first) / 8;
        if (keep < portion) keep = portion < needed ? portion : needed;
    }
    if (keep > r->first) channel_drop_before(ch, keep);
    return channel_fits(ch, r->first, r->bytes + len, most);
}

// Gives up the frames that have not been sent. Each viewer that was up to date gets a gap of its own, as
// those that joined meanwhile have seen some of them.
static void channel_skip_unsent(struct channel *ch, int64_t now_ms) {
    struct viewer_set *s = &ch->viewers;
    struct viewer *v, *next, *last = NULL;
    if (ch->flush) {
        flush_serve(ch, UINT32_MAX, now_ms);
        flush_end(ch, now_ms);
    }
    if (ch->sent == ch->ring.next) return;
    if (ch->env->blocked) last = ch->env->blocked->prev;
    while (s->ready) viewer_lag_behind(s->at[0], ch->sent, 0, now_ms);
    flush_mark_sent(ch, ch->ring.next);
    channel_drop_before(ch, ch->ring.next);
    DL_FOREACH_SAFE(ch->waiting, v, next) viewer_drain(v, now_ms);
    for (v = last ? last->next : ch->env->blocked; v; v = next) { // the viewers that were ready
        next = v->next;
        viewer_drain(v, now_ms);
    }
}

// A frame is one pair for each viewer, also a gap: what else it stands for is lost already.
static void channel_count_due(const struct channel *ch, const struct frame *f) {
    uint64_t viewers = ch->viewers.count, others = f->is_gap ? frame_missed(f) - 1 : 0;
    ledger_add(ch->ledger, LEDGER_DUE, viewers * (1 + others));
    if (others) ledger_add(ch->ledger, LEDGER_LOST, viewers * others);
}

// If the ring is full of unsent frames, a run of them is sent immediately; if memory is used up as well, they
// are given up.
void channel_publish(struct channel *ch, struct frame *f) {
    int64_t now_ms = loop_now_ms(ch->env->loop);
    bool used_up = budget_is_used_up();
    if (f->removes) channel_remove(ch, f);
    while (!channel_make_room(ch, f->len, used_up) && channel_is_dirty(ch)) {
        if (used_up)
            channel_skip_unsent(ch, now_ms);
        else
            channel_flush_some(ch, now_ms, UINT32_MAX);
    }
    channel_count_due(ch, f);
    ring_push(&ch->ring, f);
}

// Found by looking at all: few comments are left out between two sends to all of them.
void channel_skip(struct channel *ch, struct frame *f, uint32_t user, uint32_t more, int64_t now_ms) {
    enum { PORTION = 32 };
    uint32_t own = 0, count = ch->viewers.count;
    struct viewer *found[PORTION]; // of one author, more than these are no real streams
    for (uint32_t i = 0; user && i < count && own < PORTION; i++)
        if (ch->viewers.at[i]->watch.tag == user) found[own++] = ch->viewers.at[i];
    if (!f->is_private) ledger_add(ch->ledger, LEDGER_DUE, count);
    if (!f->is_private && count > own) ledger_add(ch->ledger, LEDGER_SAMPLED, count - own);
    struct frame *said = own && more ? frame_with_more(f, more) : frame_ref(f);
    frame_unref(f);
    for (uint32_t i = 0; i < own; i++) viewer_send_own(found[i], said, now_ms); // closes none but that one
    frame_unref(said);
    channel_settle(ch);
}

void channel_publish_moment(struct channel *ch, uint8_t kind, struct frame *f) {
    moments_set(&ch->moments, kind, f);
}

static bool channel_has_fresh_moments(const struct channel *ch) {
    return ch->moments && ch->moments->fresh;
}

void channel_end(struct channel *ch) {
    ch->over = true;
}

// Returns whether it is one more that leaves.
static bool channel_move_one(struct viewer *v, uint8_t kind, struct frame *last, int64_t now_ms) {
    if (v->finishing || v->asks & kind & FAN_STAYS) return false;
    if (last)
        viewer_move(v, last, now_ms);
    else
        viewer_close(v, FAN_END_MOVED);
    return true;
}

// They leave at a pace, at which they come to others if all of them wait for the same time: the time that a
// crowd would be given to reconnect after is too long for them, and one that is drawn would be uneven.
//
// Each of those that are ready leaves their range, and none of the others changes the place of one that is
// still to be visited: from the end, others only come to places that have been visited.
void channel_move(struct channel *ch, uint32_t count, uint8_t kind, struct frame *event, int64_t now_ms) {
    const struct viewer_set *s = &ch->viewers;
    struct frame *leaving = frame_of_retry(MOVE_RETRY_MS);
    uint32_t left = count;
    for (uint32_t i = s->ready; left && i--;)
        left -= channel_move_one(s->at[i], kind, event && s->at[i]->asks & kind ? event : leaving, now_ms);
    for (uint32_t i = s->count; left && i--;)
        left -= channel_move_one(s->at[i], kind, s->at[i]->asks & kind ? event : NULL, now_ms);
    counter_add(&ch->ledger->counters->moved, count - left);
    frame_unref(leaving);
    frame_unref(event);
    channel_settle(ch);
}

bool channel_is_dirty(const struct channel *ch) {
    return ch->flush || ch->sent < ch->ring.next || (ch->over && ch->viewers.ready) ||
           channel_has_fresh_moments(ch);
}

int64_t channel_flush_due_us(const struct channel *ch) {
    return ch->flush || budget_is_used_up() ? 0 : ch->pace.not_before_us;
}

enum flush_outcome channel_flush_some(struct channel *ch, int64_t now_ms, uint32_t sends) {
    if (!ch->flush && ch->sent < ch->ring.next)
        flush_begin(ch);
    else if (!ch->flush && channel_has_fresh_moments(ch))
        flush_begin_moments(ch);
    else if (!ch->flush && ch->over && ch->viewers.ready)
        flush_begin_end(ch);
    if (ch->flush) {
        flush_serve(ch, sends, now_ms);
        if (ch->viewers.due) {
            flush_record_delays(ch, clock_monotonic_us());
            channel_settle(ch);
            return FLUSH_UNFINISHED;
        }
        flush_end(ch, now_ms);
        channel_put_off_heartbeat(ch, now_ms);
    }
    channel_drop_served(ch, false);
    channel_settle(ch);
    return FLUSH_FINISHED;
}

void channel_flush(struct channel *ch, int64_t now_ms) {
    do channel_flush_some(ch, now_ms, UINT32_MAX);
    while (channel_is_dirty(ch));
}

static bool channel_has_retry_to_tell(const struct channel *ch) {
    return ch->retries_told != ch->env->retries_round;
}

// Where nothing else is sent, the time to reconnect after goes with the next heartbeat. Where a comment has
// been sent since it changed, that would be put off indefinitely.
static bool channel_must_tell_retry(const struct channel *ch) {
    const struct channel_env *env = ch->env;
    return channel_has_retry_to_tell(ch) && ch->heartbeat_due_ms > env->retries_ms + env->bounds.heartbeat_ms;
}

void channel_sweep(struct channel *ch, int64_t now_ms) {
    if (!ch->flush && ch->viewers.ready && (now_ms >= ch->heartbeat_due_ms || channel_must_tell_retry(ch))) {
        if (channel_has_retry_to_tell(ch))
            flush_begin_retry(ch);
        else
            flush_begin_heartbeat(ch);
        ch->retries_told = ch->env->retries_round;
    }
    channel_drop_served(ch, true);
    channel_settle(ch);
}

unsigned channels_send_behind(struct channel_env *env, int64_t now_ms, unsigned most) {
    unsigned served = 0;
    for (struct viewer *v; served < most && (v = env->behind); served++) {
        struct channel *ch = v->channel;
        viewer_drain(v, now_ms);
        channel_settle(ch);
    }
    return served;
}

// Returns for how long a lagging viewer has accepted no data.
static int64_t viewer_still_ms(const struct viewer *v, int64_t now_ms) {
    return (uint32_t)now_ms - v->moved_ms;
}

// Returns the viewer that has accepted no data for longest, if that is `least_ms` or more.
static struct viewer *longest_stalled(const struct channel_env *env, int64_t now_ms, int64_t least_ms) {
    struct viewer *v = env->blocked;
    if (!v || (env->spent && viewer_still_ms(env->spent, now_ms) > viewer_still_ms(v, now_ms)))
        v = env->spent;
    return v && viewer_still_ms(v, now_ms) >= least_ms ? v : NULL;
}

static unsigned close_still(struct channel_env *env, int64_t now_ms, int64_t least_ms, unsigned most) {
    unsigned closed = 0;
    for (struct viewer *v; closed < most && (v = longest_stalled(env, now_ms, least_ms)); closed++) {
        struct channel *ch = v->channel;
        counter_add(&ch->ledger->counters->stalled, 1);
        viewer_close(v, FAN_END_STALLED);
        channel_settle(ch);
    }
    return closed;
}

unsigned channels_close_stalled(struct channel_env *env, int64_t now_ms, unsigned most) {
    return close_still(env, now_ms, env->bounds.stall_ms, most);
}

unsigned channels_evict(struct channel_env *env, int64_t now_ms, unsigned most) {
    int64_t stall_ms = env->bounds.stall_ms;
    return close_still(env, now_ms, stall_ms < EVICT_STILL_MS ? stall_ms : EVICT_STILL_MS, most);
}

unsigned channels_relieve(struct channel_env *env, int64_t now_ms, unsigned most) {
    unsigned relieved = 0;
    for (struct viewer *v; relieved < most && (v = env->blocked); relieved++) {
        if (viewer_still_ms(v, now_ms) < RELIEF_IDLE_MS) break;
        viewer_drop_backlog(v);
        channel_drop_served(v->channel, false);
    }
    return relieved;
}

void channel_release(struct channel *ch, enum fan_end end) {
    while (ch->viewers.count) viewer_close(ch->viewers.at[ch->viewers.count - 1], end);
    if (ch->flush) flush_end(ch, 0);
    channel_report_left(ch);
    channel_settle(ch);
    viewer_set_release(&ch->viewers);
    ring_release(&ch->ring);
    moments_free(ch->moments);
}
