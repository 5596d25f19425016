// A monotonic clock that the test controls: it stands still until the test moves it, or runs like the real
// one. While it stands, the test also sets the threads' CPU time. Replaces clock_gettime() in the whole
// program.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct {
    _Atomic int64_t now_ms; // engines have threads that look at the clock too
    _Atomic bool real;
    _Atomic int64_t since_us;  // what the real clock said when it began to run
    _Atomic int64_t worked_us; // CPU time of any thread, while the clock stands
} moved_clock = {.now_ms = 1000000};

static inline int64_t moved_clock_real_us(void) {
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// Returns this thread's real CPU time, which does not depend on how busy the machine is.
static inline int64_t moved_clock_own_work_us(void) {
    struct timespec t;
    syscall(SYS_clock_gettime, CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline void moved_clock_run(void) {
    moved_clock.real = true;
    moved_clock.since_us = moved_clock_real_us();
}

// Stands still again, and never goes back.
static inline void moved_clock_stand(void) {
    if (moved_clock.real) moved_clock.now_ms += (moved_clock_real_us() - moved_clock.since_us) / 1000 + 1;
    moved_clock.real = false;
}

// Advances the CPU time of all threads.
static inline void moved_clock_work(int64_t ms) {
    moved_clock.now_ms += ms;
    moved_clock.worked_us += ms * 1000;
}

int clock_gettime(clockid_t which, struct timespec *t) {
    bool real = moved_clock.real, work = which == CLOCK_THREAD_CPUTIME_ID && !real;
    if (which != CLOCK_MONOTONIC && !work) return (int)syscall(SYS_clock_gettime, which, t);
    int64_t us = work ? moved_clock.worked_us : moved_clock.now_ms * 1000;
    if (real) us += moved_clock_real_us() - moved_clock.since_us;
    t->tv_sec = us / 1000000;
    t->tv_nsec = us % 1000000 * 1000;
    return 0;
}
