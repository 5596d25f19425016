// Runs a loop step by step, so that a test is a sequence of actions and observations. SIGALRM ends a test
// that waits for something that never happens.
#pragma once

#include <unistd.h>

#include "moved_clock.h"
#include "net/loop.h"

enum { HANG_S = 60 }; // longer than any test takes under any sanitizer

struct run_loop {
    struct loop *loop;
    bool (*done)(void *arg);
    void *arg;
};

static inline void run_loop_look(void *arg) {
    struct run_loop *r = arg;
    if (!r->done || r->done(r->arg)) loop_stop(r->loop);
}

// Runs until done() returns true; it is called after each turn's events, before waiting for the next.
static inline void run_until(struct loop *loop, bool (*done)(void *), void *arg) {
    struct run_loop r = {loop, done, arg};
    if (done && done(arg)) return;
    alarm(HANG_S);
    loop_set_before_wait(loop, run_loop_look, &r);
    loop_run(loop);
    loop_set_before_wait(loop, NULL, NULL);
    alarm(0);
}

// Runs that many turns without waiting.
static inline void run_turns(struct loop *loop, unsigned turns) {
    while (turns--) run_until(loop, NULL, NULL);
}

// Moves the clock, and runs a turn at the new time.
static inline void run_later(struct loop *loop, int64_t ms) {
    moved_clock.now_ms += ms;
    run_turns(loop, 1);
}
