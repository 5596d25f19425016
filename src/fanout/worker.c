// Commands come through the loop's inbox, in order. Publishing only marks a channel dirty; before the loop
// waits, the dirty channels are flushed (worker_flush_dirty), so that all comments of a turn leave in one
// send per viewer. They take turns of SLICE_SENDS sends each, and the loop looks for events and commands in
// between: a video with few viewers never waits for one with many. A channel's pace determines when it may be
// flushed again.
//
// Then viewers that are behind, as all are that come back, are sent more of what they missed
// (worker_send_behind), for as long as the flushes of the turn took, or BEHIND_US: a storm of them delays a
// comment by no more, and takes half of the time where comments take all they can get.
//
// With a descriptor table of its own, a worker finds its sockets under other numbers: a command to add a
// viewer stands for the next one in the pipe. Nothing of its table may be touched from outside, so the thread
// itself closes what it holds.
#include "worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/uthash.h"
#include "base/minmax.h"
#include "net/address_limits.h"
#include "net/fd_table.h"
#include "fanout/counters.h"
#include "fanout/frame.h"
#include "fanout/ledger.h"
#include "fanout/pending.h"

enum {
    SWEEP_MS = 250,
    SWEEP_ROUND = 4, // sweeps in which all channels are visited, where there are many
    SWEEP_MIN = 64,  // channels visited in each
    SLICE_SENDS = 256,
    TURN_US = 4000,        // of flushing, before the loop looks for events and commands
    BEHIND_US = 500,       // of sending to viewers that are behind, at least
    REPORT_MS = 20,        // between two reports of viewers that have gone
    REPORTS = 256,         // channels in one
    MAINTENANCE_US = 2000, // of work on stalled viewers, before the loop looks for events and commands
    MAINTENANCE_REST_MS = 2,
    MAINTENANCE_SLICE = 16 // viewers between two looks at the clock
};

struct posted_command {
    struct loop_job job;
    struct worker *worker;
    struct worker_command command;
};

struct worker {
    struct channel_env env;
    struct loop *control;
    pthread_t thread;
    struct fd_pipe *pipe; // NULL: the descriptor table is the process's
    sem_t started;
    int error; // of the start
    struct channel *channels, *dirty;
    unsigned count; // of channels
    struct loop_timer sweep, flush, report, stalled, relief;
    struct worker_listener listener;
};

// What a worker reports to the control loop about a channel.
struct notification {
    struct loop_job job;
    struct worker *worker;
    void *owner;
    uint32_t left;
    bool retired;
};

static void on_notification(struct loop_job *job) {
    struct notification *n = (struct notification *)job;
    const struct worker_listener *l = &n->worker->listener;
    if (n->left) l->on_left(l->arg, n->owner, n->left);
    if (n->retired) l->on_retired(l->arg, n->owner);
    free(n);
}

static void worker_notify(struct worker *w, void *owner, uint32_t left, bool retired) {
    struct notification *n = mem_alloc(sizeof *n);
    *n = (struct notification){
        .job.run = on_notification, .worker = w, .owner = owner, .left = left, .retired = retired};
    loop_post(w->control, &n->job);
}

// Reports in portions, as each count may end a video on the control loop.
static void on_report_due(struct loop_timer *t) {
    struct worker *w = container_of(t, struct worker, report);
    for (unsigned most = REPORTS; most && w->env.left_unreported; most--) {
        struct channel *ch = w->env.left_unreported;
        worker_notify(w, ch->owner, channel_report_left(ch), false);
    }
}

// Flushing

static void worker_mark_dirty(struct worker *w, struct channel *ch) {
    if (ch->dirty_prev || !channel_is_dirty(ch)) return;
    assert(!w->dirty || w->dirty->dirty_prev);
    DL_APPEND2(w->dirty, ch, dirty_prev, dirty_next);
}

static void worker_unmark_dirty(struct worker *w, struct channel *ch) {
    if (!ch->dirty_prev) return;
    DL_DELETE2(w->dirty, ch, dirty_prev, dirty_next);
    ch->dirty_prev = ch->dirty_next = NULL;
}

// Flushes one slice of each channel that may be flushed now. A timer takes care of the rest.
static void worker_flush_dirty(struct worker *w) {
    if (!w->dirty) return;
    int64_t begun_us = clock_monotonic_us(), now_us = begun_us, again_us = INT64_MAX;
    struct channel *ch, *next, *last = w->dirty->dirty_prev;
    for (ch = w->dirty; ch; ch = next) {
        next = ch == last ? NULL : ch->dirty_next;
        if (channel_flush_due_us(ch) <= now_us) {
            channel_flush_some(ch, loop_now_ms(w->env.loop), SLICE_SENDS);
            worker_unmark_dirty(w, ch);
            worker_mark_dirty(w, ch); // behind the others
            now_us = clock_monotonic_us();
        }
        if (ch->dirty_prev) again_us = min(again_us, channel_flush_due_us(ch));
        if (!next || now_us - begun_us < TURN_US) continue;
        again_us = now_us;
        break;
    }
    if (again_us == INT64_MAX) return;
    loop_timer_start(w->env.loop, &w->flush, again_us > now_us ? (again_us - now_us) / 1000 + 1 : 0);
}

static void on_flush_due(struct loop_timer *t) {
    (void)t; // worker_flush_dirty() runs before the loop waits again
}

// By CPU time: where other threads have the core, a flush that took long is no reason to take long as well.
static void worker_send_behind(struct worker *w, int64_t flushed_us) {
    int64_t begun_us = clock_thread_cpu_us(), took_us = 0;
    while (w->env.behind && took_us < max(flushed_us, BEHIND_US)) {
        channels_send_behind(&w->env, loop_now_ms(w->env.loop), 1);
        took_us = clock_thread_cpu_us() - begun_us;
    }
    w->env.behind_us += took_us;
    if (w->env.behind) loop_timer_start(w->env.loop, &w->flush, 0);
}

// What gathers until the report is due goes with it.
static void on_before_wait(void *arg) {
    struct worker *w = arg;
    int64_t begun_us = w->env.behind ? clock_thread_cpu_us() : 0;
    worker_flush_dirty(w);
    if (w->env.behind) worker_send_behind(w, clock_thread_cpu_us() - begun_us);
    if (w->env.left_unreported && !w->report.slot) loop_timer_start(w->env.loop, &w->report, REPORT_MS);
}

// Stalled viewers

// Works in slices until there is no more to do; where that takes long, a timer continues.
static void worker_maintain(struct worker *w, struct loop_timer *rest,
                            unsigned (*task)(struct channel_env *, int64_t now_ms, unsigned most)) {
    int64_t until_us = clock_monotonic_us() + MAINTENANCE_US;
    while (task(&w->env, loop_now_ms(w->env.loop), MAINTENANCE_SLICE) == MAINTENANCE_SLICE) {
        if (clock_monotonic_us() < until_us) continue;
        loop_timer_start(w->env.loop, rest, MAINTENANCE_REST_MS);
        return;
    }
}

static void on_stalled_due(struct loop_timer *t) {
    worker_maintain(container_of(t, struct worker, stalled), t, channels_close_stalled);
}

static void on_relief_due(struct loop_timer *t) {
    worker_maintain(container_of(t, struct worker, relief), t, channels_relieve);
}

// So that comments' ages are known without a look at the wall clock for each flush.
static void worker_compare_clocks(struct worker *w) {
    w->env.wall_ahead_us = clock_wall_us() - clock_monotonic_us();
}

// Each sweep visits a part of the channels, where there are many: the first ones, which then go to the end.
static void on_sweep(struct loop_timer *t) {
    struct worker *w = container_of(t, struct worker, sweep);
    unsigned visits = w->count / SWEEP_ROUND + SWEEP_MIN;
    worker_compare_clocks(w);
    if (visits > w->count) visits = w->count;
    while (visits--) {
        struct channel *ch = w->channels;
        DL_DELETE(w->channels, ch);
        DL_APPEND(w->channels, ch);
        channel_sweep(ch, loop_now_ms(w->env.loop));
        worker_mark_dirty(w, ch);
    }
    if (!w->stalled.slot) on_stalled_due(&w->stalled);
    loop_timer_start(w->env.loop, t, SWEEP_MS);
}

// Commands

// Returns false, and ends the sink, if its descriptor did not fit into the worker's table.
static bool worker_receive_descriptor(const struct worker *w, struct sink *sink) {
    if (!w->pipe || sink->fd < 0) return true;
    sink->fd = fd_pipe_receive(w->pipe);
    if (sink->fd >= 0) return true;
    sink->fd = -1;
    if (sink->ops)
        sink_close(sink, SINK_RESET);
    else
        address_limits_close(sink->address);
    return false;
}

static void worker_add(struct worker *w, const struct worker_command *c) {
    struct channel *ch = c->channel;
    struct sink sink = c->sink;
    if (!ch->prev) { // its first viewer
        DL_APPEND(w->channels, ch);
        w->count++;
    }
    if (worker_receive_descriptor(w, &sink)) {
        channel_add(ch, &sink, c->moments, c->pending, loop_now_ms(w->env.loop));
    } else {
        pending_free(c->pending);
        channel_refuse(ch);
    }
}

static void worker_retire(struct worker *w, struct channel *ch, enum fan_end end) {
    worker_unmark_dirty(w, ch);
    DL_DELETE(w->channels, ch); // its first viewer, which came before this, put it there
    w->count--;
    channel_release(ch, end);
    worker_notify(w, ch->owner, 0, true);
    free(ch);
}

// A heartbeat that is due later than the new interval allows is brought forward.
static void worker_set_bounds(struct worker *w, struct fan_bounds *bounds) {
    struct channel *ch;
    bool sooner = bounds->heartbeat_ms < w->env.bounds.heartbeat_ms;
    w->env.bounds = *bounds;
    if (sooner)
        DL_FOREACH(w->channels, ch) channel_put_off_heartbeat(ch, loop_now_ms(w->env.loop));
    free(bounds);
}

static void worker_set_retry(struct worker *w, uint32_t crowd_ms) {
    w->env.crowd_ms = crowd_ms;
    w->env.retries_round++;
    w->env.retries_ms = loop_now_ms(w->env.loop);
}

static void on_command(struct loop_job *job) {
    struct posted_command *p = (struct posted_command *)job;
    const struct worker_command *c = &p->command;
    bool waits;
    switch (c->verb) {
    case WORKER_ADD: worker_add(p->worker, c); break;
    case WORKER_PUBLISH:
        counter_add(&c->channel->ledger->counters->wakeups, 1);
        channel_publish(c->channel, c->frame);
        worker_mark_dirty(p->worker, c->channel);
        break;
    case WORKER_SKIP:
        channel_skip(c->channel, c->frame, c->user, c->more, loop_now_ms(p->worker->env.loop));
        worker_mark_dirty(p->worker, c->channel);
        break;
    case WORKER_MOMENT:
        waits = c->frame->rides;
        channel_publish_moment(c->channel, c->moments, c->frame);
        if (!waits) worker_mark_dirty(p->worker, c->channel);
        break;
    case WORKER_MOVE:
        channel_move(c->channel, c->more, c->moments, c->frame, loop_now_ms(p->worker->env.loop));
        break;
    case WORKER_END:
        channel_end(c->channel);
        worker_mark_dirty(p->worker, c->channel);
        break;
    case WORKER_RETIRE: worker_retire(p->worker, c->channel, c->end); break;
    case WORKER_RELIEVE: on_relief_due(&p->worker->relief); break;
    case WORKER_EVICT:
        channels_evict(&p->worker->env, loop_now_ms(p->worker->env.loop), MAINTENANCE_SLICE);
        break;
    case WORKER_BOUNDS: worker_set_bounds(p->worker, c->bounds); break;
    case WORKER_RETRY: worker_set_retry(p->worker, c->more); break;
    }
    free(p);
}

void worker_post(struct worker *w, const struct worker_command *command) {
    struct posted_command *p = mem_alloc(sizeof *p);
    *p = (struct posted_command){.job.run = on_command, .worker = w, .command = *command};
    if (w->pipe && command->verb == WORKER_ADD && command->sink.fd >= 0)
        fd_pipe_send(w->pipe, command->sink.fd);
    loop_post(w->env.loop, &p->job);
}

// The thread

static int worker_unshare_descriptors(const struct worker *w) {
    int keep[LOOP_DESCRIPTORS + 2];
    loop_run_descriptors(w->env.loop, keep);
    keep[LOOP_DESCRIPTORS] = loop_post_descriptor(w->control);
    keep[LOOP_DESCRIPTORS + 1] = fd_pipe_receiving_end(w->pipe);
    return fd_table_unshare(keep, sizeof keep / sizeof *keep);
}

static void *worker_run(void *arg) {
    struct worker *w = arg;
    if (w->pipe) w->error = worker_unshare_descriptors(w);
    bool fine = !w->error;
    sem_post(&w->started);
    if (!fine) return NULL;
    loop_run(w->env.loop);
    while (w->channels) worker_retire(w, w->channels, FAN_END_STOPPING);
    loop_drain(w->env.loop);
    return NULL;
}

static int worker_start_thread(struct worker *w) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old); // signals are the control loop's
    int error = -pthread_create(&w->thread, NULL, worker_run, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (error) return error;
    while (sem_wait(&w->started) < 0) continue;
    if (w->error) pthread_join(w->thread, NULL);
    return w->error;
}

static int worker_start(struct worker *w, const struct worker_config *config) {
    int error = 0;
    w->env.loop = loop_new();
    if (!w->env.loop) return -errno;
    if (config->own_descriptors) w->pipe = fd_pipe_new(w->control, &error);
    if (error) return error;
    loop_set_before_wait(w->env.loop, on_before_wait, w);
    loop_timer_start(w->env.loop, &w->sweep, SWEEP_MS);
    return worker_start_thread(w);
}

struct worker *worker_new(struct loop *control, const struct worker_config *config, int *error) {
    struct worker *w = mem_zalloc(sizeof *w);
    w->control = control;
    w->env.bounds = config->bounds;
    w->env.on_closed = config->listener.on_closed;
    w->listener = config->listener;
    worker_compare_clocks(w);
    w->sweep.on_due = on_sweep;
    w->flush.on_due = on_flush_due;
    w->report.on_due = on_report_due;
    w->stalled.on_due = on_stalled_due;
    w->relief.on_due = on_relief_due;
    sem_init(&w->started, 0, 0);
    *error = worker_start(w, config);
    if (!*error) return w;
    worker_free(w);
    return NULL;
}

struct stop {
    struct loop_job job;
    struct worker *worker;
};

static void on_stop(struct loop_job *job) {
    loop_stop(((struct stop *)job)->worker->env.loop);
}

void worker_stop(struct worker *w) {
    struct stop stop = {.job.run = on_stop, .worker = w};
    if (w->pipe) fd_pipe_flush(w->pipe); // there are commands that wait for them
    loop_post(w->env.loop, &stop.job);
    pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w) {
    fd_pipe_free(w->pipe);
    loop_free(w->env.loop);
    sem_destroy(&w->started);
    free(w);
}

struct channel_env *worker_env(struct worker *w) {
    return &w->env;
}
