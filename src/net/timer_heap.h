// The started timers of a loop: a binary heap ordered by due_ms. Each timer knows its slot, so that moving
// and stopping one needs no search. Embedded in the loop, zero-initialised; grows, and never shrinks. Loop
// thread only.
#pragma once

#include <stdint.h>

struct loop_timer;

struct timer_heap {
    struct loop_timer **slots; // from 1
    uint32_t count, room;
};

// Frees the heap; the timers stay their owners'.
void timer_heap_release(struct timer_heap *);

// Adds a timer, or moves it, to when it is due.
void timer_heap_start(struct timer_heap *, struct loop_timer *, int64_t due_ms);

// Does nothing to a timer that is stopped.
void timer_heap_stop(struct timer_heap *, struct loop_timer *);

// Returns the timer that is due first, or NULL.
struct loop_timer *timer_heap_first(const struct timer_heap *);

// Stops each timer that is due, and runs it; no more of them than there were at first: one that is due again
// at once must not prolong the turn. A callback may start and stop any.
void timer_heap_run_due(struct timer_heap *, int64_t now_ms);
