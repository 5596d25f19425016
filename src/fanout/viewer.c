// What a slow viewer still has to get is, in this order: `pending`, a gap if it fell off, the ring from
// `cursor` up to what the channel has sent; then it is ready again. When its socket has room, it is sent that
// in portions, in turn with the others that are behind.
#include "viewer.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/budget.h"
#include "base/container_of.h"
#include "base/uthash.h"
#include "net/sock.h"
#include "channel_core.h"
#include "fanout/counters.h"
#include "fanout/frame.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"
#include "moments.h"
#include "viewer_send.h"

enum {
    IOV_PER_SEND = 256,
    PORTION_BYTES = 1 << 16, // of a backlog, before the next viewer has its turn
    SMALL_BACKLOG = 20       // frames that are sent without waiting for its turn
};

static void on_socket(struct loop_fd *, uint32_t events);
static void on_sink(struct sink_owner *, unsigned events);
static void on_expiry(struct loop_timer *);

static size_t viewer_size(bool is_socket, bool expires) {
    return sizeof(struct viewer) + (is_socket ? 0 : sizeof(struct viewer_transport)) +
           (expires ? sizeof(struct viewer_expiry) : 0);
}

static struct viewer_expiry *viewer_expiry(struct viewer *v) {
    return (void *)((char *)v + viewer_size(v->is_socket, false));
}

static size_t viewer_bytes(const struct viewer *v) {
    size_t with_seat = viewer_size(v->is_socket, v->expires) + sizeof v;
    return v->is_socket ? with_seat : with_seat + v->transport->ops->state_bytes;
}

static void on_viewer_reap(struct loop_job *job) {
    struct viewer *v = container_of(job, struct viewer, reap);
    budget_give_back(viewer_bytes(v));
    free(v);
}

static struct pending *pending_of(struct frame *f) {
    return pending_add(pending_new(1), f);
}

// Keeps the frames of the ring from `cursor` on for it.
static void viewer_hold_ring(struct viewer *v, uint64_t cursor) {
    struct channel *ch = v->channel;
    v->cursor = cursor;
    if (cursor < ch->oldest) ch->oldest = cursor;
}

static int viewer_attach(struct viewer *v, int fd) {
    struct loop *loop = v->channel->env->loop;
    struct viewer_transport *t = v->transport;
    int error = fd < 0 ? 0 : loop_fd_add(loop, &v->watch, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    if (error || v->is_socket) return error;
    error = t->ops->attach(t->state, fd, loop, &t->owner);
    if (error && fd >= 0) loop_fd_remove(loop, &v->watch);
    return error;
}

// Streams may follow other responses of their connection, which are small.
static uint32_t bytes_before(int fd) {
    struct sock_sent sent;
    return sock_sent(fd, &sent) ? (uint32_t)sent.bytes + sent.waiting : 0;
}

static void viewer_expire_at(struct viewer *v, int64_t ends_ms, int64_t now_ms) {
    struct viewer_expiry *e = viewer_expiry(v);
    e->viewer = v;
    e->timer.on_due = on_expiry;
    loop_timer_start(v->channel->env->loop, &e->timer, ends_ms > now_ms ? ends_ms - now_ms : 0);
}

struct viewer *viewer_new(struct channel *ch, const struct sink *sink, struct pending *pending,
                          int64_t now_ms) {
    struct viewer *v = mem_zalloc(viewer_size(!sink->ops, sink->ends_ms));
    v->watch = (struct loop_fd){.fd = -1, .tag = sink->user, .on_event = on_socket};
    v->framing = sink->framing;
    v->is_socket = !sink->ops;
    v->expires = sink->ends_ms;
    if (sink->ops)
        *v->transport =
            (struct viewer_transport){.owner.on_sink = on_sink, .ops = sink->ops, .state = sink->state};
    v->channel = ch;
    v->pending = pending;
    v->address = sink->address;
    v->moved_ms = (uint32_t)now_ms;
    v->joined_ds = (uint32_t)(now_ms / 100);
    v->unseen = (uint32_t)ch->ring.next;
    if (v->is_socket) v->bytes_before = bytes_before(sink->fd);
    viewer_hold_ring(v, ch->ring.next);
    if (viewer_attach(v, sink->fd) < 0) {
        sink_close(sink, SINK_RESET);
        pending_free(pending);
        free(v);
        return NULL;
    }
    if (v->expires) viewer_expire_at(v, sink->ends_ms, now_ms);
    budget_take(viewer_bytes(v));
    return v;
}

static struct viewer **viewer_list_head(const struct viewer *v) {
    struct channel *ch = v->channel;
    return v->list == LIST_WAITING   ? &ch->waiting
           : v->list == LIST_BLOCKED ? &ch->env->blocked
           : v->list == LIST_BEHIND  ? &ch->env->behind
                                     : &ch->env->spent;
}

static bool viewer_is_slow(const struct viewer *v) {
    return v->list == LIST_BLOCKED || v->list == LIST_SPENT;
}

static void viewer_enter_list(struct viewer *v, enum viewer_list list) {
    bool was_slow = viewer_is_slow(v);
    if (v->list != LIST_NONE) {
        struct viewer **head = viewer_list_head(v);
        DL_DELETE(*head, v);
    }
    v->list = list;
    if (list != LIST_NONE) {
        struct viewer **head = viewer_list_head(v);
        DL_APPEND(*head, v);
    }
    if (viewer_is_slow(v) != was_slow) counter_add(&v->channel->ledger->counters->slow, was_slow ? -1ULL : 1);
}

static void viewer_leave_list(struct viewer *v) {
    viewer_enter_list(v, LIST_NONE);
}

// Returns the number of the first frame that it has not been sent whole.
static uint64_t viewer_reached(const struct viewer *v) {
    const struct channel *ch = v->channel;
    const struct flush *f = ch->flush;
    if (!viewer_set_is_ready(&ch->viewers, v)) return v->cursor;
    bool is_served = f && f->is_serving && v->slot == ch->viewers.due;
    return f && (is_served || viewer_set_is_due(&ch->viewers, v)) ? f->from : ch->sent;
}

uint32_t viewer_events(const struct viewer *v) {
    return (uint32_t)viewer_reached(v) - v->unseen;
}

static void viewer_report(const struct viewer *v, enum fan_end end) {
    struct channel *ch = v->channel;
    if (!ch->env->on_closed) return;
    uint32_t now_ds = (uint32_t)(loop_now_ms(ch->env->loop) / 100);
    ch->env->on_closed(ch, &(struct fan_report){.end = end,
                                                .fd = v->is_socket ? v->watch.fd : -1,
                                                .bytes_before = v->bytes_before,
                                                .events = viewer_events(v),
                                                .duration_ds = now_ds - v->joined_ds});
}

static enum sink_end sink_end_of(enum fan_end end) {
    return end == FAN_END_COMPLETE || end == FAN_END_EXPIRED ? SINK_COMPLETE
           : end == FAN_END_STALLED || end == FAN_END_KILLED ? SINK_RESET
                                                             : SINK_CUT;
}

// Counts what was due to it and has not been sent whole.
static void viewer_count_unsent(const struct viewer *v, enum fan_end end) {
    struct ledger *ledger = v->channel->ledger;
    uint64_t unsent = v->channel->ring.next - viewer_reached(v);
    if (v->pending) unsent += pending_count(v->pending).entries;
    if (unsent) ledger_add(ledger, end == FAN_END_STALLED ? LEDGER_SLOW : LEDGER_LEFT, unsent);
}

void viewer_close(struct viewer *v, enum fan_end end) {
    struct channel *ch = v->channel;
    if (v->closed) return;
    viewer_count_unsent(v, end);
    viewer_report(v, end);
    v->closed = true;
    viewer_leave_list(v);
    viewer_set_remove(&ch->viewers, v);
    if (v->expires) loop_timer_stop(ch->env->loop, &viewer_expiry(v)->timer);
    channel_note_left(ch);
    struct sink sink = {.fd = v->watch.fd, .address = v->address};
    if (!v->is_socket) sink.ops = v->transport->ops, sink.state = v->transport->state;
    if (sink.fd >= 0) loop_fd_remove(ch->env->loop, &v->watch);
    sink_close(&sink, sink_end_of(end));
    pending_free(v->pending);
    v->pending = NULL;
    v->reap = (struct loop_job){.run = on_viewer_reap};
    loop_defer(ch->env->loop, &v->reap);
}

// The kernel may be the first to notice a stalled viewer (TCP_USER_TIMEOUT): its clock starts when the
// viewer's window is closed, ours when the send buffer is full as well.
static void viewer_end_by_error(struct viewer *v, int error) {
    bool has_closed = !error || error == -EPIPE || error == -ECONNRESET;
    if (error == -ETIMEDOUT) counter_add(&v->channel->ledger->counters->stalled, 1);
    viewer_close(v, error == -ETIMEDOUT ? FAN_END_STALLED : has_closed ? FAN_END_CLIENT : FAN_END_ERROR);
}

size_t viewer_send_failed(struct viewer *v, int error) {
    if (error != -EAGAIN) viewer_end_by_error(v, error);
    return 0;
}

// The frame `ahead` of the one the viewer is at, or NULL where there is no more for now.
static struct frame *frame_ahead(const struct viewer *v, uint32_t ahead) {
    if (v->pending) return pending_at(v->pending, ahead);
    if (v->gap || v->finishing) return NULL; // the frame at the cursor is no longer there, or for it
    return v->cursor + ahead < v->channel->sent ? ring_at(&v->channel->ring, v->cursor + ahead) : NULL;
}

// Bytes from where the viewer is that its sink has begun to send, and must be shown again.
static size_t pinned_bytes(const struct viewer *v) {
    return v->is_socket ? 0 : v->transport->ops->pinned(v->transport->state);
}

uint32_t viewer_frames_begun(const struct viewer *v) {
    size_t bytes = v->offset + pinned_bytes(v);
    uint32_t n = 0;
    for (const struct frame *f; bytes && (f = frame_ahead(v, n)); n++) {
        size_t len = frame_piece(f, v->framing).iov_len;
        bytes -= bytes < len ? bytes : len;
    }
    return n;
}

static void viewer_step_over(struct viewer *v) {
    struct pending *p = v->pending;
    v->offset = 0;
    if (!p) {
        channel_count_sent(v->channel, ring_at(&v->channel->ring, v->cursor++), 1);
        return;
    }
    const struct frame *f = pending_at(p, 0);
    if (position_is_set(f->at)) {
        v->unseen--; // as if it were one of the channel's
        if (f->is_gap)
            counter_add(&v->channel->ledger->counters->delivered, 1); // what it stands for has been counted
        else
            channel_count_sent(v->channel, f, 1);
    }
    pending_step(p);
    if (pending_left(p)) return;
    pending_free(p);
    v->pending = NULL;
}

// Moves on by the bytes of the pieces that have been taken.
static void viewer_advance(struct viewer *v, const struct iovec *iov, size_t taken) {
    for (; taken; iov++) {
        if (taken < iov->iov_len) {
            v->offset += (uint32_t)taken;
            return;
        }
        taken -= iov->iov_len;
        viewer_step_over(v);
    }
}

// Returns false when the viewer has nothing more to get now, cannot take more, or is gone.
static bool viewer_send_pieces(struct viewer *v, struct iovec *iov, size_t room, size_t *sent) {
    size_t count = 0, total = 0;
    uint32_t skip = v->offset;
    for (struct frame *f; count < room && (f = frame_ahead(v, (uint32_t)count)); count++) {
        struct iovec piece = frame_piece(f, v->framing);
        iov[count] = (struct iovec){(char *)piece.iov_base + skip, piece.iov_len - skip};
        total += iov[count].iov_len;
        skip = 0;
    }
    if (!count) return false;
    size_t taken = viewer_send(v, iov, count);
    if (v->closed) return false;
    *sent += taken;
    viewer_advance(v, iov, taken);
    return taken == total;
}

static bool viewer_send_more(struct viewer *v, size_t *sent) {
    struct iovec few[IOV_PER_SEND];
    size_t begun = v->is_socket ? 0 : viewer_frames_begun(v);
    if (begun <= IOV_PER_SEND) return viewer_send_pieces(v, few, IOV_PER_SEND, sent);
    struct iovec *many = mem_alloc(begun * sizeof *many);
    bool more = viewer_send_pieces(v, many, begun, sent);
    free(many);
    return more;
}

// A viewer that fell off the ring gets a gap for what it missed, and continues with the newest.
static void viewer_announce_gap(struct viewer *v) {
    struct channel *ch = v->channel;
    v->gap = false;
    viewer_set_make_lagging(&ch->viewers, v);
    v->unseen += (uint32_t)(ch->sent - v->cursor);
    ledger_add(ch->ledger, LEDGER_SLOW, ch->sent - v->cursor);
    viewer_hold_ring(v, ch->sent);
    counter_add(&ch->ledger->counters->gaps, 1);
    if (position_compare(v->gap_from, ch->sent_at) > 0) return; // only messages without a number were missed
    v->pending = pending_of(frame_of_gap(v->gap_from, ch->sent_at, GAP_SLOW));
}

// Whether it only waits for the next flush.
static bool viewer_awaits_flush(const struct viewer *v) {
    return v->cursor >= v->channel->sent && !v->pending && !v->gap && !v->lacks;
}

// Lists a viewer that still lags. Whether it moved decides its place among the blocked ones.
static void viewer_list_lagging(struct viewer *v, bool moved, int64_t now_ms) {
    bool was_blocked = viewer_is_slow(v);
    if (viewer_awaits_flush(v)) {
        if (v->list != LIST_WAITING) viewer_enter_list(v, LIST_WAITING);
    } else if (moved || !was_blocked) {
        v->moved_ms = (uint32_t)now_ms;
        viewer_enter_list(v, LIST_BLOCKED);
    }
}

static bool viewer_has_all(const struct viewer *v) {
    return !v->pending && !v->gap && v->cursor == v->channel->sent && !v->offset && !v->lacks;
}

// Sends the latest of a kind that the viewer lacks. What is not begun is still lacking, so that it may become
// newer. Returns whether it has gone.
static bool viewer_send_moment(struct viewer *v, size_t *sent) {
    uint8_t kind = moments_first(v->lacks);
    struct frame *f = moments_get(v->channel->moments, kind);
    struct iovec piece = frame_piece(f, v->framing);
    size_t taken = viewer_send(v, &piece, 1);
    if (v->closed) return false;
    *sent += taken;
    if (!taken && !pinned_bytes(v)) return false;
    v->lacks &= (uint8_t)~kind;
    if (taken == piece.iov_len) return true;
    v->pending = pending_of(frame_ref(f));
    v->offset = (uint32_t)taken;
    return false;
}

// Begins the end of a stream of which the viewer has everything. Returns whether there is an end to be sent.
static bool viewer_begin_end(struct viewer *v) {
    if (v->finishing || v->framing == SINK_RAW) {
        viewer_close(v, v->moves                               ? FAN_END_MOVED
                        : v->expires && viewer_expiry(v)->over ? FAN_END_EXPIRED
                                                               : FAN_END_COMPLETE);
        return false;
    }
    v->finishing = true;
    v->pending = pending_of(frame_of_end());
    return true;
}

// Finds what comes next for a viewer that has been sent what was begun. Returns false if there is nothing.
static bool viewer_begin_next(struct viewer *v, size_t *sent) {
    const struct channel *ch = v->channel;
    if (v->pending) return false;
    if (v->finishing) return viewer_begin_end(v);
    if (v->gap) {
        viewer_announce_gap(v);
        return true;
    }
    if (v->cursor < ch->sent || v->offset) return false;
    if (v->lacks) v->lacks &= (uint8_t)~ch->moments->fresh; // a flush brings those
    if (v->lacks) return viewer_send_moment(v, sent);
    return ch->over && ch->sent == ch->ring.next && viewer_has_all(v) && viewer_begin_end(v);
}

void viewer_drain(struct viewer *v, int64_t now_ms) {
    size_t sent = 0;
    do
        while (sent < PORTION_BYTES && viewer_send_more(v, &sent)) {}
    while (!v->closed && viewer_begin_next(v, &sent));
    if (v->closed) return;
    if (viewer_has_all(v)) {
        viewer_leave_list(v);
        viewer_set_make_ready(&v->channel->viewers, v);
    } else if (sent >= PORTION_BYTES && !viewer_awaits_flush(v)) {
        viewer_enter_list(v, LIST_BEHIND);
    } else {
        viewer_list_lagging(v, sent > 0, now_ms);
    }
}

static uint64_t viewer_backlog(const struct viewer *v) {
    uint64_t pending = v->pending ? pending_left(v->pending) : 0, sent = v->channel->sent;
    return v->gap || v->cursor > sent ? pending : pending + sent - v->cursor;
}

void viewer_continue(struct viewer *v, int64_t now_ms) {
    if (v->list == LIST_BEHIND) return;
    if (viewer_backlog(v) > SMALL_BACKLOG)
        viewer_enter_list(v, LIST_BEHIND);
    else
        viewer_drain(v, now_ms);
}

static void viewer_make_lagging(struct viewer *v, uint64_t cursor, size_t offset, int64_t now_ms) {
    const struct channel *ch = v->channel;
    if (viewer_set_is_due(&ch->viewers, v)) v->lacks |= v->asks & ch->flush->moments;
    viewer_set_make_lagging(&v->channel->viewers, v);
    viewer_hold_ring(v, cursor);
    v->offset = (uint32_t)offset;
    v->moved_ms = (uint32_t)now_ms;
    viewer_enter_list(v, LIST_BLOCKED);
}

// Moves frames of the ring, from the one it is at, to those of its own.
static struct pending *viewer_take_over(struct viewer *v, struct pending *to, uint64_t count) {
    struct channel *ch = v->channel;
    for (uint64_t i = 0; i < count; i++) {
        struct frame *f = frame_ref(ring_at(&ch->ring, v->cursor + i));
        to = pending_add(to, f);
        if (f->is_gap) ledger_add(ch->ledger, LEDGER_LOST, 1);
        if (position_is_set(f->at)) continue;
        v->unseen--; // which viewer_step_over() will not count
        ledger_add(ch->ledger, LEDGER_DELIVERED, 1);
    }
    v->unseen += (uint32_t)count;
    v->cursor += count;
    return to;
}

// The moments behind the frames, of which it has taken this many bytes: those that are begun become its own,
// with all before them; the others it lacks.
static void viewer_lag_in_ride(struct viewer *v, size_t taken) {
    const struct flush *f = v->channel->flush;
    size_t bytes = v->offset + taken + pinned_bytes(v), begun = 0;
    uint32_t frames = (uint32_t)(v->channel->sent - v->cursor);
    v->lacks |= v->asks & f->moments;
    if ((v->asks & f->moments) != f->moments) return;
    for (uint32_t i = 0; i < frames; i++)
        begun += frame_piece(ring_at(&v->channel->ring, v->cursor + i), v->framing).iov_len;
    if (bytes <= begun) return;
    struct pending *p = viewer_take_over(v, pending_new(frames + 1), frames);
    uint8_t kinds = f->moments;
    for (uint32_t i = 0; kinds && bytes > begun; i++, kinds &= (uint8_t)(kinds - 1)) {
        struct frame *moment = pending_at(f->riders, i);
        size_t len = frame_piece(moment, v->framing).iov_len;
        v->lacks &= (uint8_t)~moments_first(kinds);
        begun += len;
        if (taken >= len)
            taken -= len;
        else
            p = pending_add(p, frame_ref(moment));
    }
    v->offset += (uint32_t)taken;
    if (pending_left(p))
        v->pending = p;
    else
        pending_free(p);
}

void viewer_lag_behind(struct viewer *v, uint64_t from, size_t taken, int64_t now_ms) {
    struct channel *ch = v->channel;
    for (size_t len; from < ch->sent; from++) {
        if (taken < (len = frame_piece(ring_at(&ch->ring, from), v->framing).iov_len)) break;
        taken -= len;
        channel_count_sent(ch, ring_at(&ch->ring, from), 1);
    }
    viewer_make_lagging(v, from, from < ch->sent ? taken : 0, now_ms);
    if (ch->flush && ch->flush->riders) viewer_lag_in_ride(v, from < ch->sent ? 0 : taken);
}

void viewer_offer_moments(struct viewer *v, uint8_t kinds, int64_t now_ms) {
    if (!(v->asks & kinds)) return;
    v->lacks |= v->asks & kinds;
    viewer_make_lagging(v, v->channel->sent, 0, now_ms);
    viewer_drain(v, now_ms);
}

void viewer_finish(struct viewer *v, int64_t now_ms) {
    viewer_make_lagging(v, v->channel->sent, 0, now_ms);
    viewer_drain(v, now_ms);
}

void viewer_queue_rest(struct viewer *v, struct frame *f, size_t taken, int64_t now_ms) {
    if (!taken && !pinned_bytes(v)) return;
    viewer_make_lagging(v, v->channel->sent, taken, now_ms);
    v->pending = pending_of(frame_ref(f));
}

static void queue_rest_of_heartbeat(struct viewer *v, struct frame *beat, size_t taken, int64_t now_ms) {
    struct channel *ch = v->channel;
    if (viewer_set_is_due(&ch->viewers, v))
        viewer_make_lagging(v, ch->flush->from, taken, now_ms);
    else if (viewer_set_is_ready(&ch->viewers, v))
        viewer_make_lagging(v, ch->sent, taken, now_ms);
    else
        viewer_enter_list(v, LIST_BLOCKED);
    v->moved_ms = (uint32_t)now_ms;
    v->offset = (uint32_t)taken;
    v->pending = pending_of(frame_ref(beat));
}

// The client has closed its side. A half-closed client goes on reading; a closed socket answers the next
// bytes with a reset. So it is sent a heartbeat, unless other bytes are on their way.
static void viewer_probe(struct viewer *v, int64_t now_ms) {
    v->fin_seen = true;
    if (!viewer_set_is_ready(&v->channel->viewers, v) && !viewer_awaits_flush(v)) return;
    struct frame *beat = frame_of_heartbeat();
    struct iovec piece = frame_piece(beat, v->framing);
    size_t taken = viewer_send(v, &piece, 1);
    if (!v->closed && taken < piece.iov_len && (taken || pinned_bytes(v)))
        queue_rest_of_heartbeat(v, beat, taken, now_ms);
    frame_unref(beat);
}

static void take_sink_events(struct viewer *v, unsigned events) {
    int64_t now_ms = loop_now_ms(v->channel->env->loop);
    if (events & SINK_GONE) {
        viewer_close(v, FAN_END_CLIENT);
        return;
    }
    if ((events & SINK_WRITABLE) && !viewer_set_is_ready(&v->channel->viewers, v)) viewer_continue(v, now_ms);
    if ((events & SINK_FIN) && !v->fin_seen && !v->closed) viewer_probe(v, now_ms);
}

static void on_sink(struct sink_owner *owner, unsigned events) {
    take_sink_events(container_of(owner, struct viewer, transport[0].owner), events);
}

// Edge-triggered, so a half-closed socket is reported only together with other events.
static void on_socket(struct loop_fd *f, uint32_t events) {
    struct viewer *v = container_of(f, struct viewer, watch);
    const struct viewer_transport *t = v->transport;
    if (!v->is_socket)
        take_sink_events(v, t->ops->on_socket(t->state, f->fd, events));
    else if (events & (EPOLLHUP | EPOLLERR))
        viewer_end_by_error(v, events & EPOLLERR ? sock_error(f->fd) : 0);
    else
        take_sink_events(v, (events & EPOLLOUT ? SINK_WRITABLE : 0) | (events & EPOLLRDHUP ? SINK_FIN : 0));
}

void viewer_keep_begun(struct viewer *v) {
    uint32_t begun = v->pending ? 0 : viewer_frames_begun(v);
    if (begun) v->pending = viewer_take_over(v, pending_new(begun), begun); // the offset goes on counting
}

// Keeps what it needs once its frame has left the ring: the rest of what is begun, and the start of the gap.
void viewer_fall_off_ring(struct viewer *v) {
    const struct channel *ch = v->channel;
    const struct ring *ring = &ch->ring;
    if (v->gap) return;
    viewer_keep_begun(v);
    v->gap = true;
    viewer_set_make_fallen(&v->channel->viewers, v);
    // The next number: that of the first frame missed that has one, or else the one that comes. Unset until
    // the channel has sent any (flush_mark_sent).
    v->gap_from = (struct position){ch->sent_at.epoch, ch->sent_at.seq + 1};
    for (uint64_t n = v->cursor; n < ring->next; n++) {
        if (!position_is_set(ring_at(ring, n)->at)) continue;
        v->gap_from = ring_at(ring, n)->first;
        break;
    }
}

// The gap for the frames of a pending but the first `keep`, or NULL if none of them counts.
static struct frame *pending_gap(const struct pending *p, uint32_t keep) {
    const struct frame *first = NULL, *last = NULL;
    for (const struct frame *f; (f = pending_at(p, keep)); keep++) {
        if (!position_is_set(f->at)) continue;
        if (!first) first = f;
        last = f;
    }
    return first ? frame_of_gap(first->first, last->at, GAP_SLOW) : NULL;
}

// Counts the frames of its pending that must stay whatever is dropped: those that are begun, and its head.
static uint32_t viewer_fixed(const struct viewer *v) {
    uint32_t begun = viewer_frames_begun(v);
    return !begun && v->pending && pending_has_head(v->pending) ? 1 : begun;
}

// Drops all of its pending but the first `keep`, and makes room for `more`.
static void viewer_truncate_pending(struct viewer *v, uint32_t keep, uint32_t more, enum ledger_part part) {
    struct pending *p = v->pending, *rest = pending_new(keep + more);
    for (uint32_t i = 0; i < keep; i++) rest = pending_add(rest, frame_ref(pending_at(p, i)));
    if (p) ledger_add(v->channel->ledger, part, pending_count(p).entries - pending_count(rest).entries);
    pending_free(p);
    v->pending = rest;
}

// Replaces what has not been begun of the pending by a gap, but for the viewer's head.
static void viewer_cut_pending(struct viewer *v) {
    uint32_t keep = viewer_fixed(v);
    if (keep + 1 >= pending_left(v->pending)) return; // one frame is as good as a gap
    struct frame *gap = pending_gap(v->pending, keep);
    viewer_truncate_pending(v, keep, 1, LEDGER_SLOW);
    if (gap) v->pending = pending_add(v->pending, gap);
    if (gap) counter_add(&v->channel->ledger->counters->gaps, 1);
    if (pending_left(v->pending)) return;
    pending_free(v->pending);
    v->pending = NULL;
}

static struct pending *pending_copy(const struct pending *p, uint32_t more) {
    uint32_t left = p ? pending_left(p) : 0, i = 0;
    struct pending *copy = pending_new(left + more);
    if (p && pending_has_head(p)) pending_set_head(copy, frame_ref(pending_at(p, i++)));
    for (; i < left; i++) copy = pending_add(copy, frame_ref(pending_at(p, i)));
    return copy;
}

// What it has of its own no ring bounds.
void viewer_send_own(struct viewer *v, struct frame *f, int64_t now_ms) {
    const struct channel *ch = v->channel;
    if (v->gap || v->finishing) {
        if (!f->is_private) ledger_add(ch->ledger, v->gap ? LEDGER_SLOW : LEDGER_LEFT, 1);
        return;
    }
    if (viewer_set_is_ready(&ch->viewers, v)) viewer_make_lagging(v, viewer_reached(v), 0, now_ms);
    uint64_t before = ch->ring.next - v->cursor;
    struct pending *p = pending_copy(v->pending, (uint32_t)before + 1);
    pending_free(v->pending);
    v->pending = pending_add(viewer_take_over(v, p, before), frame_ref(f));
    if (pending_left(v->pending) > ch->env->bounds.ring_frames) viewer_cut_pending(v);
    viewer_continue(v, now_ms);
}

// Where it has taken over what the others are still to be sent, it has no frame to lose in the ring.
void viewer_drop_backlog(struct viewer *v) {
    if (v->pending && !v->finishing) viewer_cut_pending(v);
    if (v->cursor <= v->channel->sent) viewer_fall_off_ring(v);
    viewer_enter_list(v, LIST_SPENT);
}

// After what is begun, and its head, it is sent this frame, which is taken, and nothing else. A client that
// does not read that is closed as a stalled one.
static void viewer_finish_with(struct viewer *v, struct frame *last, bool ends, int64_t now_ms) {
    if (viewer_set_is_ready(&v->channel->viewers, v)) viewer_make_lagging(v, viewer_reached(v), 0, now_ms);
    viewer_keep_begun(v);
    viewer_truncate_pending(v, viewer_fixed(v), 2, LEDGER_LEFT);
    v->pending = pending_add(v->pending, last);
    if (ends && v->framing == SINK_CHUNKED) v->pending = pending_add(v->pending, frame_of_end());
    v->finishing = true;
    viewer_drain(v, now_ms);
}

// Its time is over: it is sent the reason, and the end of its stream.
static void on_expiry(struct loop_timer *timer) {
    struct viewer_expiry *e = container_of(timer, struct viewer_expiry, timer);
    struct viewer *v = e->viewer;
    if (v->finishing) return;
    e->over = true;
    viewer_finish_with(v, frame_of_expiry(), true, loop_now_ms(v->channel->env->loop));
}

// Its stream goes on elsewhere: so it gets no end.
void viewer_move(struct viewer *v, struct frame *event, int64_t now_ms) {
    v->moves = true;
    viewer_finish_with(v, frame_ref(event), false, now_ms);
}
