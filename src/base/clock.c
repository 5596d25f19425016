#include "base/clock.h"

#include <time.h>

static int64_t clock_read_us(clockid_t which) {
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void) {
    return clock_read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void) {
    return clock_read_us(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_us(void) {
    return clock_read_us(CLOCK_THREAD_CPUTIME_ID);
}

int64_t clock_process_cpu_us(void) {
    return clock_read_us(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t clock_wall_ms(void) {
    return clock_read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_wall_us(void) {
    return clock_read_us(CLOCK_REALTIME);
}

void clock_condition_init(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void clock_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t due_ms) {
    struct timespec due = {.tv_sec = due_ms / 1000, .tv_nsec = due_ms % 1000 * 1000000};
    pthread_cond_timedwait(condition, lock, &due);
}
