#include "flush.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/uthash.h"
#include "fanout/counters.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"
#include "net/event_stream.h"
#include "remove.h"
#include "viewer.h"
#include "moments.h"
#include "viewer_send.h"

enum { RUN_BYTES = 1 << 16 };

// Bytes of a run, by framing; chunked is the longer one.
struct run_lengths {
    size_t of[2];
};

static void run_lengths_add(struct run_lengths *l, const struct frame *f) {
    l->of[SINK_RAW] += frame_piece(f, SINK_RAW).iov_len;
    l->of[SINK_CHUNKED] += frame_piece(f, SINK_CHUNKED).iov_len;
}

// Finds how many frames fit into one run; one does however long it is.
static struct run_lengths flush_measure(const struct channel *ch, uint64_t from, uint64_t *to) {
    const struct ring *r = &ch->ring;
    struct run_lengths all = {0};
    run_lengths_add(&all, ring_at(r, from));
    for (*to = from + 1; *to < r->next; ++*to) {
        struct run_lengths more = all;
        run_lengths_add(&more, ring_at(r, *to));
        if (more.of[SINK_CHUNKED] > RUN_BYTES) break;
        all = more;
    }
    return all;
}

static char *lay_out(char *end, const struct frame *f, enum sink_framing framing) {
    struct iovec piece = frame_piece(f, framing);
    return (char *)memcpy(end, piece.iov_base, piece.iov_len) + piece.iov_len;
}

// Lays several frames out as one run of bytes, as each piece of a send costs, once per viewer; and moments
// behind them. A single frame stays where it is: the ring keeps it until the flush ends.
static struct iovec flush_lay_out(const struct channel *ch, const struct flush *f, enum sink_framing framing,
                                  char *room) {
    if (f->to - f->from == 1 && !f->riders) return frame_piece(ring_at(&ch->ring, f->from), framing);
    char *end = room;
    for (uint64_t n = f->from; n < f->to; n++) end = lay_out(end, ring_at(&ch->ring, n), framing);
    struct iovec run = {room, (size_t)(end - room)};
    for (uint32_t i = 0; f->riders && i < pending_left(f->riders); i++)
        end = lay_out(end, pending_at(f->riders, i), framing);
    return run;
}

// Viewers that fell off the ring before it had held any comment miss what the first one covers.
static void flush_begin_gaps(const struct channel *ch, struct position first) {
    for (uint32_t i = ch->viewers.behind; i < ch->viewers.count; i++) {
        struct viewer *v = ch->viewers.at[i];
        if (!position_is_set(v->gap_from)) v->gap_from = first;
    }
}

void flush_mark_sent(struct channel *ch, uint64_t to) {
    for (uint64_t n = ch->sent; n < to; n++) {
        const struct frame *f = ring_at(&ch->ring, n);
        if (!position_is_set(f->at)) continue;
        if (!position_is_set(ch->sent_at)) flush_begin_gaps(ch, f->first);
        ch->sent_at = f->at;
    }
    ch->sent = to;
}

// What viewers that are behind cost is no reason to let comments wait.
static struct pace_mark flush_mark(const struct channel *ch) {
    struct pace_mark mark = pace_mark_now();
    mark.worked_us -= ch->env->behind_us;
    return mark;
}

static void flush_install(struct channel *ch, struct flush *f) {
    assert(!ch->flush);
    ch->flush = f;
    f->begun = flush_mark(ch);
    viewer_set_begin_flush(&ch->viewers);
}

// Viewers that lag get what is the latest by the time they have caught up. Returns the kinds.
static uint8_t flush_take_fresh(struct channel *ch) {
    uint8_t fresh = ch->moments->fresh;
    for (uint32_t i = ch->viewers.ready; i < ch->viewers.count; i++)
        ch->viewers.at[i]->lacks |= ch->viewers.at[i]->asks & fresh;
    ch->moments->fresh = 0;
    return fresh;
}

static struct pending *flush_take_riders(const struct channel *ch, uint8_t kinds,
                                         struct run_lengths *length) {
    struct pending *riders = pending_new((uint32_t)__builtin_popcount(kinds));
    for (; kinds; kinds &= (uint8_t)(kinds - 1)) {
        struct frame *f = moments_get(ch->moments, moments_first(kinds));
        run_lengths_add(length, f);
        riders = pending_add(riders, frame_ref(f));
    }
    return riders;
}

void flush_begin(struct channel *ch) {
    uint64_t to;
    struct run_lengths length = flush_measure(ch, ch->sent, &to), ride = {0};
    bool rides = ch->moments && ch->moments->fresh && to == ch->ring.next && ch->viewers.ready;
    uint8_t moments = rides ? flush_take_fresh(ch) : 0;
    struct pending *riders = rides ? flush_take_riders(ch, moments, &ride) : NULL;
    uint32_t viewers[2] = {
        [SINK_RAW] = ch->viewers.raw, [SINK_CHUNKED] = ch->viewers.count - ch->viewers.raw};
    size_t room[2] = {0};
    for (int i = 0; i < 2; i++)
        if (viewers[i] && ch->viewers.ready && (rides || to - ch->sent > 1))
            room[i] = length.of[i] + ride.of[i];
    size_t room_bytes = room[SINK_RAW] + room[SINK_CHUNKED];
    struct flush *f = mem_alloc(sizeof *f + room_bytes);
    if (room_bytes) budget_take(room_bytes);
    *f = (struct flush){.from = ch->sent,
                        .to = to,
                        .ride = {ride.of[SINK_RAW], ride.of[SINK_CHUNKED]},
                        .moments = moments,
                        .riders = riders,
                        .room_bytes = room_bytes,
                        .cut = to < ch->ring.next};
    if (ch->viewers.ready && viewers[SINK_RAW]) f->run[SINK_RAW] = flush_lay_out(ch, f, SINK_RAW, f->room);
    if (ch->viewers.ready && viewers[SINK_CHUNKED])
        f->run[SINK_CHUNKED] = flush_lay_out(ch, f, SINK_CHUNKED, f->room + room[SINK_RAW]);
    for (uint64_t n = f->from; n < to; n++)
        f->others += ring_at(&ch->ring, n)->is_gap || ring_at(&ch->ring, n)->is_blank;
    flush_install(ch, f);
    flush_mark_sent(ch, to);
}

void flush_begin_heartbeat(struct channel *ch) {
    struct flush *f = mem_alloc(sizeof *f);
    struct frame *beat = frame_of_heartbeat();
    *f = (struct flush){.from = ch->sent,
                        .to = ch->sent,
                        .run = {frame_piece(beat, SINK_RAW), frame_piece(beat, SINK_CHUNKED)},
                        .beat = beat};
    flush_install(ch, f);
}

void flush_begin_retry(struct channel *ch) {
    struct flush *f = mem_alloc(sizeof *f);
    *f = (struct flush){.from = ch->sent, .to = ch->sent, .tells_retry = true};
    flush_install(ch, f);
}

void flush_begin_moments(struct channel *ch) {
    struct flush *f = mem_alloc(sizeof *f);
    *f = (struct flush){.from = ch->sent, .to = ch->sent, .moments = flush_take_fresh(ch)};
    flush_install(ch, f);
}

void flush_begin_end(struct channel *ch) {
    struct flush *f = mem_alloc(sizeof *f);
    *f = (struct flush){.from = ch->sent, .to = ch->sent, .is_end = true};
    flush_install(ch, f);
}

// Clients keep to it exactly: those that are told the same come back in the same moment.
static void flush_serve_retry(struct viewer *v, uint32_t crowd_ms, int64_t now_ms) {
    struct frame *beat = frame_of_retry(event_stream_draw_retry(crowd_ms));
    struct iovec piece = frame_piece(beat, v->framing);
    size_t taken = viewer_send(v, &piece, 1);
    if (taken < piece.iov_len && !v->closed) viewer_queue_rest(v, beat, taken, now_ms);
    frame_unref(beat);
}

// Serves what is not the same bytes for all.
__attribute__((noinline)) static uint32_t flush_serve_each(struct channel *ch, uint32_t sends,
                                                           int64_t now_ms) {
    const struct flush *f = ch->flush;
    uint32_t served = 0;
    for (; served < sends && ch->viewers.due; served++) {
        struct viewer *v = viewer_set_serve(&ch->viewers);
        if (f->is_end)
            viewer_finish(v, now_ms);
        else if (f->tells_retry)
            flush_serve_retry(v, ch->env->crowd_ms, now_ms);
        else
            viewer_offer_moments(v, f->moments, now_ms);
    }
    return served;
}

// Counts a run that has been sent to that many viewers. Not inlined: in the loop before, a register is worth
// an instruction per delivery.
__attribute__((noinline)) static void flush_count(struct channel *ch, uint32_t viewers) {
    struct flush *f = ch->flush;
    f->untimed += viewers;
    if (!f->others) {
        ch->delivered += viewers * (f->to - f->from);
        return;
    }
    for (uint64_t n = f->from; n < f->to; n++) channel_count_sent(ch, ring_at(&ch->ring, n), viewers);
}

// Serves frames and moments: with one send, to viewers that ask for all of the moments or none.
static uint32_t flush_serve_riders(struct channel *ch, uint32_t sends, int64_t now_ms) {
    struct flush *f = ch->flush;
    uint32_t served = 0, whole = 0;
    f->is_serving = true;
    for (; served < sends && ch->viewers.due; served++) {
        struct viewer *v = viewer_set_serve(&ch->viewers);
        struct iovec run = f->run[v->framing];
        bool rides = (v->asks & f->moments) == f->moments;
        if (rides) run.iov_len += f->ride[v->framing];
        size_t taken = viewer_send(v, &run, 1);
        bool has_all = taken == run.iov_len;
        whole += has_all;
        if (!has_all && !v->closed) viewer_lag_behind(v, f->from, taken, now_ms);
        if (has_all && !rides) viewer_offer_moments(v, f->moments, now_ms);
    }
    f->is_serving = false;
    flush_count(ch, whole);
    return served;
}

// What all are sent is the same bytes. A function of its own, as it is what is done millions of times a
// second.
__attribute__((noinline)) static uint32_t flush_serve_run(struct channel *ch, uint32_t sends,
                                                          int64_t now_ms) {
    struct flush *f = ch->flush;
    uint64_t each = f->to - f->from;
    uint32_t served = 0, whole = 0;
    f->is_serving = true;
    for (; served < sends && ch->viewers.due; served++) {
        struct viewer *v = viewer_set_serve(&ch->viewers);
        const struct iovec *run = &f->run[v->framing];
        size_t taken = viewer_send(v, run, 1);
        if (taken == run->iov_len)
            whole++;
        else if (!v->closed && each)
            viewer_lag_behind(v, f->from, taken, now_ms);
        else if (!v->closed)
            viewer_queue_rest(v, f->beat, taken, now_ms);
    }
    f->is_serving = false;
    flush_count(ch, whole);
    return served;
}

uint32_t flush_serve(struct channel *ch, uint32_t sends, int64_t now_ms) {
    const struct flush *f = ch->flush;
    if (f->riders) return flush_serve_riders(ch, sends, now_ms);
    if (f->is_end || f->moments || f->tells_retry) return flush_serve_each(ch, sends, now_ms);
    return flush_serve_run(ch, sends, now_ms);
}

// The clock is read once per slice, and each frame counted once for all viewers of the slice.
void flush_record_delays(struct channel *ch, int64_t clock_us) {
    struct flush *f = ch->flush;
    int64_t now_ms = (clock_us + ch->env->wall_ahead_us) / 1000;
    for (uint64_t n = f->from; f->untimed && n < f->to; n++) {
        int64_t posted_ms = ring_at(&ch->ring, n)->posted_ms;
        if (!posted_ms) continue;
        int64_t delay_ms = now_ms > posted_ms ? now_ms - posted_ms : 0;
        counter_add(&ch->ledger->counters->delays[delay_bucket(delay_ms)], f->untimed);
        counter_add(&ch->ledger->counters->delay_ms, (uint64_t)delay_ms * f->untimed);
    }
    f->untimed = 0;
}

// Viewers that joined while frames of the run waited have got those before their cursor with their first
// bytes. They need not be blocked, so nothing else would wake them.
static void flush_admit(const struct channel *ch, const struct flush *f, int64_t now_ms) {
    struct viewer *v, *next;
    DL_FOREACH_SAFE(ch->waiting, v, next) {
        if (v->cursor <= f->to) viewer_drain(v, now_ms);
    }
}

static void flush_remove(struct channel *ch, struct pending *by) {
    for (uint32_t i = 0; i < pending_left(by); i++) channel_remove(ch, pending_at(by, i));
    pending_free(by);
}

void flush_end(struct channel *ch, int64_t now_ms) {
    struct flush *f = ch->flush;
    bool has_frames = f->to > f->from;
    struct pace_mark ended = has_frames ? flush_mark(ch) : f->begun;
    flush_record_delays(ch, ended.clock_us);
    ch->flush = NULL;
    if (f->then_remove) flush_remove(ch, f->then_remove);
    if (has_frames) flush_admit(ch, f, now_ms);
    if (has_frames && !f->cut) // the rest of what waited follows immediately
        pace_end(&ch->pace, f->to - f->from, f->begun, ended, ch->env->bounds.coalesce_us);
    frame_unref(f->beat);
    pending_free(f->riders);
    if (f->room_bytes) budget_give_back(f->room_bytes);
    free(f);
}
