// What the simulated store needs of the world in which it stands: time, a way to be called later, and whether
// a process is alive. There are two: a simulation's (sim_engines.c), and a loop's (sim_store_loop.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct sim_store_world {
    int64_t (*now_us)(void *arg);  // steady
    int64_t (*wall_ms)(void *arg); // since 1970, before any step of the store's clock
    // Calls run() once after the delay, outside of any process, never from inside this call.
    void (*at)(void *arg, int64_t delay_us, void (*run)(void *), void *run_arg);
    bool (*alive)(void *arg, const void *process);
    // What is allocated between the two belongs to no process. step_out() returns the process that is
    // running, NULL: there are no processes, or none runs.
    void *(*step_out)(void *arg);
    void (*step_in)(void *arg, void *process);
    void (*trace)(void *arg, const char *line); // NULL: not traced
    void *arg;
};
