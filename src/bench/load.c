#include "load.h"

#include <stddef.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "places.h"
#include "publishers.h"
#include "watchers.h"
#include "net/loop.h"

enum { TICKS_PER_POLL = 5 };

struct load_process {
    const struct bench_plan *plan;
    struct bench_shared *shared;
    struct bench_load *out;
    unsigned process;
    struct loop *loop;
    struct loop_timer tick;
    int64_t tick_ms, tick_due_us, cpu_before_us;
    unsigned ticks;
    struct bench_figures *figures; // in the shared memory
    struct places *places;
    struct watchers *watchers;
    struct publishers *publishers;
    int phase;
};

static int64_t load_cpu_us(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void load_enter_phase(struct load_process *l, int phase) {
    l->phase = phase;
    switch ((enum bench_phase)phase) {
    case BENCH_RESOLVE: places_find(l->places); break;
    case BENCH_CONNECT:
        places_free(l->places);
        l->places = NULL;
        l->watchers = watchers_new(&(struct watchers_config){.loop = l->loop,
                                                             .plan = l->plan,
                                                             .shared = l->shared,
                                                             .figures = l->figures,
                                                             .process = l->process});
        watchers_connect(l->watchers);
        break;
    case BENCH_POST:
        watchers_end_connecting(l->watchers);
        l->cpu_before_us = load_cpu_us();
        l->figures->lag = (struct histogram){0};
        publishers_start(l->publishers);
        break;
    case BENCH_DRAIN: publishers_stop(l->publishers); break;
    case BENCH_END:
        l->figures->lost += watchers_outstanding(l->watchers, true);
        l->figures->outstanding = 0;
        l->figures->cpu_us = load_cpu_us() - l->cpu_before_us;
        loop_stop(l->loop);
        break;
    }
}

static bool load_is_done(struct load_process *l) {
    switch ((enum bench_phase)l->phase) {
    case BENCH_RESOLVE: return places_are_found(l->places);
    case BENCH_CONNECT: return watchers_are_settled(l->watchers);
    case BENCH_POST: return clock_monotonic_us() >= l->shared->end_us;
    case BENCH_DRAIN:
        l->figures->outstanding = watchers_outstanding(l->watchers, false);
        return publishers_are_answered(l->publishers) && !l->figures->outstanding;
    case BENCH_END: return true;
    }
    return true;
}

static void load_start_tick(struct load_process *l) {
    l->tick_due_us = clock_monotonic_us() + l->tick_ms * 1000;
    loop_timer_start(l->loop, &l->tick, l->tick_ms);
}

// Follows the bench to its phase, and reports when that is done.
static void load_on_tick(struct loop_timer *t) {
    struct load_process *l = container_of(t, struct load_process, tick);
    histogram_add(&l->figures->lag, clock_monotonic_us() - l->tick_due_us);
    if (++l->ticks % TICKS_PER_POLL == 0) {
        int phase = l->shared->phase;
        while (l->phase < phase) load_enter_phase(l, l->phase + 1);
        if (load_is_done(l)) l->out->done = l->phase + 1;
    }
    load_start_tick(l);
}

int load_run(const struct bench_plan *plan, struct bench_shared *shared, unsigned process) {
    struct load_process l = {.plan = plan, .shared = shared, .process = process, .loop = loop_new()};
    if (!l.loop) return 1;
    l.out = &shared->load[process];
    l.figures = &l.out->figures;
    l.tick_ms = bench_poll_ms(plan) / TICKS_PER_POLL;
    l.places = places_new(l.loop, plan, shared, process);
    l.publishers = publishers_new(l.loop, plan, shared, l.figures, process);
    l.tick.on_due = load_on_tick;
    load_enter_phase(&l, BENCH_RESOLVE);
    load_start_tick(&l);
    int error = loop_run(l.loop);
    loop_timer_stop(l.loop, &l.tick);
    publishers_free(l.publishers);
    watchers_free(l.watchers);
    places_free(l.places);
    loop_free(l.loop);
    return error ? 1 : 0;
}
