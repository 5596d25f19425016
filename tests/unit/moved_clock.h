// The monotonic clock as a test wants it: it stands still until the test moves it, or is the real one. Works
// by being clock_gettime() for the whole program. What should end and does not is ended by alarm().
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool real;
    int64_t now_ms;
} moved_clock = {.now_ms = 1000000};

int clock_gettime(clockid_t which, struct timespec *t) {
    if (which != CLOCK_MONOTONIC || moved_clock.real) return (int)syscall(SYS_clock_gettime, which, t);
    t->tv_sec = moved_clock.now_ms / 1000;
    t->tv_nsec = moved_clock.now_ms % 1000 * 1000000;
    return 0;
}
