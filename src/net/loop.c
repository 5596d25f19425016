#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "timer_heap.h"

enum { EVENTS_PER_TURN = 1024, LONGEST_WAIT_MS = 60000 };

struct loop {
    int epoll;
    bool stopping;
    int64_t now_ms;
    struct epoll_event events[EVENTS_PER_TURN]; // of this turn; data.ptr NULL: removed since
    int event_count;

    struct timer_heap timers;

    uint64_t turn;
    struct loop_job *deferred, **deferred_tail;
    struct loop_job *next_turn, **next_turn_tail;

    struct loop_fd wake; // an eventfd that loop_post() writes to
    pthread_mutex_t post_lock;
    struct loop_job *posted, **posted_tail; // under post_lock

    void (*before_wait)(void *);
    void *before_wait_arg;

    int64_t begun_us; // this turn; 0 between turns
    struct {
        _Atomic uint64_t turns, busy_us, longest_us,
            within[LOOP_LAG_STEPS]; // written by the loop's thread only
    } lag;
};

static void on_wake(struct loop_fd *, uint32_t events);

struct loop *loop_new(void) {
    struct loop *l = mem_zalloc(sizeof *l);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    int wake = l->epoll < 0 ? -1 : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake < 0) {
        int error = errno;
        if (l->epoll >= 0) close(l->epoll);
        free(l);
        errno = error;
        return NULL;
    }
    l->deferred_tail = &l->deferred;
    l->next_turn_tail = &l->next_turn;
    l->posted_tail = &l->posted;
    pthread_mutex_init(&l->post_lock, NULL);
    l->now_ms = clock_monotonic_ms();
    l->wake.on_event = on_wake;
    loop_fd_add(l, &l->wake, wake, EPOLLIN);
    return l;
}

static void on_wake(struct loop_fd *fd, uint32_t events) {
    (void)events;
    uint64_t count;
    ssize_t ignored = read(fd->fd, &count, sizeof count);
    (void)ignored; // run_posted() looks at the list in every turn
}

static void loop_run_jobs(struct loop_job *job) {
    while (job) {
        struct loop_job *next = job->next; // run() may free the job
        job->run(job);
        job = next;
    }
}

static void run_posted(struct loop *l) {
    pthread_mutex_lock(&l->post_lock);
    struct loop_job *jobs = l->posted;
    l->posted = NULL;
    l->posted_tail = &l->posted;
    pthread_mutex_unlock(&l->post_lock);
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

void loop_free(struct loop *l) {
    if (!l) return;
    loop_drain(l);
    close(l->wake.fd);
    close(l->epoll);
    pthread_mutex_destroy(&l->post_lock);
    timer_heap_release(&l->timers);
    free(l);
}

static int wait_ms(const struct loop *l, int64_t now_ms) {
    if (l->stopping || l->deferred || l->next_turn) return 0; // before_wait() may have deferred something
    const struct loop_timer *first = timer_heap_first(&l->timers);
    if (!first) return LONGEST_WAIT_MS;
    int64_t wait = first->due_ms - now_ms;
    return wait < 0 ? 0 : wait > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)wait;
}

static void run_events(struct loop *l, int count) {
    l->event_count = count;
    for (int i = 0; i < count; i++) {
        struct loop_fd *fd = l->events[i].data.ptr;
        if (fd) fd->on_event(fd, l->events[i].events);
    }
    l->event_count = 0;
}

// Only the loop's thread writes, so no locked instruction is needed.
static void lag_add(_Atomic uint64_t *sum, uint64_t more) {
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + more, memory_order_relaxed);
}

// Records a turn that ended at `now_us`; before the first turn there is none.
static void loop_record_turn(struct loop *l, int64_t now_us) {
    unsigned step = 0;
    if (!l->begun_us) return;
    uint64_t us = (uint64_t)(now_us - l->begun_us);
    l->begun_us = 0;
    while (step < LOOP_LAG_STEPS - 1 && us >= (uint64_t)loop_lag_step_us(step)) step++;
    lag_add(&l->lag.turns, 1);
    lag_add(&l->lag.busy_us, us);
    lag_add(&l->lag.within[step], 1);
    if (us > atomic_load_explicit(&l->lag.longest_us, memory_order_relaxed))
        atomic_store_explicit(&l->lag.longest_us, us, memory_order_relaxed);
}

int loop_run(struct loop *l) {
    l->stopping = false;
    while (!l->stopping) {
        if (l->before_wait) l->before_wait(l->before_wait_arg);
        int64_t now_us = clock_monotonic_us();
        loop_record_turn(l, now_us);
        int n = epoll_wait(l->epoll, l->events, EVENTS_PER_TURN, wait_ms(l, now_us / 1000));
        if (n < 0 && errno != EINTR) return -errno;
        l->begun_us = clock_monotonic_us();
        l->now_ms = l->begun_us / 1000;
        l->turn++;
        run_events(l, n);
        run_posted(l);
        run_next_turn(l);
        timer_heap_run_due(&l->timers, l->now_ms);
        run_deferred(l);
    }
    loop_record_turn(l, clock_monotonic_us());
    return 0;
}

struct loop_lag loop_lag(const struct loop *l) {
    struct loop_lag lag = {.turns = l->lag.turns, .busy_us = l->lag.busy_us, .longest_us = l->lag.longest_us};
    for (unsigned i = 0; i < LOOP_LAG_STEPS; i++) lag.within[i] = l->lag.within[i];
    return lag;
}

void loop_stop(struct loop *l) {
    l->stopping = true;
}

int64_t loop_now_ms(const struct loop *l) {
    return l->now_ms;
}

int loop_fd_add(struct loop *l, struct loop_fd *f, int fd, uint32_t events) {
    struct epoll_event e = {.events = events, .data.ptr = f};
    f->fd = -1;
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) < 0) return -errno;
    f->fd = fd;
    return 0;
}

int loop_fd_change(struct loop *l, struct loop_fd *f, uint32_t events) {
    struct epoll_event e = {.events = events, .data.ptr = f};
    return epoll_ctl(l->epoll, EPOLL_CTL_MOD, f->fd, &e) < 0 ? -errno : 0;
}

void loop_fd_remove(struct loop *l, struct loop_fd *f) {
    if (f->fd < 0) return;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL);
    f->fd = -1;
    for (int i = 0; i < l->event_count; i++)
        if (l->events[i].data.ptr == f) l->events[i].data.ptr = NULL;
}

void loop_timer_start(struct loop *l, struct loop_timer *t, int64_t delay_ms) {
    timer_heap_start(&l->timers, t, l->now_ms + delay_ms);
}

void loop_timer_stop(struct loop *l, struct loop_timer *t) {
    timer_heap_stop(&l->timers, t);
}

static void loop_append(struct loop_job ***tail, struct loop_job *job) {
    job->next = NULL;
    **tail = job;
    *tail = &job->next;
}

void loop_defer(struct loop *l, struct loop_job *job) {
    loop_append(&l->deferred_tail, job);
}

void loop_next_turn(struct loop *l, struct loop_job *job) {
    loop_append(&l->next_turn_tail, job);
}

uint64_t loop_turn(const struct loop *l) {
    return l->turn;
}

void loop_post(struct loop *l, struct loop_job *job) {
    pthread_mutex_lock(&l->post_lock);
    bool was_empty = !l->posted;
    loop_append(&l->posted_tail, job);
    pthread_mutex_unlock(&l->post_lock);
    if (!was_empty) return; // the loop has been woken already
    uint64_t one = 1;
    ssize_t ignored = write(l->wake.fd, &one, sizeof one);
    (void)ignored; // only fails when the counter is full, and then the loop is awake
}

void loop_run_descriptors(const struct loop *l, int fds[LOOP_DESCRIPTORS]) {
    fds[0] = l->epoll;
    fds[1] = l->wake.fd;
}

int loop_post_descriptor(const struct loop *l) {
    return l->wake.fd;
}

void loop_set_before_wait(struct loop *l, void (*before_wait)(void *arg), void *arg) {
    l->before_wait = before_wait;
    l->before_wait_arg = arg;
}
