#include "flush.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/budget.h"
#include "base/map.h"
#include "net/event_stream.h"
#include "channel.h"
#include "viewer_send.h"

enum { RUN_BYTES = 1 << 16 };

// Finds how many frames fit into one run; one does however long it is.
static size_t measure(const struct channel *ch, uint64_t from, uint64_t *to) {
    const struct ring *r = &ch->ring;
    size_t len = ring_at(r, from)->len;
    for (*to = from + 1; *to < r->next; ++*to) {
        size_t more = ring_at(r, *to)->len;
        if (len + more > RUN_BYTES) break;
        len += more;
    }
    return len;
}

// Several frames are laid out as one run of bytes: a send costs by the pieces it is made of, and each
// viewer's has the same. A single frame stays where it is: the ring keeps it until the flush ends.
static void lay_out(struct channel *ch, struct flush *f) {
    f->bytes = ring_at(&ch->ring, f->from)->bytes;
    if (f->to - f->from == 1) return;
    char *end = f->room;
    for (uint64_t n = f->from; n < f->to; n++) {
        const struct frame *frame = ring_at(&ch->ring, n);
        end = (char *)memcpy(end, frame->bytes, frame->len) + frame->len;
    }
    f->bytes = f->room;
}

void flush_mark_sent(struct channel *ch, uint64_t to) {
    for (uint64_t n = ch->sent; n < to; n++)
        if (position_is_set(ring_at(&ch->ring, n)->at)) ch->sent_at = ring_at(&ch->ring, n)->at;
    ch->sent = to;
}

static void begin(struct channel *ch, struct flush *f) {
    assert(!ch->flush);
    ch->flush = f;
    f->begun = pace_mark_now();
    seats_begin_flush(&ch->seats);
}

void flush_begin(struct channel *ch) {
    uint64_t to;
    size_t len = measure(ch, ch->sent, &to);
    size_t room = ch->seats.ready && to - ch->sent > 1 ? len : 0;
    struct flush *f = mem_alloc(sizeof *f + room);
    if (room) budget_take(room);
    *f = (struct flush){
        .from = ch->sent, .to = to, .len = (uint32_t)len, .room_bytes = room, .cut = to < ch->ring.next};
    if (ch->seats.ready) lay_out(ch, f);
    begin(ch, f);
    flush_mark_sent(ch, to);
}

void flush_begin_heartbeat(struct channel *ch) {
    struct flush *f = mem_alloc(sizeof *f);
    struct frame *beat =
        frame_of_bytes(event_stream_heartbeat, EVENT_STREAM_HEARTBEAT_LEN, (struct position){0});
    *f = (struct flush){
        .from = ch->sent, .to = ch->sent, .bytes = beat->bytes, .len = beat->len, .beat = beat};
    begin(ch, f);
}

// A viewer has not taken all of it.
static void leave_behind(struct viewer *v, const struct flush *f, size_t taken, int64_t now_ms) {
    if (!f->beat)
        viewer_lag_behind(v, f->from, taken, now_ms);
    else
        viewer_owe(v, f->beat, taken, now_ms);
}

uint32_t flush_serve(struct channel *ch, uint32_t sends, int64_t now_ms) {
    const struct flush *f = ch->flush;
    unsigned long long delivered = 0, each = f->to - f->from;
    uint32_t served = 0;
    for (; served < sends && ch->seats.due; served++) {
        struct iovec run = {f->bytes, f->len};
        struct viewer *v = seats_serve(&ch->seats);
        size_t taken = viewer_send(v, &run, 1);
        if (taken == f->len)
            delivered += each;
        else if (!v->closed)
            leave_behind(v, f, taken, now_ms);
    }
    ch->tally.delivered += delivered;
    return served;
}

// Those who joined while frames of the run waited have got the ones before their cursor with their first
// bytes. They need not be blocked, so nothing else would wake them.
static void admit(const struct channel *ch, const struct flush *f, int64_t now_ms) {
    struct viewer *v, *next;
    DL_FOREACH_SAFE(ch->waiting, v, next) {
        if (v->cursor <= f->to) viewer_push(v, now_ms);
    }
}

void flush_end(struct channel *ch, int64_t now_ms) {
    struct flush *f = ch->flush;
    ch->flush = NULL;
    if (!f->beat) admit(ch, f, now_ms);
    if (!f->beat && !f->cut) // the rest of what waited goes at once
        pace_end(&ch->pace, f->to - f->from, f->begun, pace_mark_now(), ch->env->bounds.coalesce_us);
    frame_unref(f->beat);
    if (f->room_bytes) budget_give_back(f->room_bytes);
    free(f);
}
