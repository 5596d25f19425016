#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/container_of.h"
#include "base/mem.h"
#include "not_inside.h"
#include "run_loop.h"

static struct loop *loop;

static int set_up(void **state) {
    (void)state;
    moved_clock_stand();
    loop = loop_new();
    return !loop;
}

static int tear_down(void **state) {
    (void)state;
    loop_free(loop);
    return 0;
}

// Timers

struct alarm_clock {
    struct loop_timer timer;
    int64_t wanted_ms; // when it should ring; -1: not at all
    unsigned rang;
    int64_t rang_ms;
    struct alarm_clock *other; // which it stops or moves when it rings
    int64_t move_ms;           // -1: stops it
};

static int64_t last_rung_ms;

static void on_ring(struct loop_timer *t) {
    struct alarm_clock *a = container_of(t, struct alarm_clock, timer);
    assert_int_equal(t->slot, 0); // it may be started again here
    a->rang++;
    a->rang_ms = loop_now_ms(loop);
    assert_true(t->due_ms >= last_rung_ms); // earlier ones come first
    last_rung_ms = t->due_ms;
    if (!a->other) return;
    if (a->move_ms < 0)
        loop_timer_stop(loop, &a->other->timer);
    else
        loop_timer_start(loop, &a->other->timer, a->move_ms);
}

static void start(struct alarm_clock *a, int64_t delay_ms) {
    a->timer.on_due = on_ring;
    a->wanted_ms = loop_now_ms(loop) + delay_ms;
    loop_timer_start(loop, &a->timer, delay_ms);
}

static uint32_t seed = 12345;

static uint32_t next_random(uint32_t below) { // the same numbers in every run
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % below;
}

enum { CLOCKS = 500 };
static struct alarm_clock clocks[CLOCKS];

static int reset_clocks(void **state) {
    memset(clocks, 0, sizeof clocks);
    last_rung_ms = 0;
    return set_up(state);
}

static void check_clocks(void) {
    int64_t now = loop_now_ms(loop);
    for (int i = 0; i < CLOCKS; i++) {
        struct alarm_clock *a = &clocks[i];
        bool due = a->wanted_ms >= 0 && a->wanted_ms <= now;
        assert_int_equal(a->rang, due);
        if (due) assert_true(a->rang_ms >= a->wanted_ms);
        assert_int_equal(a->timer.slot != 0, a->wanted_ms > now);
    }
}

static void test_timers_fire_once_in_order_and_not_early(void **state) {
    (void)state;
    for (int i = 0; i < CLOCKS; i++) start(&clocks[i], next_random(300));
    for (int i = 0; i <= 310; i++) {
        run_turns(loop, 2);
        check_clocks();
        moved_clock.now_ms++;
    }
    for (int i = 0; i < CLOCKS; i++) assert_int_equal(clocks[i].rang_ms, clocks[i].wanted_ms);
}

static void test_all_due_timers_fire_in_one_turn(void **state) {
    (void)state;
    for (int i = 0; i < CLOCKS; i++) start(&clocks[i], next_random(1000));
    run_later(loop, 1000);
    check_clocks();
}

static void test_timers_started_moved_and_stopped_in_any_order(void **state) {
    (void)state;
    for (int i = 0; i < CLOCKS; i++) clocks[i].wanted_ms = -1;
    for (int step = 0; step < 20000; step++) {
        struct alarm_clock *a = &clocks[next_random(CLOCKS)];
        switch (next_random(6)) {
        case 0:
        case 1:
        case 2:
            if (a->rang) break;
            start(a, 1 + next_random(200)); // starts or moves it
            break;
        case 3:
            if (a->rang) break;
            loop_timer_stop(loop, &a->timer);
            a->wanted_ms = -1;
            break;
        case 4:
            if (a->rang) *a = (struct alarm_clock){.wanted_ms = -1}; // begin again
            break;
        case 5: run_later(loop, next_random(3)); break;
        }
        if (step % 100 == 0) check_clocks();
    }
    run_later(loop, 1000);
    check_clocks();
}

static void test_a_timer_stopped_by_one_due_with_it_does_not_fire(void **state) {
    (void)state;
    struct alarm_clock *first = &clocks[0], *second = &clocks[1];
    *first = (struct alarm_clock){.other = second, .move_ms = -1};
    start(first, 10);
    start(second, 11);
    run_later(loop, 20);
    assert_int_equal(first->rang, 1);
    assert_int_equal(second->rang, 0);
    run_later(loop, 1000);
    assert_int_equal(second->rang, 0);
}

static void test_a_timer_moved_by_one_due_with_it_fires_later(void **state) {
    (void)state;
    struct alarm_clock *first = &clocks[0], *second = &clocks[1];
    *first = (struct alarm_clock){.other = second, .move_ms = 50};
    start(first, 10);
    start(second, 11);
    run_later(loop, 20);
    assert_int_equal(second->rang, 0);
    run_later(loop, 49);
    assert_int_equal(second->rang, 0);
    run_later(loop, 1);
    assert_int_equal(second->rang, 1);
}

static void test_a_timer_moved_earlier_fires_in_the_same_turn(void **state) {
    (void)state;
    struct alarm_clock *first = &clocks[0], *second = &clocks[1];
    *first = (struct alarm_clock){.other = second, .move_ms = 0};
    start(first, 10);
    start(second, 5000);
    run_later(loop, 10);
    run_turns(loop, 1);
    assert_int_equal(second->rang, 1);
}

static void test_a_timer_may_restart_itself(void **state) {
    (void)state;
    clocks[0] = (struct alarm_clock){.other = &clocks[0], .move_ms = 10};
    start(&clocks[0], 10);
    for (unsigned i = 1; i <= 5; i++) {
        run_later(loop, 9);
        assert_int_equal(clocks[0].rang, i - 1);
        run_later(loop, 1);
        assert_int_equal(clocks[0].rang, i);
    }
    loop_timer_stop(loop, &clocks[0].timer);
    loop_timer_stop(loop, &clocks[0].timer); // stopped twice is stopped
}

// Found here: the loop never left such a timer, and nothing else ever ran.
static void test_a_timer_that_restarts_itself_immediately_starves_nothing(void **state) {
    (void)state;
    clocks[0] = (struct alarm_clock){.other = &clocks[0], .move_ms = 0};
    start(&clocks[0], 0);
    alarm(HANG_S);
    run_turns(loop, 10);
    assert_int_equal(clocks[0].rang, 10);
}

static bool has_rung(void *arg) {
    return ((struct alarm_clock *)arg)->rang > 0;
}

static void test_by_the_real_clock_no_timer_is_early(void **state) {
    (void)state;
    moved_clock_run();
    for (int ms = 0; ms < 8; ms++) {
        struct timespec before, after;
        struct alarm_clock a = {0};
        run_turns(loop, 1);
        clock_gettime(CLOCK_MONOTONIC, &before);
        start(&a, ms);
        run_until(loop, has_rung, &a);
        clock_gettime(CLOCK_MONOTONIC, &after);
        int64_t us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
        assert_true(us >= (ms - 1) * 1000); // the turn's time was read a moment before
    }
    moved_clock_stand();
}

static void test_time_stands_still_within_a_turn(void **state) {
    (void)state;
    start(&clocks[0], 1);
    start(&clocks[1], 2);
    moved_clock.now_ms += 5;
    int64_t now = moved_clock.now_ms;
    run_turns(loop, 1);
    assert_int_equal(clocks[0].rang_ms, now);
    assert_int_equal(clocks[1].rang_ms, now);
    assert_int_equal(loop_now_ms(loop), now);
    moved_clock.now_ms += 5;
    assert_int_equal(loop_now_ms(loop), now); // until the next turn
}

// Descriptors

struct ear {
    struct loop_fd watch;
    int in, out; // a pipe
    unsigned events_seen;
    uint32_t events;
    void (*then)(struct ear *);
    struct ear *other;
    struct loop_job free_job;
};

static void on_heard(struct loop_fd *f, uint32_t events) {
    struct ear *e = container_of(f, struct ear, watch);
    e->events_seen++;
    e->events = events;
    if (e->then) e->then(e);
}

static void open_ear(struct ear *e) {
    int fds[2];
    *e = (struct ear){.watch.on_event = on_heard};
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    e->in = fds[0];
    e->out = fds[1];
    assert_int_equal(loop_fd_add(loop, &e->watch, e->in, EPOLLIN), 0);
}

static void close_ear(struct ear *e) {
    loop_fd_remove(loop, &e->watch);
    close(e->in);
    close(e->out);
}

static void shout(struct ear *e) {
    assert_int_equal(write(e->out, "!", 1), 1);
}

static void test_a_descriptor_has_events_until_removed(void **state) {
    (void)state;
    struct ear e;
    open_ear(&e);
    run_turns(loop, 3);
    assert_int_equal(e.events_seen, 0);
    shout(&e);
    run_turns(loop, 3);
    assert_int_equal(e.events_seen, 3); // level-triggered: it has not been read
    assert_int_equal(e.events, EPOLLIN);
    loop_fd_remove(loop, &e.watch);
    assert_int_equal(e.watch.fd, -1);
    loop_fd_remove(loop, &e.watch); // removed twice is removed
    run_turns(loop, 3);
    assert_int_equal(e.events_seen, 3);
    assert_int_equal(fcntl(e.in, F_GETFD), FD_CLOEXEC); // still open
    assert_int_equal(loop_fd_add(loop, &e.watch, e.in, EPOLLIN), 0);
    run_turns(loop, 1);
    assert_int_equal(e.events_seen, 4);
    close_ear(&e);
}

static void test_the_watched_events_can_be_changed(void **state) {
    (void)state;
    struct ear e;
    open_ear(&e);
    shout(&e);
    assert_int_equal(loop_fd_change(loop, &e.watch, 0), 0);
    run_turns(loop, 2);
    assert_int_equal(e.events_seen, 0);
    assert_int_equal(loop_fd_change(loop, &e.watch, EPOLLIN), 0);
    run_turns(loop, 1);
    assert_int_equal(e.events_seen, 1);
    close(e.out);
    e.out = -1;
    run_turns(loop, 1);
    assert_true(e.events & EPOLLHUP);
    close_ear(&e);
}

static void test_descriptors_that_cannot_be_watched(void **state) {
    (void)state;
    struct loop_fd f = {.fd = 7, .on_event = on_heard};
    assert_int_equal(loop_fd_add(loop, &f, 1 << 20, EPOLLIN), -EBADF);
    assert_int_equal(f.fd, -1);
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(loop_fd_add(loop, &f, file, EPOLLIN), -EPERM);
    assert_int_equal(f.fd, -1);
    close(file);
    assert_true(loop_fd_change(loop, &f, EPOLLIN) < 0);
    loop_fd_remove(loop, &f);
}

static void open_two(struct ear *a, struct ear *b, void (*then)(struct ear *)) {
    open_ear(a);
    open_ear(b);
    a->then = b->then = then;
    a->other = b;
    b->other = a;
}

static void shout_both(struct ear *a, struct ear *b) {
    shout(a);
    shout(b);
}

static void remove_other(struct ear *e) {
    loop_fd_remove(loop, &e->other->watch);
}

// The first one removes the other, whose event has been fetched already.
static void test_a_descriptor_removed_in_the_same_turn_has_no_event(void **state) {
    (void)state;
    struct ear a, b;
    open_two(&a, &b, remove_other);
    shout_both(&a, &b);
    run_turns(loop, 1);
    assert_int_equal(a.events_seen + b.events_seen, 1);
    close_ear(&a);
    close_ear(&b);
}

static void on_free(struct loop_job *job) {
    free(container_of(job, struct ear, free_job));
}

static struct ear *kept;

static void remove_and_free_other(struct ear *e) {
    kept = e;
    close_ear(e->other);
    e->other->free_job.run = on_free;
    loop_defer(loop, &e->other->free_job);
}

// A sanitizer watches.
static void test_an_owner_freed_at_the_end_of_the_turn_is_not_touched(void **state) {
    (void)state;
    struct ear *a = mem_zalloc(sizeof *a), *b = mem_zalloc(sizeof *b);
    open_two(a, b, remove_and_free_other);
    shout_both(a, b);
    kept = NULL;
    run_turns(loop, 1);
    assert_non_null(kept);
    assert_int_equal(kept->events_seen, 1);
    close_ear(kept);
    free(kept);
}

static void watch_other_anew(struct ear *e) {
    struct ear *o = e->other;
    e->then = o->then = NULL;
    close_ear(o);
    open_ear(o);
}

// Found here: the event fetched for the old descriptor reached the new one of the same owner.
static void test_a_new_descriptor_does_not_inherit_an_old_event(void **state) {
    (void)state;
    struct ear a, b;
    open_two(&a, &b, watch_other_anew);
    shout_both(&a, &b);
    run_turns(loop, 1);
    assert_int_equal(a.events_seen + b.events_seen, 1);
    shout_both(&a, &b);
    run_turns(loop, 1);
    assert_true(a.events_seen >= 1 && b.events_seen >= 1);
    close_ear(&a);
    close_ear(&b);
}

static void test_more_descriptors_than_fit_in_a_turn(void **state) {
    (void)state;
    enum { MANY = 400 };
    static struct ear ears[MANY];
    for (int i = 0; i < MANY; i++) open_ear(&ears[i]);
    for (int i = 0; i < MANY; i++) shout(&ears[i]);
    run_turns(loop, 3);
    for (int i = 0; i < MANY; i++) {
        assert_true(ears[i].events_seen > 0);
        close_ear(&ears[i]);
    }
}

// Jobs

struct job {
    struct loop_job job;
    unsigned thread, number;
};

enum { THREADS = 4, JOBS = 5000 };

static struct {
    pthread_t loop_thread;
    unsigned next[THREADS], total;
} jobs;

static void on_job(struct loop_job *j) {
    struct job *job = container_of(j, struct job, job);
    assert_true(pthread_equal(pthread_self(), jobs.loop_thread));
    assert_int_equal(job->number, jobs.next[job->thread]);
    jobs.next[job->thread]++;
    jobs.total++;
    free(job); // the owner's again
}

static void *post_jobs(void *arg) {
    unsigned thread = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < JOBS; i++) {
        struct job *job = mem_zalloc(sizeof *job);
        *job = (struct job){.job.run = on_job, .thread = thread, .number = i};
        loop_post(loop, &job->job);
        if (i % 500 == 0) sched_yield(); // now and then the loop has gone to sleep
    }
    return NULL;
}

static bool all_jobs_done(void *arg) {
    (void)arg;
    return jobs.total == THREADS * JOBS;
}

static void test_jobs_of_several_threads_keep_each_threads_order(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    memset(&jobs, 0, sizeof jobs);
    jobs.loop_thread = pthread_self();
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, post_jobs, (void *)i), 0);
    run_until(loop, all_jobs_done, NULL);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_int_equal(jobs.next[i], JOBS);
}

struct note {
    struct loop_job job;
    char letter;
    struct note *posts, *defers; // what it asks for when it runs
    bool stops;
};

static char diary[64];

static int open_diary(void **state) {
    diary[0] = 0;
    return reset_clocks(state);
}

static void on_note(struct loop_job *j) {
    struct note *n = container_of(j, struct note, job);
    size_t len = strlen(diary);
    diary[len] = n->letter;
    diary[len + 1] = 0;
    if (n->posts) loop_post(loop, &n->posts->job);
    if (n->defers) loop_defer(loop, &n->defers->job);
    if (n->stops) loop_stop(loop);
}

static struct note note(char letter) {
    return (struct note){.job.run = on_note, .letter = letter};
}

static void test_posted_jobs_come_before_deferred_ones(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b'), c = note('c'), d = note('d');
    loop_defer(loop, &c.job);
    loop_defer(loop, &d.job);
    loop_post(loop, &a.job);
    loop_post(loop, &b.job);
    run_turns(loop, 1);
    assert_string_equal(diary, "abcd");
}

static void test_a_job_deferred_by_a_deferred_one_runs_in_the_same_turn(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b'), c = note('c');
    a.defers = &b;
    b.defers = &c;
    loop_defer(loop, &a.job);
    run_turns(loop, 1);
    assert_string_equal(diary, "abc");
}

static void test_a_job_posted_by_a_posted_one_runs_in_the_next_turn(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b');
    a.posts = &b;
    b.posts = &a; // in every turn, yet each turn ends
    loop_post(loop, &a.job);
    run_turns(loop, 1);
    assert_string_equal(diary, "a");
    run_turns(loop, 3);
    assert_string_equal(diary, "abab");
    b.posts = a.posts = NULL;
    run_turns(loop, 1);
}

static bool diary_says(void *text) {
    return !strcmp(diary, text);
}

static void test_a_job_may_be_posted_again_once_it_runs(void **state) {
    (void)state;
    struct note a = note('a');
    a.posts = &a;
    loop_post(loop, &a.job);
    run_until(loop, diary_says, "aaaa");
    a.posts = NULL;
    size_t before = strlen(diary);
    run_turns(loop, 3);
    assert_int_equal(strlen(diary), before + 1); // the one that was posted already, and no more
}

static void test_pending_jobs_run_before_a_loop_is_freed(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b'), c = note('c');
    a.defers = &c;
    loop_defer(loop, &b.job);
    loop_post(loop, &a.job);
    loop_free(loop);
    assert_string_equal(diary, "abc");
    loop = loop_new();
}

static void test_draining_runs_only_pending_jobs(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b');
    start(&clocks[0], 0);
    loop_post(loop, &a.job);
    loop_defer(loop, &b.job);
    loop_drain(loop);
    assert_string_equal(diary, "ab");
    assert_int_equal(clocks[0].rang, 0);
    loop_drain(loop);
    assert_string_equal(diary, "ab");
    loop_timer_stop(loop, &clocks[0].timer);
}

static void test_stopping_finishes_the_turn(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b'), c = note('c');
    a.stops = true;
    a.defers = &c;
    loop_post(loop, &a.job);
    loop_post(loop, &b.job);
    alarm(HANG_S);
    assert_int_equal(loop_run(loop), 0);
    alarm(0);
    assert_string_equal(diary, "abc");
}

static struct {
    struct note *note;
    unsigned calls;
} hook;

static void on_hook(void *arg) {
    assert_ptr_equal(arg, &hook);
    if (hook.calls++ == 0) loop_defer(loop, &hook.note->job);
}

// Found here: it slept up to a minute first.
static void test_a_job_deferred_before_waiting_does_not_wait(void **state) {
    (void)state;
    struct note a = note('a');
    a.stops = true;
    memset(&hook, 0, sizeof hook);
    hook.note = &a;
    loop_set_before_wait(loop, on_hook, &hook);
    alarm(10);
    assert_int_equal(loop_run(loop), 0);
    alarm(0);
    assert_string_equal(diary, "a");
    assert_int_equal(hook.calls, 1);
}

static void on_hook_writes(void *arg) {
    (void)arg;
    size_t len = strlen(diary);
    diary[len] = '|';
    diary[len + 1] = 0;
}

static void test_before_wait_comes_after_all_work_of_a_turn(void **state) {
    (void)state;
    struct note a = note('a'), b = note('b'), c = note('c'), d = note('d');
    a.defers = &b;
    a.posts = &c;
    c.defers = &d;
    d.stops = true;
    loop_post(loop, &a.job);
    loop_set_before_wait(loop, on_hook_writes, NULL);
    alarm(HANG_S);
    assert_int_equal(loop_run(loop), 0);
    alarm(0);
    assert_string_equal(diary, "|ab|cd");
}

// The rest

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
    (void)number;
    interrupted = 1;
}

static void stop_if_interrupted(void *arg) {
    (void)arg;
    if (interrupted) loop_stop(loop);
}

static void test_a_signal_is_not_an_error(void **state) {
    (void)state;
    struct sigaction act = {.sa_handler = on_signal}, old;
    sigaction(SIGALRM, &act, &old);
    interrupted = 0;
    loop_set_before_wait(loop, stop_if_interrupted, NULL);
    struct itimerval soon = {.it_value.tv_usec = 2000, .it_interval.tv_usec = 2000}, off = {{0}, {0}};
    setitimer(ITIMER_REAL, &soon, NULL);
    assert_int_equal(loop_run(loop), 0);
    setitimer(ITIMER_REAL, &off, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_true(interrupted);
}

static void test_no_loop_without_descriptors(void **state) {
    (void)state;
    struct rlimit usual, tight;
    getrlimit(RLIMIT_NOFILE, &usual);
    int free_fd = dup(0);
    close(free_fd);
    for (rlim_t more = 0; more < 2; more++) { // none for epoll; none for the eventfd
        tight = usual;
        tight.rlim_cur = (rlim_t)free_fd + more;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        struct loop *none = loop_new();
        int error = errno;
        setrlimit(RLIMIT_NOFILE, &usual);
        assert_null(none);
        assert_int_equal(error, EMFILE);
        int again = dup(0);
        close(again);
        assert_int_equal(again, free_fd); // none was left open
    }
}

static int next_descriptor(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

static void test_a_loop_freed_leaves_no_descriptor(void **state) {
    (void)state;
    int next = next_descriptor();
    struct loop *other = loop_new();
    assert_int_not_equal(next_descriptor(), next);
    loop_free(other);
    loop_free(NULL);
    assert_int_equal(next_descriptor(), next);
}

// How long turns take

static void run_slow_job(struct loop_job *job) {
    (void)job;
    moved_clock.now_ms += 30;
}

static void test_the_length_of_turns_is_counted(void **state) {
    (void)state;
    struct loop_job slow = {.run = run_slow_job};
    run_turns(loop, 1);
    assert_int_equal(loop_lag(loop).longest_us, 0);
    loop_defer(loop, &slow);
    run_turns(loop, 2);
    struct loop_lag lag = loop_lag(loop);
    assert_int_equal(lag.longest_us, 30000);
    assert_int_equal(lag.busy_us, 30000);
    assert_int_equal(lag.within[5], 1); // 16 to 32 ms
    assert_int_equal(loop_lag_slow_turns(&lag), 1);
    assert_int_equal(lag.within[0], lag.turns - 1);
}

static void test_a_turn_of_any_length_is_counted(void **state) {
    (void)state;
    struct loop_job slow = {.run = run_slow_job}, slower = slow;
    for (int i = 0; i < 100; i++) {
        loop_defer(loop, &slow);
        loop_defer(loop, &slower);
        run_turns(loop, 1);
        moved_clock.now_ms += 7; // waiting is no turn
    }
    struct loop_lag lag = loop_lag(loop);
    uint64_t sum = 0;
    for (unsigned i = 0; i < LOOP_LAG_STEPS; i++) sum += lag.within[i];
    assert_int_equal(sum, lag.turns);
    assert_int_equal(lag.longest_us, 60000);
}

// Callbacks

struct all_kinds {
    struct loop_job deferred, next, posted;
    struct loop_timer timer;
    struct loop_fd fd;
    unsigned ran;
};

static struct all_kinds kinds;

static void on_kind(void) {
    assert_not_inside();
    kinds.ran++;
}

static void on_kind_job(struct loop_job *job) {
    (void)job;
    on_kind();
}

static void on_kind_timer(struct loop_timer *timer) {
    (void)timer;
    on_kind();
}

static void on_kind_fd(struct loop_fd *fd, uint32_t events) {
    (void)events;
    loop_fd_remove(loop, fd);
    on_kind();
}

static void test_nothing_runs_inside_the_call_that_requests_it(void **state) {
    (void)state;
    int pipe_ends[2];
    assert_int_equal(pipe(pipe_ends), 0);
    kinds = (struct all_kinds){.deferred.run = on_kind_job,
                               .next.run = on_kind_job,
                               .posted.run = on_kind_job,
                               .timer.on_due = on_kind_timer,
                               .fd = {.on_event = on_kind_fd}};
    INSIDE(loop_defer(loop, &kinds.deferred));
    INSIDE(loop_next_turn(loop, &kinds.next));
    INSIDE(loop_post(loop, &kinds.posted));
    INSIDE(loop_timer_start(loop, &kinds.timer, 0));
    INSIDE(loop_fd_add(loop, &kinds.fd, pipe_ends[1], EPOLLOUT)); // writable already
    assert_int_equal(kinds.ran, 0);
    run_turns(loop, 3);
    assert_int_equal(kinds.ran, 5); // each once
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

#define ON_LOOP(test)  cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define TIMERS(test)   cmocka_unit_test_setup_teardown(test, reset_clocks, tear_down)
#define IN_DIARY(test) cmocka_unit_test_setup_teardown(test, open_diary, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TIMERS(test_timers_fire_once_in_order_and_not_early),
        TIMERS(test_all_due_timers_fire_in_one_turn),
        TIMERS(test_timers_started_moved_and_stopped_in_any_order),
        TIMERS(test_a_timer_stopped_by_one_due_with_it_does_not_fire),
        TIMERS(test_a_timer_moved_by_one_due_with_it_fires_later),
        TIMERS(test_a_timer_moved_earlier_fires_in_the_same_turn),
        TIMERS(test_a_timer_may_restart_itself),
        TIMERS(test_a_timer_that_restarts_itself_immediately_starves_nothing),
        TIMERS(test_by_the_real_clock_no_timer_is_early),
        TIMERS(test_time_stands_still_within_a_turn),
        ON_LOOP(test_a_descriptor_has_events_until_removed),
        ON_LOOP(test_the_watched_events_can_be_changed),
        ON_LOOP(test_descriptors_that_cannot_be_watched),
        ON_LOOP(test_a_descriptor_removed_in_the_same_turn_has_no_event),
        ON_LOOP(test_an_owner_freed_at_the_end_of_the_turn_is_not_touched),
        ON_LOOP(test_a_new_descriptor_does_not_inherit_an_old_event),
        ON_LOOP(test_more_descriptors_than_fit_in_a_turn),
        ON_LOOP(test_jobs_of_several_threads_keep_each_threads_order),
        IN_DIARY(test_posted_jobs_come_before_deferred_ones),
        IN_DIARY(test_a_job_deferred_by_a_deferred_one_runs_in_the_same_turn),
        IN_DIARY(test_a_job_posted_by_a_posted_one_runs_in_the_next_turn),
        IN_DIARY(test_a_job_may_be_posted_again_once_it_runs),
        IN_DIARY(test_pending_jobs_run_before_a_loop_is_freed),
        IN_DIARY(test_draining_runs_only_pending_jobs),
        IN_DIARY(test_stopping_finishes_the_turn),
        IN_DIARY(test_a_job_deferred_before_waiting_does_not_wait),
        IN_DIARY(test_before_wait_comes_after_all_work_of_a_turn),
        ON_LOOP(test_a_signal_is_not_an_error),
        ON_LOOP(test_no_loop_without_descriptors),
        ON_LOOP(test_the_length_of_turns_is_counted),
        ON_LOOP(test_a_turn_of_any_length_is_counted),
        ON_LOOP(test_nothing_runs_inside_the_call_that_requests_it),
        cmocka_unit_test(test_a_loop_freed_leaves_no_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
