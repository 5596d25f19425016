// net/loop.h over the simulated clock and sockets. Registrations behave as epoll(7) says: with EPOLLET an
// event is reported once for each change, otherwise in every turn as long as the condition lasts.
#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core.h"
#include "net/timer_heap.h"

struct loop {
    struct sim_process *process;
    struct loop *next_of_process;
    struct sock descriptors[LOOP_DESCRIPTORS]; // what a real one needs
    struct sim_thread *thread;                 // that waits in loop_run()
    bool stopping;
    int64_t now_ms;

    struct sock *queued, **queued_tail; // may have events
    struct sock **batch;                // of this turn
    size_t batch_count, batch_room;

    struct timer_heap timers;

    uint64_t turn;
    struct loop_job *deferred, **deferred_tail;
    struct loop_job *next_turn, **next_turn_tail;
    struct loop_job *posted, **posted_tail;

    void (*before_wait)(void *);
    void *before_wait_arg;

    int64_t begun_us;
    struct loop_lag lag;
};

struct loop *loop_new(void) {
    struct loop *l = mem_zalloc(sizeof *l);
    for (int i = 0; i < LOOP_DESCRIPTORS; i++) {
        if (sock_add(world.self, &l->descriptors[i]) >= 0) continue;
        if (i) sock_remove(&l->descriptors[0]);
        free(l);
        errno = EMFILE;
        return NULL;
    }
    l->process = world.self;
    l->next_of_process = l->process->loops;
    l->process->loops = l;
    l->deferred_tail = &l->deferred;
    l->next_turn_tail = &l->next_turn;
    l->posted_tail = &l->posted;
    l->queued_tail = &l->queued;
    l->now_ms = clock_monotonic_ms();
    return l;
}

static void loop_run_jobs(struct loop_job *job) {
    while (job) {
        struct loop_job *next = job->next; // run() may free the job
        job->run(job);
        job = next;
    }
}

static void run_posted(struct loop *l) {
    struct loop_job *jobs = l->posted;
    l->posted = NULL;
    l->posted_tail = &l->posted;
    loop_run_jobs(jobs);
}

static void run_next_turn(struct loop *l) {
    struct loop_job *jobs = l->next_turn;
    l->next_turn = NULL;
    l->next_turn_tail = &l->next_turn;
    loop_run_jobs(jobs);
}

static void run_deferred(struct loop *l) {
    while (l->deferred) {
        struct loop_job *jobs = l->deferred;
        l->deferred = NULL;
        l->deferred_tail = &l->deferred;
        loop_run_jobs(jobs);
    }
}

void loop_drain(struct loop *l) {
    run_posted(l);
    run_next_turn(l);
    run_deferred(l);
}

static void loop_unlink(struct loop *l) {
    struct loop **at = &l->process->loops;
    while (*at != l) at = &(*at)->next_of_process;
    *at = l->next_of_process;
    kernel_free(l->batch);
}

void loop_free(struct loop *l) {
    if (!l) return;
    loop_drain(l);
    for (int i = 0; i < LOOP_DESCRIPTORS; i++) sock_remove(&l->descriptors[i]);
    loop_unlink(l);
    timer_heap_release(&l->timers);
    free(l);
}

void loop_forget(struct sim_process *p) {
    while (p->loops) loop_unlink(p->loops);
}

// Events

static void loop_wake(struct loop *l) {
    if (l->thread) thread_wake(l->thread);
}

void loop_queue(struct sock *s) {
    struct loop *l = s->loop;
    if (!l || s->queued) return;
    s->queued = true;
    s->next_queued = NULL;
    *l->queued_tail = s;
    l->queued_tail = &s->next_queued;
    loop_wake(l);
}

void loop_unqueue(struct sock *s) {
    struct loop *l = s->loop;
    if (!l) return;
    for (size_t i = 0; i < l->batch_count; i++)
        if (l->batch[i] == s) l->batch[i] = NULL;
    if (!s->queued) return;
    s->queued = false;
    struct sock **at = &l->queued;
    while (*at != s) at = &(*at)->next_queued;
    *at = s->next_queued;
    if (!*at) l->queued_tail = at;
}

static uint32_t sock_events(const struct sock *s) {
    return sock_readiness(s) & (s->events | EPOLLERR | EPOLLHUP);
}

int loop_fd_add(struct loop *l, struct loop_fd *f, int fd, uint32_t events) {
    struct sock *s = sock_of(fd);
    f->fd = -1;
    if (!s) return -EBADF;
    if (s->watch) return -EEXIST;
    s->loop = l;
    s->watch = f;
    s->events = events;
    f->fd = fd;
    if (sock_events(s)) loop_queue(s);
    return 0;
}

int loop_fd_change(struct loop *l, struct loop_fd *f, uint32_t events) {
    struct sock *s = sock_of(f->fd);
    if (!s || s->loop != l) return -ENOENT;
    s->events = events;
    if (sock_events(s)) loop_queue(s);
    return 0;
}

void loop_fd_remove(struct loop *l, struct loop_fd *f) {
    if (f->fd < 0) return;
    struct sock *s = sock_of(f->fd);
    f->fd = -1;
    if (!s || s->loop != l || s->watch != f) return;
    loop_unqueue(s);
    s->loop = NULL;
    s->watch = NULL;
}

static void loop_fill_batch(struct loop *l) {
    struct sock *s = l->queued;
    l->queued = NULL;
    l->queued_tail = &l->queued;
    l->batch_count = 0;
    for (; s; s = s->next_queued) {
        if (l->batch_count == l->batch_room) {
            l->batch_room = l->batch_room ? l->batch_room * 2 : 64;
            l->batch = kernel_grow(l->batch, l->batch_room * sizeof(struct sock *));
        }
        s->queued = false;
        l->batch[l->batch_count++] = s;
    }
}

// The kernel reports descriptors in no order that a program could rely on.
static void loop_shuffle_batch(struct loop *l) {
    for (size_t i = l->batch_count; i > 1; i--) {
        size_t other = (size_t)sim_random(i);
        struct sock *s = l->batch[other];
        l->batch[other] = l->batch[i - 1];
        l->batch[i - 1] = s;
    }
}

static void run_events(struct loop *l) {
    if (!l->queued) return;
    loop_fill_batch(l);
    loop_shuffle_batch(l);
    for (size_t i = 0; i < l->batch_count; i++) {
        struct sock *s = l->batch[i];
        uint32_t events = s ? sock_events(s) : 0;
        if (!events) continue;
        struct loop_fd *watch = s->watch;
        if (!(s->events & EPOLLET)) loop_queue(s);
        watch->on_event(watch, events);
    }
    l->batch_count = 0;
}

// Timers

void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t delay_ms) {
    timer_heap_start(&l->timers, t, l->now_ms + delay_ms);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t) {
    timer_heap_stop(&l->timers, t);
}

// Jobs

// A job that is in a list already would cut off those behind it.
static void loop_check_job(const struct loop_job *first, const struct loop_job *job) {
    for (; first; first = first->next) assert(first != job);
}

static void loop_append(struct loop_job ***tail, struct loop_job *job) {
    job->next = NULL;
    **tail = job;
    *tail = &job->next;
}

void loop_defer(struct loop *l, struct loop_job *job) {
    loop_check_job(l->deferred, job);
    loop_append(&l->deferred_tail, job);
}

void loop_next_turn(struct loop *l, struct loop_job *job) {
    loop_check_job(l->next_turn, job);
    loop_append(&l->next_turn_tail, job);
}

void loop_post(struct loop *l, struct loop_job *job) {
    loop_check_job(l->posted, job);
    loop_append(&l->posted_tail, job);
    loop_wake(l);
}

// Turns

// As epoll_wait(2), which takes whole milliseconds.
static void loop_wait(struct loop *l) {
    int64_t due_us = INT64_MAX;
    bool busy = l->stopping || l->deferred || l->next_turn || l->posted || l->queued;
    const struct loop_timer *first = timer_heap_first(&l->timers);
    if (!busy && first) {
        int64_t wait_ms = first->due_ms - clock_monotonic_ms();
        busy = wait_ms <= 0;
        due_us = world.now_us + wait_ms * 1000;
    }
    l->thread = world.running;
    if (busy)
        thread_yield();
    else
        thread_wait(l, due_us);
    l->thread = NULL;
}

static void loop_record_turn(struct loop *l, int64_t now_us) {
    unsigned step = 0;
    if (!l->begun_us) return;
    uint64_t us = (uint64_t)(now_us - l->begun_us);
    l->begun_us = 0;
    while (step < LOOP_LAG_STEPS - 1 && us >= (uint64_t)loop_lag_step_us(step)) step++;
    l->lag.turns++;
    l->lag.busy_us += us;
    l->lag.within[step]++;
    if (us > l->lag.longest_us) l->lag.longest_us = us;
}

int loop_run(struct loop *l) {
    l->stopping = false;
    while (!l->stopping) {
        if (l->before_wait) l->before_wait(l->before_wait_arg);
        loop_record_turn(l, clock_monotonic_us());
        loop_wait(l);
        l->begun_us = clock_monotonic_us();
        l->now_ms = l->begun_us / 1000;
        l->turn++;
        run_events(l);
        run_posted(l);
        run_next_turn(l);
        timer_heap_run_due(&l->timers, l->now_ms);
        run_deferred(l);
    }
    loop_record_turn(l, clock_monotonic_us());
    return 0;
}

void loop_stop(struct loop *l) {
    l->stopping = true;
}

int64_t loop_now_ms(const struct loop *l) {
    return l->now_ms;
}

uint64_t loop_turn(const struct loop *l) {
    return l->turn;
}

struct loop_lag loop_lag(const struct loop *l) {
    return l->lag;
}

void loop_run_descriptors(const struct loop *l, int fds[LOOP_DESCRIPTORS]) {
    for (int i = 0; i < LOOP_DESCRIPTORS; i++) fds[i] = l->descriptors[i].fd;
}

int loop_post_descriptor(const struct loop *l) {
    return l->descriptors[1].fd;
}

void loop_set_before_wait(struct loop *l, void (*before_wait)(void *arg), void *arg) {
    l->before_wait = before_wait;
    l->before_wait_arg = arg;
}
