#include "load.h"

#include <stddef.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "places.h"
#include "publishers.h"
#include "watchers.h"
#include "net/loop.h"

enum { TICKS_PER_LOOK = 5 };

struct load {
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

static int64_t cpu_us(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * INT64_C(1000000) + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void begin_connecting(struct load *l) {
    places_free(l->places);
    l->places = NULL;
    l->watchers = watchers_new(&(struct watchers_config){
        .loop = l->loop, .plan = l->plan, .shared = l->shared, .figures = l->figures, .process = l->process});
    watchers_connect(l->watchers);
}

static void begin_posting(struct load *l) {
    watchers_give_up(l->watchers);
    l->cpu_before_us = cpu_us();
    l->figures->lag = (struct histogram){0};
    publishers_start(l->publishers);
}

static void finish(struct load *l) {
    l->figures->lost += watchers_outstanding(l->watchers, true);
    l->figures->outstanding = 0;
    l->figures->cpu_us = cpu_us() - l->cpu_before_us;
    loop_stop(l->loop);
}

static void enter(struct load *l, int phase) {
    l->phase = phase;
    switch ((enum bench_phase)phase) {
    case BENCH_RESOLVE: places_find(l->places); break;
    case BENCH_CONNECT: begin_connecting(l); break;
    case BENCH_POST: begin_posting(l); break;
    case BENCH_DRAIN: publishers_stop(l->publishers); break;
    case BENCH_END: finish(l); break;
    }
}

static bool is_done(struct load *l) {
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

static void start_tick(struct load *l) {
    l->tick_due_us = clock_monotonic_us() + l->tick_ms * 1000;
    loop_timer_start(l->loop, &l->tick, l->tick_ms);
}

// Follows the bench, and says how far we are.
static void look(struct load *l) {
    int wanted = l->shared->phase;
    while (l->phase < wanted) enter(l, l->phase + 1);
    if (is_done(l)) l->out->done = l->phase + 1;
}

static void on_tick(struct loop_timer *t) {
    struct load *l = container_of(t, struct load, tick);
    histogram_add(&l->figures->lag, clock_monotonic_us() - l->tick_due_us);
    if (++l->ticks % TICKS_PER_LOOK == 0) look(l);
    start_tick(l);
}

static void release(struct load *l) {
    loop_timer_stop(l->loop, &l->tick);
    publishers_free(l->publishers);
    watchers_free(l->watchers);
    places_free(l->places);
    loop_free(l->loop);
}

int load_run(const struct bench_plan *plan, struct bench_shared *shared, unsigned process) {
    struct load l = {.plan = plan, .shared = shared, .process = process, .loop = loop_new()};
    if (!l.loop) return 1;
    l.out = &shared->load[process];
    l.figures = &l.out->figures;
    l.tick_ms = bench_look_ms(plan) / TICKS_PER_LOOK;
    l.places = places_new(l.loop, plan, shared, process);
    l.publishers = publishers_new(l.loop, plan, shared, l.figures, process);
    l.tick.on_due = on_tick;
    enter(&l, BENCH_RESOLVE);
    start_tick(&l);
    int error = loop_run(l.loop);
    release(&l);
    return error ? 1 : 0;
}
