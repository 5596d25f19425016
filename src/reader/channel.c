// A flush (channel_flush) sends the frames [sent, next) to the ready ones. A laggard is served when its
// socket has room again (on_viewer). What it still has to get is, in this
// order: `pending`, a gap if it fell off, the ring from `cursor` up to `sent`; then it is ready again.
#include "reader/channel.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/container_of.h"
#include "base/hash.h"
#include "base/mem.h"
#include "net/event_stream.h"
#include "reader/counters.h"

enum { IOV_PER_SEND = 64, RUN_BYTES = 1 << 16 };

static void on_viewer(struct loop_fd *, uint32_t events);
static void on_reap(struct loop_job *);

void channel_init(struct channel *ch, struct loop *loop, struct fan_counters *counters,
                  const struct channel_bounds *bounds) {
    *ch = (struct channel){.loop = loop, .counters = counters, .bounds = bounds};
    ring_init(&ch->ring, bounds->ring_frames, bounds->ring_bytes);
}

// Places in the dense array

static void put(struct channel *ch, uint32_t slot, struct viewer *v) {
    ch->viewers[slot] = v;
    v->slot = slot;
}

static void swap(struct channel *ch, uint32_t a, uint32_t b) {
    struct viewer *va = ch->viewers[a];
    put(ch, a, ch->viewers[b]);
    put(ch, b, va);
}

static bool is_ready(const struct viewer *v) {
    return v->slot < v->channel->ready;
}

static void make_ready(struct viewer *v) {
    struct channel *ch = v->channel;
    swap(ch, v->slot, ch->ready++);
}

static void make_lagging(struct viewer *v, uint64_t cursor, uint32_t offset, int64_t now_ms) {
    struct channel *ch = v->channel;
    swap(ch, v->slot, --ch->ready);
    v->cursor = cursor;
    v->offset = offset;
    v->moved_ms = now_ms;
}

static void pending_free(struct pending *p) {
    if (!p) return;
    for (uint32_t i = p->next; i < p->count; i++) frame_unref(p->frames[i]);
    free(p);
}

static void viewer_close(struct viewer *v) {
    struct channel *ch = v->channel;
    if (v->closed) return;
    v->closed = true;
    if (is_ready(v)) swap(ch, v->slot, --ch->ready);
    swap(ch, v->slot, --ch->count);
    ch->left++;
    int fd = v->watch.fd;
    loop_fd_remove(ch->loop, &v->watch);
    close(fd);
    pending_free(v->pending);
    v->pending = NULL;
    loop_defer(ch->loop, &v->reap);
}

static void on_reap(struct loop_job *job) {
    free(container_of(job, struct viewer, reap));
}

void channel_release(struct channel *ch) {
    while (ch->count) viewer_close(ch->viewers[ch->count - 1]);
    ring_release(&ch->ring);
    free(ch->viewers);
    ch->viewers = NULL;
}

// Sending. Returns bytes taken, 0 if the socket is full; closes the viewer on an error.
static size_t viewer_send(struct viewer *v, struct iovec *iov, size_t count) {
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = count};
    ssize_t n;
    do n = sendmsg(v->watch.fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    v->channel->tally.sends++;
    if (n >= 0) return (size_t)n;
    if (errno != EAGAIN && errno != ENOBUFS) viewer_close(v);
    return 0;
}

static struct frame *pending_frame(const struct viewer *v, uint32_t ahead) {
    uint32_t i = v->pending->next + ahead;
    return i < v->pending->count ? v->pending->frames[i] : NULL;
}

// The frame `ahead` of the one the viewer is at, or NULL where there is no more for now.
static struct frame *frame_ahead(const struct viewer *v, uint32_t ahead) {
    if (v->pending) return pending_frame(v, ahead);
    if (v->gap) return NULL; // the frame at the cursor is no longer there
    return v->cursor + ahead < v->channel->sent ? ring_at(&v->channel->ring, v->cursor + ahead) : NULL;
}

static void step_over(struct viewer *v) {
    struct pending *p = v->pending;
    v->offset = 0;
    if (!p) {
        v->cursor++;
        v->channel->tally.delivered++;
        return;
    }
    if (position_is_set(p->frames[p->next]->at)) v->channel->tally.delivered++;
    frame_unref(p->frames[p->next++]);
    if (p->next == p->count) {
        free(p);
        v->pending = NULL;
    }
}

// Returns false when the viewer has nothing more to get now, cannot take more, or is gone.
static bool viewer_push_once(struct viewer *v, int64_t now_ms) {
    struct iovec iov[IOV_PER_SEND];
    size_t count = 0, total = 0;
    uint32_t skip = v->offset;
    for (struct frame *f; count < IOV_PER_SEND && (f = frame_ahead(v, (uint32_t)count)); count++) {
        iov[count] = (struct iovec){f->bytes + skip, f->len - skip};
        total += iov[count].iov_len;
        skip = 0;
    }
    if (!count) return false;
    size_t taken = viewer_send(v, iov, count);
    if (v->closed) return false;
    if (taken) v->moved_ms = now_ms;
    for (size_t i = 0, left = taken; i < count && left; i++) {
        if (left < iov[i].iov_len) {
            v->offset += (uint32_t)left;
            break;
        }
        left -= iov[i].iov_len;
        step_over(v);
    }
    return taken == total;
}

static struct pending *pending_of(struct frame *f) {
    struct pending *p = mem_alloc(sizeof *p + sizeof(struct frame *));
    p->count = 1;
    p->next = 0;
    p->frames[0] = f;
    return p;
}

// A viewer that fell off the ring: tells it what it missed, and lets it go on from the newest.
static void announce_gap(struct viewer *v) {
    struct channel *ch = v->channel;
    v->gap = false;
    v->cursor = ch->sent;
    ch->tally.gaps++;
    if (position_compare(v->gap_from, ch->sent_at) > 0) return; // only messages without a number are missed
    v->pending = pending_of(frame_of_gap(v->gap_from, ch->sent_at, GAP_SLOW));
}

static void viewer_push(struct viewer *v, int64_t now_ms) {
    for (;;) {
        while (viewer_push_once(v, now_ms)) {}
        if (v->closed || v->pending) return;
        if (!v->gap) break;
        announce_gap(v);
    }
    if (v->cursor == v->channel->sent && !v->offset) make_ready(v);
}

static void on_viewer(struct loop_fd *f, uint32_t events) {
    struct viewer *v = container_of(f, struct viewer, watch);
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        viewer_close(v);
        return;
    }
    if ((events & EPOLLOUT) && !is_ready(v)) viewer_push(v, loop_now_ms(v->channel->loop));
}

void channel_add(struct channel *ch, int fd, struct pending *pending, int64_t now_ms) {
    struct viewer *v = mem_zalloc(sizeof *v);
    v->watch.on_event = on_viewer;
    v->reap.run = on_reap;
    v->channel = ch;
    v->pending = pending;
    v->cursor = ch->ring.next;
    v->moved_ms = now_ms;
    if (loop_fd_add(ch->loop, &v->watch, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) {
        close(fd);
        pending_free(pending);
        free(v);
        ch->left++;
        return;
    }
    if (ch->count == ch->room) {
        ch->room = ch->room ? ch->room * 2 : 2;
        ch->viewers = mem_realloc(ch->viewers, ch->room * sizeof(struct viewer *));
    }
    put(ch, ch->count++, v);
    if (ch->count == 1) ch->flushed_ms = now_ms;
    viewer_push(v, now_ms);
}

// Keeps what a laggard needs once its frame leaves the ring: the rest of a frame begun, and where the gap
// begins.
static void fall_off(struct viewer *v) {
    struct ring *ring = &v->channel->ring;
    if (v->gap) return;
    v->gap = true;
    uint64_t at = v->cursor;
    if (!v->pending && v->offset) {
        v->pending = pending_of(frame_ref(ring_at(ring, at++))); // offset goes on counting in it
    }
    // The next number: that of the first frame missed that has one, or else the one that comes.
    v->gap_from = (struct position){v->channel->sent_at.epoch, v->channel->sent_at.seq + 1};
    for (uint64_t n = at; n < ring->next; n++) {
        if (!position_is_set(ring_at(ring, n)->at)) continue;
        v->gap_from = ring_at(ring, n)->first;
        break;
    }
}

// Makes room in the ring for `len` more bytes; those who stand on what goes fall off.
static void make_room(struct channel *ch, size_t len) {
    struct ring *r = &ch->ring;
    uint64_t keep = r->first;
    size_t bytes = r->bytes;
    while (keep < r->next && (r->next - keep >= r->max_frames || bytes + len > r->max_bytes))
        bytes -= ring_at(r, keep++)->len;
    if (keep == r->first) return;
    for (uint32_t i = ch->ready; i < ch->count; i++)
        if (ch->viewers[i]->cursor < keep) fall_off(ch->viewers[i]);
}

void channel_publish(struct channel *ch, struct frame *f) {
    // Frames that the ready ones have not got yet must not be lost: send them first.
    bool full =
        ch->ring.next - ch->sent >= ch->ring.max_frames || ch->ring.bytes + f->len > ch->ring.max_bytes;
    if (full && ch->sent < ch->ring.next) channel_flush(ch, loop_now_ms(ch->loop));
    make_room(ch, f->len);
    ring_push(&ch->ring, f);
}

// Lays the new frames out as one run of bytes, as many as fit: a send costs by the pieces it is made of, and
// each viewer's has the same. A single frame stays where it is. `to` is the first that was left out.
static struct iovec lay_out(const struct channel *ch, uint64_t from, uint64_t *to, char room[RUN_BYTES]) {
    struct frame *f = ring_at(&ch->ring, from);
    struct iovec run = {f->bytes, f->len};
    *to = from + 1;
    if (*to == ch->ring.next || run.iov_len > RUN_BYTES) return run;
    run.iov_base = memcpy(room, f->bytes, f->len);
    for (; *to < ch->ring.next; ++*to) {
        f = ring_at(&ch->ring, *to);
        if (run.iov_len + f->len > RUN_BYTES) break;
        memcpy(room + run.iov_len, f->bytes, f->len);
        run.iov_len += f->len;
    }
    return run;
}

// Somebody took only a part of [from, ...): finds the frame it is at.
static void lag_behind(struct viewer *v, uint64_t from, size_t taken, int64_t now_ms) {
    const struct ring *r = &v->channel->ring;
    for (; taken >= ring_at(r, from)->len; from++) {
        taken -= ring_at(r, from)->len;
        v->channel->tally.delivered++;
    }
    make_lagging(v, from, (uint32_t)taken, now_ms);
}

// One send for each who is ready, with all frames [from, to).
static void flush_ready(struct channel *ch, uint64_t from, uint64_t to, struct iovec run, int64_t now_ms) {
    unsigned long long delivered = 0;
    for (uint32_t i = ch->ready; i-- > 0;) { // downwards: who leaves is replaced by one already served
        struct viewer *v = ch->viewers[i];
        size_t taken = viewer_send(v, &run, 1);
        if (taken == run.iov_len)
            delivered += to - from;
        else if (!v->closed)
            lag_behind(v, from, taken, now_ms);
    }
    ch->tally.delivered += delivered;
}

static void drop_served(struct channel *ch) {
    uint64_t keep = ch->sent;
    for (uint32_t i = ch->ready; i < ch->count; i++) {
        const struct viewer *v = ch->viewers[i];
        if (!v->gap && v->cursor < keep) keep = v->cursor;
    }
    ring_drop_before(&ch->ring, keep);
}

static void mark_sent(struct channel *ch, uint64_t to) {
    for (uint64_t n = ch->sent; n < to; n++)
        if (position_is_set(ring_at(&ch->ring, n)->at)) ch->sent_at = ring_at(&ch->ring, n)->at;
    ch->sent = to;
}

// Those who joined while frames of [from, to) waited have got the ones before their cursor with their first
// bytes. They need not be blocked, so nothing else would wake them.
static void admit_waiting(struct channel *ch, uint64_t from, uint64_t to, int64_t now_ms) {
    for (uint32_t i = ch->ready;
         i < ch->count;) { // upwards: who becomes ready swaps with one already looked at
        struct viewer *v = ch->viewers[i];
        if (v->cursor > from && v->cursor <= to && !v->pending && !v->gap) viewer_push(v, now_ms);
        if (!v->closed) i++;
    }
}

// Hands the counts on, once per flush instead of once per send.
static void settle(struct channel *ch) {
    counter_add(&ch->counters->delivered, ch->tally.delivered);
    counter_add(&ch->counters->sends, ch->tally.sends);
    counter_add(&ch->counters->gaps, ch->tally.gaps);
    counter_add(&ch->counters->stalled, ch->tally.stalled);
    memset(&ch->tally, 0, sizeof ch->tally);
}

void channel_flush(struct channel *ch, int64_t now_ms) {
    char room[RUN_BYTES];
    while (ch->sent < ch->ring.next) {
        uint64_t from = ch->sent, to;
        struct iovec run = lay_out(ch, from, &to, room);
        flush_ready(ch, from, to, run, now_ms);
        mark_sent(ch, to);
        admit_waiting(ch, from, to, now_ms);
    }
    ch->flushed_ms = now_ms;
    ch->heartbeat_due_ms = 0;
    drop_served(ch);
    settle(ch);
}

static void heartbeat(struct channel *ch, int64_t now_ms) {
    int64_t every = ch->bounds->heartbeat_ms;
    if (!ch->heartbeat_due_ms) // up to an eighth early, each channel at another time
        ch->heartbeat_due_ms = ch->flushed_ms + every - (int64_t)(hash_random() % (uint64_t)(every / 8 + 1));
    if (!ch->ready || now_ms < ch->heartbeat_due_ms) return;
    struct frame *beat =
        frame_of_bytes(event_stream_heartbeat, EVENT_STREAM_HEARTBEAT_LEN, (struct position){0});
    struct iovec iov = {beat->bytes, beat->len};
    for (uint32_t i = ch->ready; i-- > 0;) {
        struct viewer *v = ch->viewers[i];
        size_t taken = viewer_send(v, &iov, 1);
        // A full socket has bytes on their way, and needs none; a heartbeat begun must be ended.
        if (v->closed || !taken || taken == beat->len) continue;
        make_lagging(v, ch->sent, (uint32_t)taken, now_ms);
        v->pending = pending_of(frame_ref(beat));
    }
    frame_unref(beat);
    ch->flushed_ms = now_ms;
    ch->heartbeat_due_ms = 0;
}

void channel_sweep(struct channel *ch, int64_t now_ms) {
    heartbeat(ch, now_ms);
    for (uint32_t i = ch->count; i-- > ch->ready;) {
        struct viewer *v = ch->viewers[i];
        if (v->cursor >= ch->sent && !v->pending && !v->gap) continue; // only waits for the next flush
        if (now_ms - v->moved_ms < ch->bounds->stall_ms) continue;
        ch->tally.stalled++;
        viewer_close(v);
    }
    drop_served(ch);
    settle(ch);
}
