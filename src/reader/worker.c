// Orders come through the loop's inbox, in order. Publishing only marks a channel dirty; before the loop
// waits, the dirty channels are flushed (flush_dirty), so all comments of a turn leave in one send per
// viewer.
//
// Coalescing follows load: a flush that took long keeps the channel quiet for as long again, at most
// FAN_COALESCE_MAX_MS. So a flush never takes more than half of a worker's time, a first comment after a
// quiet moment leaves at once, and saturation costs latency, not throughput.
#include "reader/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/map.h"
#include "reader/counters.h"
#include "reader/fanout.h"

enum { SWEEP_MS = 250, COALESCE_FROM_US = 1000 };

struct order {
    struct loop_job job;
    struct worker *worker;
    enum worker_order what;
    struct channel *channel;
    struct frame *frame;
    int fd;
    struct pending *pending;
};

struct worker {
    struct loop *loop, *control;
    pthread_t thread;
    struct channel *channels, *dirty;
    struct loop_timer sweep, flush;
    worker_left_cb *on_left;
    void *arg;
};

// Word to the control loop that viewers have gone.
struct left {
    struct loop_job job;
    struct worker *worker;
    uint64_t serial;
    uint32_t n;
};

static void on_left(struct loop_job *job) {
    struct left *l = (struct left *)job;
    l->worker->on_left(l->worker->arg, l->serial, l->n);
    free(l);
}

static void report_left(struct worker *w, struct channel *ch) {
    if (!ch->left) return;
    struct left *l = mem_alloc(sizeof *l);
    *l = (struct left){.job.run = on_left, .worker = w, .serial = ch->serial, .n = ch->left};
    ch->left = 0;
    loop_post(w->control, &l->job);
}

static void flush_one(struct worker *w, struct channel *ch) {
    int64_t begun_us = clock_monotonic_us();
    DL_DELETE2(w->dirty, ch, dirty_prev, dirty_next);
    ch->dirty = false;
    channel_flush(ch, loop_now_ms(w->loop));
    int64_t ended_us = clock_monotonic_us(), took_us = ended_us - begun_us;
    if (took_us < COALESCE_FROM_US) took_us = 0;
    if (took_us > FAN_COALESCE_MAX_MS * 1000) took_us = FAN_COALESCE_MAX_MS * 1000;
    ch->not_before_us = ended_us + took_us;
}

// Flushes what may be flushed; the timer brings us back for the rest.
static void flush_dirty(void *arg) {
    struct worker *w = arg;
    struct channel *ch, *next;
    int64_t now_us = w->dirty ? clock_monotonic_us() : 0, soonest_us = INT64_MAX;
    DL_FOREACH_SAFE2(w->dirty, ch, next, dirty_next) {
        if (ch->not_before_us <= now_us)
            flush_one(w, ch);
        else if (ch->not_before_us < soonest_us)
            soonest_us = ch->not_before_us;
    }
    if (soonest_us != INT64_MAX) loop_timer_start(w->loop, &w->flush, (soonest_us - now_us) / 1000 + 1);
}

static void on_flush_due(struct loop_timer *t) {
    (void)t; // flush_dirty runs before the loop waits again
}

static void on_sweep(struct loop_timer *t) {
    struct worker *w = container_of(t, struct worker, sweep);
    struct channel *ch;
    DL_FOREACH(w->channels, ch) {
        channel_sweep(ch, loop_now_ms(w->loop));
        report_left(w, ch);
    }
    loop_timer_start(w->loop, t, SWEEP_MS);
}

static void retire(struct worker *w, struct channel *ch) {
    if (ch->dirty) DL_DELETE2(w->dirty, ch, dirty_prev, dirty_next);
    DL_DELETE(w->channels, ch); // its first viewer, which came before this, put it there
    channel_release(ch);
    free(ch);
}

static void add(struct worker *w, const struct order *o) {
    struct channel *ch = o->channel;
    if (!ch->owner) { // its first viewer
        ch->owner = w;
        DL_APPEND(w->channels, ch);
    }
    channel_add(ch, o->fd, o->pending, loop_now_ms(w->loop));
}

static void publish(struct worker *w, const struct order *o) {
    struct channel *ch = o->channel;
    counter_add(&ch->counters->wakeups, 1);
    channel_publish(ch, o->frame);
    if (ch->dirty) return;
    ch->dirty = true;
    DL_APPEND2(w->dirty, ch, dirty_prev, dirty_next);
}

static void on_order(struct loop_job *job) {
    struct order *o = (struct order *)job;
    switch (o->what) {
    case WORKER_ADD: add(o->worker, o); break;
    case WORKER_PUBLISH: publish(o->worker, o); break;
    case WORKER_RETIRE: retire(o->worker, o->channel); break;
    }
    free(o);
}

static void *run(void *arg) {
    struct worker *w = arg;
    loop_run(w->loop);
    return NULL;
}

struct worker *worker_new(struct loop *control, worker_left_cb *left, void *arg, int *error) {
    struct worker *w = mem_zalloc(sizeof *w);
    w->control = control;
    w->on_left = left;
    w->arg = arg;
    w->sweep.on_due = on_sweep;
    w->flush.on_due = on_flush_due;
    w->loop = loop_new();
    if (!w->loop) {
        *error = -errno;
        free(w);
        return NULL;
    }
    loop_set_before_wait(w->loop, flush_dirty, w);
    loop_timer_start(w->loop, &w->sweep, SWEEP_MS);
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); // signals are the control loop's
    *error = -pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (*error) {
        loop_free(w->loop);
        free(w);
        return NULL;
    }
    return w;
}

struct stop {
    struct loop_job job;
    struct worker *worker;
};

static void on_stop(struct loop_job *job) {
    loop_stop(((struct stop *)job)->worker->loop);
}

void worker_stop(struct worker *w) {
    struct stop stop = {.job.run = on_stop, .worker = w};
    loop_post(w->loop, &stop.job);
    pthread_join(w->thread, NULL);
    loop_drain(w->loop); // orders that came too late still own what they carry
    while (w->channels) retire(w, w->channels);
    loop_drain(w->loop);
}

void worker_free(struct worker *w) {
    loop_free(w->loop);
    free(w);
}

struct loop *worker_loop(struct worker *w) {
    return w->loop;
}

void worker_give(struct worker *w, enum worker_order what, struct channel *ch, struct frame *frame, int fd,
                 struct pending *pending) {
    struct order *o = mem_alloc(sizeof *o);
    *o = (struct order){.job.run = on_order,
                        .worker = w,
                        .what = what,
                        .channel = ch,
                        .frame = frame,
                        .fd = fd,
                        .pending = pending};
    loop_post(w->loop, &o->job);
}
