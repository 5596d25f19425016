// What production uses of pthread(7) and sem(7), for threads that are coroutines; the linker leads calls here
// (--wrap). A lock is only ever taken while another thread waits for something else, so it is one bit, at the
// beginning of glibc's object, where zero means free.
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>

#include "core.h"

int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*run)(void *), void *arg);
int __wrap_pthread_join(pthread_t, void **result);
int __wrap_pthread_setname_np(pthread_t, const char *name);
int __wrap_pthread_sigmask(int how, const sigset_t *, sigset_t *old);
int __wrap_pthread_mutex_init(pthread_mutex_t *, const pthread_mutexattr_t *);
int __wrap_pthread_mutex_destroy(pthread_mutex_t *);
int __wrap_pthread_mutex_lock(pthread_mutex_t *);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *);
int __wrap_pthread_cond_init(pthread_cond_t *, const pthread_condattr_t *);
int __wrap_pthread_cond_destroy(pthread_cond_t *);
int __wrap_pthread_cond_wait(pthread_cond_t *, pthread_mutex_t *);
int __wrap_pthread_cond_broadcast(pthread_cond_t *);
int __wrap_pthread_cond_signal(pthread_cond_t *);
int __wrap_sem_init(sem_t *, int shared, unsigned value);
int __wrap_sem_destroy(sem_t *);
int __wrap_sem_post(sem_t *);
int __wrap_sem_wait(sem_t *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *arg) {
    int detached = PTHREAD_CREATE_JOINABLE;
    struct sim_thread *t = thread_start(world.self, run, arg);
    if (attributes) pthread_attr_getdetachstate(attributes, &detached);
    t->detached = detached == PTHREAD_CREATE_DETACHED;
    *thread = (pthread_t)t;
    return 0;
}

int __wrap_pthread_join(pthread_t thread, void **result) {
    struct sim_thread *t = (struct sim_thread *)thread;
    while (t->state != THREAD_ENDED) thread_wait(t, INT64_MAX);
    if (result) *result = t->result;
    thread_free(t);
    return 0;
}

int __wrap_pthread_setname_np(pthread_t thread, const char *name) {
    (void)thread, (void)name;
    return 0;
}

int __wrap_pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
    (void)how, (void)set;
    if (old) sigemptyset(old);
    return 0;
}

// Locks

static int *mutex_bit(pthread_mutex_t *m) {
    return (int *)(void *)m;
}

int __wrap_pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes) {
    (void)attributes;
    memset(m, 0, sizeof *m);
    return 0;
}

int __wrap_pthread_mutex_destroy(pthread_mutex_t *m) {
    return *mutex_bit(m) ? EBUSY : 0;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *m) {
    while (*mutex_bit(m)) thread_wait(m, INT64_MAX);
    *mutex_bit(m) = 1;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m) {
    *mutex_bit(m) = 0;
    if (world.self) thread_wake_all(world.self, m);
    return 0;
}

int __wrap_pthread_cond_init(pthread_cond_t *c, const pthread_condattr_t *attributes) {
    (void)attributes;
    memset(c, 0, sizeof *c);
    return 0;
}

int __wrap_pthread_cond_destroy(pthread_cond_t *c) {
    (void)c;
    return 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m) {
    __wrap_pthread_mutex_unlock(m);
    thread_wait(c, INT64_MAX);
    return __wrap_pthread_mutex_lock(m);
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *c) {
    if (world.self) thread_wake_all(world.self, c);
    return 0;
}

// Wakes all: waiters have to expect that (pthread_cond_wait(3), spurious wakeups).
int __wrap_pthread_cond_signal(pthread_cond_t *c) {
    return __wrap_pthread_cond_broadcast(c);
}

int __wrap_sem_init(sem_t *s, int shared, unsigned value) {
    (void)shared;
    memset(s, 0, sizeof *s);
    *(unsigned *)(void *)s = value;
    return 0;
}

int __wrap_sem_destroy(sem_t *s) {
    (void)s;
    return 0;
}

int __wrap_sem_post(sem_t *s) {
    ++*(unsigned *)(void *)s;
    thread_wake_all(world.self, s);
    return 0;
}

int __wrap_sem_wait(sem_t *s) {
    while (!*(unsigned *)(void *)s) thread_wait(s, INT64_MAX);
    --*(unsigned *)(void *)s;
    return 0;
}
