#include "sim_store_loop.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/container_of.h"
#include "base/mem.h"
#include "base/uthash.h"
#include "net/loop.h"

struct due_call {
    struct loop_timer timer;
    struct sim_store_loop *owner;
    void (*run)(void *);
    void *arg;
    struct due_call *prev, *next;
};

struct sim_store_loop {
    struct sim_store_world world;
    struct loop *loop;
    struct due_call *calls;
};

static int64_t loop_world_now_us(void *arg) {
    (void)arg;
    return clock_monotonic_us();
}

static int64_t loop_world_wall_ms(void *arg) {
    (void)arg;
    return clock_wall_ms();
}

static void due_call_free(struct due_call *c) {
    loop_timer_stop(c->owner->loop, &c->timer);
    DL_DELETE(c->owner->calls, c);
    free(c);
}

static void on_call_due(struct loop_timer *t) {
    struct due_call *c = container_of(t, struct due_call, timer);
    void (*run)(void *) = c->run;
    void *arg = c->arg;
    due_call_free(c);
    run(arg);
}

static void loop_world_at(void *arg, int64_t delay_us, void (*run)(void *), void *run_arg) {
    struct sim_store_loop *l = arg;
    struct due_call *c = mem_zalloc(sizeof *c);
    *c = (struct due_call){.timer.on_due = on_call_due, .owner = l, .run = run, .arg = run_arg};
    DL_APPEND(l->calls, c);
    int64_t late_ms = clock_monotonic_ms() - loop_now_ms(l->loop);
    loop_timer_start(l->loop, &c->timer, late_ms + (delay_us + 999) / 1000);
}

static bool loop_world_alive(void *arg, const void *process) {
    (void)arg, (void)process;
    return true;
}

static void *loop_world_step_out(void *arg) {
    (void)arg;
    return NULL;
}

static void loop_world_step_in(void *arg, void *process) {
    (void)arg, (void)process;
}

struct sim_store_loop *sim_store_loop_new(struct loop *loop) {
    struct sim_store_loop *l = mem_zalloc(sizeof *l);
    l->loop = loop;
    l->world = (struct sim_store_world){.now_us = loop_world_now_us,
                                        .wall_ms = loop_world_wall_ms,
                                        .at = loop_world_at,
                                        .alive = loop_world_alive,
                                        .step_out = loop_world_step_out,
                                        .step_in = loop_world_step_in,
                                        .arg = l};
    return l;
}

void sim_store_loop_free(struct sim_store_loop *l) {
    while (l->calls) due_call_free(l->calls);
    free(l);
}

const struct sim_store_world *sim_store_loop_world(const struct sim_store_loop *l) {
    return &l->world;
}
